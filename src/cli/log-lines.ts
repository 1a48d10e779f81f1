// Reads a log of any length in pieces of whole lines: memory does not grow with the log, nor with a line that never ends.

import { createReadStream } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { Failure } from '../base/failure.ts';
import { longestLine } from '../core/gate/replay/record.ts';

const pieceBytes = 65_536;

/** Rejects with `usage` for a file that is not there, cannot be read or is compressed. */
export async function* readLog(
  file: string | undefined,
  stdin: NodeJS.ReadableStream,
): AsyncGenerator<readonly string[]> {
  const input = file === undefined ? stdin : createReadStream(file, { highWaterMark: pieceBytes });
  const lines = new LineCutter();
  let first = true;
  try {
    for await (const piece of input as AsyncIterable<Buffer | string>) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
      if (first && bytes[0] === 0x1f && bytes[1] === 0x8b) throw compressed(file);
      first = false;
      yield lines.cut(bytes);
    }
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    throw unreadable(file, thrown as NodeJS.ErrnoException);
  }
  yield lines.rest();
}

/** Whole lines of a text that comes in pieces; characters may be cut in two between them. */
class LineCutter {
  readonly #decoder = new StringDecoder('utf8');
  #begun = '';

  cut(piece: Buffer): readonly string[] {
    const lines = (this.#begun + this.#decoder.write(piece)).split('\n');
    // one character more than may be says that the line was too long, whatever still comes of it
    this.#begun = (lines.pop() ?? '').slice(0, longestLine + 1);
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  }

  rest(): readonly string[] {
    const last = this.#begun + this.#decoder.end();
    return last === '' ? [] : [last];
  }
}

function compressed(file: string | undefined): Failure {
  const name = file ?? 'standard input';
  return new Failure('usage', `${name} is compressed`, {
    at: name,
    remedy: `Unpack it on the way: \`zcat ${file ?? 'FILE'} | sluice judge\`.`,
  });
}

function unreadable(file: string | undefined, { code, message }: NodeJS.ErrnoException): Failure {
  const name = file ?? 'standard input';
  const problem =
    code === 'ENOENT' ? 'is not there' : code === 'EISDIR' ? 'is a directory' : `cannot be read: ${message}`;
  return new Failure('usage', `${name} ${problem}`, {
    at: name,
    remedy: 'Name a log file, or `-` for standard input.',
  });
}
