/** Reads the head of a GGUF file: its keys, and whether the file holds all of its tensors. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

type Value = number | string | boolean | readonly Value[];

export interface GgufHead {
  readonly keys: ReadonlyMap<string, Value>;
}

/** Bytes that are read at once. */
const CHUNK = 1 << 20;
/** Longer texts and lists than any model's: a length beyond them is no length. */
const LONGEST = 1 << 28;
const DEFAULT_ALIGNMENT = 32;

class NotGguf extends Error {}

/** Reads little-endian values in order, a chunk of the file at a time. */
class Reader {
  readonly #file: number;
  #buffer = Buffer.alloc(0);
  #start = 0;
  #at = 0;

  constructor(file: number) {
    this.#file = file;
  }

  get position(): number {
    return this.#start + this.#at;
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#buffer.length) {
      const position = this.position;
      const fresh = Buffer.alloc(Math.max(CHUNK, length));
      const read = readSync(this.#file, fresh, 0, fresh.length, position);
      if (read < length) throw new NotGguf('ends within its head: it was not downloaded whole');
      this.#buffer = fresh.subarray(0, read);
      this.#start = position;
      this.#at = 0;
    }
    this.#at += length;
    return this.#buffer.subarray(this.#at - length, this.#at);
  }

  u32 = (): number => this.#take(4).readUInt32LE();
  u64 = (): number => Number(this.#take(8).readBigUInt64LE());

  length(): number {
    const length = this.u64();
    if (length > LONGEST) throw new NotGguf('has a list of impossible length');
    return length;
  }

  text = (): string => this.#take(this.length()).toString('utf8');

  value(type: number): Value {
    switch (type) {
      case 0:
        return this.#take(1).readUInt8();
      case 1:
        return this.#take(1).readInt8();
      case 2:
        return this.#take(2).readUInt16LE();
      case 3:
        return this.#take(2).readInt16LE();
      case 4:
        return this.u32();
      case 5:
        return this.#take(4).readInt32LE();
      case 6:
        return this.#take(4).readFloatLE();
      case 7:
        return this.#take(1)[0] !== 0;
      case 8:
        return this.text();
      case 9: {
        const [item, count] = [this.u32(), this.length()];
        return Array.from({ length: count }, () => this.value(item));
      }
      case 10:
        return this.u64();
      case 11:
        return Number(this.#take(8).readBigInt64LE());
      case 12:
        return this.#take(8).readDoubleLE();
      default:
        throw new NotGguf(`has a value of the unknown type ${type}`);
    }
  }
}

export function readGgufHead(
  path: string,
): { readonly ok: true; readonly head: GgufHead } | { readonly ok: false; readonly reason: string } {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    return { ok: true, head: readHead(new Reader(file), fstatSync(file).size) };
  } catch (error) {
    if (error instanceof NotGguf) return { ok: false, reason: error.message };
    const code = (error as { readonly code?: unknown }).code;
    if (typeof code === 'string') return { ok: false, reason: `cannot be read (${code})` };
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function readHead(reader: Reader, size: number): GgufHead {
  if (size < 24 || reader.u32() !== 0x46554747) throw new NotGguf('is no GGUF file');
  const version = reader.u32();
  if (version < 2 || version > 3) throw new NotGguf(`is GGUF of version ${version}, which is not read`);
  const [tensors, count] = [reader.length(), reader.length()];
  const keys = new Map<string, Value>();
  for (let index = 0; index < count; index++) {
    const key = reader.text();
    keys.set(key, reader.value(reader.u32()));
  }
  let last = 0;
  for (let index = 0; index < tensors; index++) {
    reader.text();
    const dimensions = reader.u32();
    for (let dimension = 0; dimension < dimensions; dimension++) reader.u64();
    reader.u32();
    last = Math.max(last, reader.u64());
  }
  const alignment = Number(keys.get('general.alignment') ?? DEFAULT_ALIGNMENT);
  const data = Math.ceil(reader.position / alignment) * alignment;
  if (tensors > 0 && data + last >= size) throw new NotGguf('lacks some of its tensors: it was not downloaded whole');
  return { keys };
}
