/** Writes the one shape of MessagePack that the store reads, a short list of texts, many of them into one buffer. */

/** The most bytes before a text. */
const HEAD = 5;

export class TupleBuffer {
  readonly #room: number;
  #buffer = Buffer.alloc(0);
  #filled = 0;
  /** Bytes of buffers that are full. */
  #before = 0;

  /** @param room bytes that are set aside at a time. */
  constructor(room: number) {
    this.#room = room;
  }

  get bytes(): number {
    return this.#before + this.#filled;
  }

  /**
   * The bytes of a list of these texts and of one that is made of theirs. They stay as they are until {@link clear}; without
   * it the room lasts as long as anyone holds bytes of it.
   *
   * @param texts each as it is, or as UTF-8 bytes
   * @param last makes the last text, of ASCII characters, from the UTF-8 bytes of those before it
   */
  add(texts: readonly (string | Uint8Array)[], last: (parts: readonly Buffer[]) => string): Buffer {
    const lengths = texts.map((text) => (typeof text === 'string' ? Buffer.byteLength(text) : text.length));
    this.#makeRoom(1 + lengths.reduce((sum, length) => sum + length + HEAD, HEAD + LAST_AT_MOST));
    const start = this.#filled;
    this.#buffer[this.#filled++] = 0x90 | (texts.length + 1);
    const parts = texts.map((text, index) => this.#write(text, lengths[index]!));
    const end = last(parts);
    this.#write(end, end.length);
    return this.#buffer.subarray(start, this.#filled);
  }

  clear(): void {
    this.#filled = 0;
    this.#before = 0;
  }

  #write(text: string | Uint8Array, length: number): Buffer {
    const buffer = this.#buffer;
    if (length < 0x20) {
      buffer[this.#filled++] = 0xa0 | length;
    } else {
      const width = length < 0x100 ? 1 : length < 0x10000 ? 2 : 4;
      buffer[this.#filled++] = width === 1 ? 0xd9 : width === 2 ? 0xda : 0xdb;
      buffer.writeUIntBE(length, this.#filled, width);
      this.#filled += width;
    }
    const start = this.#filled;
    if (typeof text === 'string') buffer.write(text, start, length);
    else buffer.set(text, start);
    this.#filled += length;
    return buffer.subarray(start, this.#filled);
  }

  /** What is there already stays where it is. */
  #makeRoom(bytes: number): void {
    if (this.#filled + bytes <= this.#buffer.length) return;
    this.#before += this.#filled;
    this.#filled = 0;
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(this.#room, bytes));
  }
}

/** Bytes of a last text. */
const LAST_AT_MOST = 64;
