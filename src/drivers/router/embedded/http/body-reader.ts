// Finds the end of a message's body, and the data in it: by length, by chunks (RFC 9112 section 7.1, strictly), or by the connection's end.

export type BodyFraming = 'length' | 'chunked' | 'close';

type State = 'size' | 'digits' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailers';

const trailerShape = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n$/;
/** Fields that may not arrive behind the body: a reader that merges them into the head would be led astray. */
const trailerForbidden =
  /^(?:transfer-encoding|content-length|host|connection|te|trailer|upgrade|expect|cookie|authorization|content-encoding|content-type|content-range|forwarded|x-forwarded-[a-z]+)[ \t]*:/im;

/** Bytes of trailers, and of the extensions of all chunks together, that are put up with. */
const trailerBytesMax = 16_384;
const extensionBytesMax = 16_384;
const sizeDigitsMax = 12;

const cr = 13;
const lf = 10;

export class BodyReader {
  /** The data found by the last `read`: pairs of start and end in its buffer. */
  readonly ranges: number[] = [];
  /** The number of bytes in `ranges`. */
  bytes = 0;
  done: boolean;
  /** Why the body is malformed; nothing may be read after that. */
  bad: string | undefined;
  /** Trailer lines, each with its CRLF, when `done`. */
  trailers = '';

  framing: BodyFraming;
  #state: State = 'size';
  /** Of the body by length, or of the current chunk. */
  #remaining: number;
  #digits = 0;
  #extensionBytes = 0;

  /** `length` in bytes counts for framing `length` only. */
  constructor(framing: BodyFraming, length = 0) {
    this.framing = framing;
    this.#remaining = framing === 'length' ? length : 0;
    this.done = framing === 'length' && length === 0;
  }

  /** Begins with another body. */
  restart(framing: BodyFraming, length = 0): void {
    this.framing = framing;
    this.#remaining = framing === 'length' ? length : 0;
    this.done = framing === 'length' && length === 0;
    this.bad = undefined;
    this.trailers = '';
    this.#state = 'size';
    this.#digits = 0;
    this.#extensionBytes = 0;
  }

  /** Reads on from `from`; returns the index behind the last byte that belongs to the body. */
  read(buffer: Buffer, from: number): number {
    this.ranges.length = 0;
    this.bytes = 0;
    if (this.framing === 'chunked') return this.#readChunks(buffer, from);
    const end = this.framing === 'close' ? buffer.length : Math.min(buffer.length, from + this.#remaining);
    this.#found(from, end);
    if (this.framing === 'length') {
      this.#remaining -= end - from;
      this.done = this.#remaining === 0;
    }
    return end;
  }

  #found(start: number, end: number): void {
    if (end === start) return;
    this.ranges.push(start, end);
    this.bytes += end - start;
  }

  #readChunks(buffer: Buffer, from: number): number {
    let at = from;
    while (at < buffer.length && !this.done && this.bad === undefined) {
      if (this.#state === 'data') {
        const end = Math.min(buffer.length, at + this.#remaining);
        this.#found(at, end);
        this.#remaining -= end - at;
        if (this.#remaining === 0) this.#state = 'data-cr';
        at = end;
      } else {
        this.#step(buffer[at] ?? 0);
        at += 1;
      }
    }
    return at;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case 'size':
      case 'digits':
        return this.#sizeByte(byte);
      case 'extension':
        return this.#extensionByte(byte);
      case 'size-lf':
        if (byte !== lf) return this.#fail('A chunk size is malformed.');
        this.#state = this.#remaining === 0 ? 'trailers' : 'data';
        return undefined;
      case 'data-cr':
        if (byte !== cr) return this.#fail('A chunk is longer than its size.');
        this.#state = 'data-lf';
        return undefined;
      case 'data-lf':
        if (byte !== lf) return this.#fail('A chunk is longer than its size.');
        this.#state = 'size';
        return undefined;
      case 'trailers':
        return this.#trailerByte(byte);
      case 'data':
        return undefined;
    }
  }

  #sizeByte(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      if (this.#state === 'size') {
        this.#state = 'digits';
        this.#digits = 0;
        this.#remaining = 0;
      }
      this.#digits += 1;
      this.#remaining = this.#remaining * 16 + digit;
      if (this.#digits > sizeDigitsMax) this.#fail('A chunk size is too long.');
    } else if (this.#state === 'digits' && byte === cr) this.#state = 'size-lf';
    else if (this.#state === 'digits' && byte === 59) this.#state = 'extension';
    else this.#fail('A chunk size is malformed.');
  }

  #extensionByte(byte: number): void {
    this.#extensionBytes += 1;
    if (this.#extensionBytes > extensionBytesMax) this.#fail('The chunk extensions are too long.');
    else if (byte === cr) this.#state = 'size-lf';
    else if ((byte < 32 && byte !== 9) || byte === 127) this.#fail('A chunk extension is malformed.');
  }

  #trailerByte(byte: number): void {
    const bare = byte === lf && !this.trailers.endsWith('\r');
    this.trailers += String.fromCharCode(byte);
    if (bare) return this.#fail('A trailer is malformed.');
    if (this.trailers.length > trailerBytesMax) return this.#fail('The trailers are too long.');
    if (byte !== lf || !(this.trailers.length === 2 || this.trailers.endsWith('\n\r\n'))) return;
    if (!trailerShape.test(this.trailers)) return this.#fail('A trailer is malformed.');
    if (trailerForbidden.test(this.trailers)) return this.#fail('A trailer may not stand behind the body.');
    this.trailers = this.trailers.slice(0, -2);
    this.done = true;
  }

  #fail(reason: string): void {
    this.bad = reason;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
