// Cuts a stream of syslog messages into lines: each with its length before it (RFC 6587), or each with a line end behind it.

/** Digits of a length. */
const lengthDigits = 6;

/** Bounded: what does not end within `longest` bytes is handed over cut, and the rest of it skipped. */
export class Frames {
  readonly #longest: number;
  readonly #take: (line: string) => void;
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of a message too long to keep, up to which, or up to the next line end (-1), nothing is read. */
  #skip = 0;

  constructor(longest: number, take: (line: string) => void) {
    this.#longest = longest;
    this.#take = take;
  }

  /** False when the stream is no syslog and cannot be read any further. */
  push(chunk: Buffer): boolean {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const before = this.#rest.length;
      if (!this.#next()) return false;
      if (this.#rest.length === before) return true;
    }
  }

  /** Takes one message, or nothing where it is not there as a whole yet. */
  #next(): boolean {
    if (this.#skip !== 0) {
      this.#skipOn();
      return true;
    }
    const [first] = this.#rest;
    if (first === undefined) return true;
    return first >= 0x30 && first <= 0x39 ? this.#counted() : this.#ended();
  }

  #counted(): boolean {
    const space = this.#rest.subarray(0, lengthDigits + 1).indexOf(0x20);
    if (space < 0) return this.#rest.length <= lengthDigits;
    const length = Number(this.#rest.toString('latin1', 0, space));
    if (!Number.isInteger(length)) return false;
    const start = space + 1;
    if (length > this.#longest) {
      this.#take(this.#rest.toString('latin1', start, start + this.#longest + 1));
      this.#rest = this.#rest.subarray(start);
      this.#skip = length;
    } else if (this.#rest.length >= start + length) {
      this.#take(this.#rest.toString('latin1', start, start + length).trimEnd());
      this.#rest = this.#rest.subarray(start + length);
    }
    return true;
  }

  #ended(): boolean {
    const end = this.#rest.indexOf(0x0a);
    if (end >= 0) {
      this.#take(this.#rest.toString('latin1', 0, Math.min(end, this.#longest + 1)));
      this.#rest = this.#rest.subarray(end + 1);
    } else if (this.#rest.length > this.#longest) {
      this.#take(this.#rest.toString('latin1', 0, this.#longest + 1));
      this.#rest = this.#rest.subarray(this.#rest.length);
      this.#skip = -1;
    }
    return true;
  }

  #skipOn(): void {
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, this.#rest.length);
      this.#rest = this.#rest.subarray(skipped);
      this.#skip -= skipped;
      return;
    }
    const end = this.#rest.indexOf(0x0a);
    this.#rest = this.#rest.subarray(end < 0 ? this.#rest.length : end + 1);
    if (end >= 0) this.#skip = 0;
  }
}
