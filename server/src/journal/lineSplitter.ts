/** A line of an agent's output, without its newline. */
export interface JournalLine {
  text: string;
  /** Offset in the file just after its newline: where reading goes on when this line is done with. */
  endOffset: number;
}

const MAX_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 10;

/**
 * Cuts bytes into lines. Bytes become text only as whole lines, so a character across two chunks stays whole; an
 * unfinished line is kept as the chunks it came in, so a long one is not copied again with every chunk.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #offset: number;
  #held: Buffer[] = [];
  #heldBytes = 0;

  /** @param offset where in the file the first chunk begins: the start of a line */
  constructor(offset: number, maxLineBytes: number = MAX_LINE_BYTES) {
    this.#offset = offset;
    this.#maxLineBytes = maxLineBytes;
  }

  /** Where the next chunk begins. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether what was read so far ends with a newline, or is nothing. */
  get endsLine(): boolean {
    return this.#heldBytes === 0;
  }

  /** The lines that end in this chunk. A line over the limit comes as `tooLongLine`, its bytes are not kept. */
  push(chunk: Buffer): JournalLine[] {
    const lines: JournalLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      lines.push({ text: this.#take(chunk.subarray(start, end)), endOffset: this.#offset + end + 1 });
      start = end + 1;
    }
    this.#hold(chunk.subarray(start));
    this.#offset += chunk.length;
    return lines;
  }

  /** What stands after the last newline. */
  get rest(): string {
    return this.#heldBytes > this.#maxLineBytes ? tooLongLine(this.#heldBytes) : Buffer.concat(this.#held).toString();
  }

  #take(last: Buffer): string {
    const bytes = this.#heldBytes + last.length;
    const text =
      bytes > this.#maxLineBytes
        ? tooLongLine(bytes)
        : this.#held.length === 0
          ? last.toString()
          : Buffer.concat([...this.#held, last]).toString();
    this.#held = [];
    this.#heldBytes = 0;
    return text;
  }

  #hold(part: Buffer): void {
    this.#heldBytes += part.length;
    if (this.#heldBytes > this.#maxLineBytes) {
      this.#held = [];
    } else if (part.length > 0) {
      this.#held.push(part);
    }
  }
}

/** Stands in the place of a line that was too long to be read. JSON, as all that agents write, of a type that none has. */
export function tooLongLine(bytes: number): string {
  return JSON.stringify({ type: 'sandpiper_line_too_long', bytes });
}
