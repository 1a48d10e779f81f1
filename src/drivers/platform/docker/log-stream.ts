// Turns what the engine sends of a container's output into lines with their stream and time, in bounded memory.

import { LineSplitter } from '../line-splitter.ts';

export interface OutputLine {
  /** Epoch milliseconds. */
  readonly at: number | undefined;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** Part of what was written, without the time that the engine puts before it. */
interface Piece {
  readonly stream: 'stdout' | 'stderr';
  readonly at: number | undefined;
  readonly bytes: Buffer;
}

/** A container with a terminal has one stream without frames. */
export async function* outputLines(source: AsyncIterable<Buffer>, framed: boolean): AsyncGenerator<OutputLine> {
  if (!framed) return yield* terminalLines(source);
  const makers = { stdout: new LineMaker('stdout'), stderr: new LineMaker('stderr') };
  for await (const piece of frames(source)) yield* makers[piece.stream].take(piece);
  for (const maker of Object.values(makers)) yield* maker.end();
}

async function* terminalLines(source: AsyncIterable<Buffer>): AsyncGenerator<OutputLine> {
  const splitter = new LineSplitter();
  for await (const bytes of source) yield* splitter.push(bytes).map(stampedLine);
  const last = splitter.flush();
  if (last !== undefined) yield stampedLine(last);
}

function stampedLine(line: string): OutputLine {
  const { at, length } = readStamp(line);
  return { at, stream: 'stdout', text: line.slice(length) };
}

const headerBytes = 8;
/** The longest time before an entry, with the blank behind it. */
const stampBytes = 40;

/** The engine writes each entry as a frame; a long line is several entries, each with its own time. */
async function* frames(source: AsyncIterable<Buffer>): AsyncGenerator<Piece> {
  const reader = new FrameReader();
  for await (const chunk of source) {
    for (let rest = chunk; rest.length > 0;) {
      const { piece, taken } = reader.take(rest);
      if (piece !== undefined) yield piece;
      rest = rest.subarray(taken);
    }
  }
}

/** Takes bytes as they come; what it keeps of a frame is never more than its header and its time. */
class FrameReader {
  #header = Buffer.alloc(0);
  #begin = Buffer.alloc(0);
  #stream: Piece['stream'] = 'stdout';
  /** Whether the time before the entry was read. */
  #stamped = false;
  #at: number | undefined;
  #left = 0;

  take(bytes: Buffer): { readonly piece: Piece | undefined; readonly taken: number } {
    return this.#header.length < headerBytes ? this.#takeHeader(bytes) : this.#takeEntry(bytes);
  }

  #takeHeader(bytes: Buffer): { readonly piece: undefined; readonly taken: number } {
    const part = bytes.subarray(0, headerBytes - this.#header.length);
    this.#header = Buffer.concat([this.#header, part]);
    if (this.#header.length === headerBytes) this.#beginFrame();
    return { piece: undefined, taken: part.length };
  }

  #beginFrame(): void {
    this.#stream = this.#header[0] === 2 ? 'stderr' : 'stdout';
    this.#left = this.#header.readUInt32BE(4);
    this.#stamped = false;
    if (this.#left === 0) this.#header = Buffer.alloc(0);
  }

  #takeEntry(bytes: Buffer): { readonly piece: Piece | undefined; readonly taken: number } {
    const part = bytes.subarray(0, this.#left);
    this.#left -= part.length;
    if (this.#left === 0) this.#header = Buffer.alloc(0);
    if (this.#stamped) return { piece: this.#piece(part), taken: part.length };
    // The time may come in two chunks; nothing is passed on before it is whole.
    this.#begin = Buffer.concat([this.#begin, part]);
    if (this.#begin.length < stampBytes && this.#left > 0) return { piece: undefined, taken: part.length };
    const { at, length } = readStamp(this.#begin.subarray(0, stampBytes).toString('latin1'));
    const text = this.#begin.subarray(length);
    this.#begin = Buffer.alloc(0);
    this.#stamped = true;
    this.#at = at;
    return { piece: this.#piece(text), taken: part.length };
  }

  #piece(bytes: Buffer): Piece {
    return { stream: this.#stream, at: this.#at, bytes };
  }
}

function readStamp(text: string): { readonly at: number | undefined; readonly length: number } {
  const found = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) /.exec(text)?.[0] ?? '';
  const at = Date.parse(found.trim());
  return { at: Number.isNaN(at) ? undefined : at, length: found.length };
}

class LineMaker {
  readonly #stream: OutputLine['stream'];
  readonly #splitter = new LineSplitter();
  /** When the line that is not whole yet began. */
  #begunAt: number | undefined;

  constructor(stream: OutputLine['stream']) {
    this.#stream = stream;
  }

  *take({ bytes, at }: Piece): Generator<OutputLine> {
    for (const text of this.#splitter.push(bytes)) {
      yield { at: this.#begunAt ?? at, stream: this.#stream, text };
      this.#begunAt = undefined;
    }
    this.#begunAt = bytes.at(-1) === 0x0a ? undefined : (this.#begunAt ?? at);
  }

  *end(): Generator<OutputLine> {
    const text = this.#splitter.flush();
    if (text !== undefined) yield { at: this.#begunAt, stream: this.#stream, text };
  }
}
