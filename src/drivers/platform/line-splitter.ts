// Makes lines of bytes as they come, in bounded memory.

import { cutLine, maxLineBytes } from '../../core/log-line.ts';

const lineFeed = 0x0a;

export class LineSplitter {
  #parts: Buffer[] = [];
  #bytes = 0;
  #skipping = false;

  /** The lines that these bytes complete; of a line that is too long only the beginning is kept. */
  push(block: Buffer): string[] {
    const lines: string[] = [];
    let begin = 0;
    for (let end = block.indexOf(lineFeed); end !== -1; end = block.indexOf(lineFeed, begin)) {
      this.#keep(block.subarray(begin, end));
      const line = this.#take();
      if (!this.#skipping) lines.push(line);
      this.#skipping = false;
      begin = end + 1;
    }
    this.#keep(block.subarray(begin));
    return lines;
  }

  /** A last line without line end, where there is one. */
  flush(): string | undefined {
    return this.#bytes === 0 || this.#skipping ? undefined : this.#take();
  }

  /** Bytes are missing here: forgets the line that was begun and, where `midLine`, what comes up to the next line end. */
  skip(midLine: boolean): void {
    this.#take();
    this.#skipping = midLine;
  }

  #keep(part: Buffer): void {
    // One byte more than allowed shows that the line is too long.
    const room = maxLineBytes + 1 - this.#bytes;
    if (part.length === 0 || room <= 0) return;
    // A copy, so that a kept beginning does not hold the whole block.
    this.#parts.push(Buffer.from(part.subarray(0, room)));
    this.#bytes += Math.min(part.length, room);
  }

  #take(): string {
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    const text = bytes.toString('utf8');
    return cutLine(text.endsWith('\r') ? text.slice(0, -1) : text);
  }
}
