/** The part of tar (POSIX ustar) that a pack needs: plain files with short names, without owner or time. */

export const BLOCK = 512;

const FIELD = { name: 0, mode: 100, owner: 108, group: 116, size: 124, time: 136, check: 148, type: 156, magic: 257 };
const LONGEST_NAME = 100;

/** The header of a file of so many bytes. */
export function tarHeader(name: string, size: number): Buffer {
  if (Buffer.byteLength(name) > LONGEST_NAME) throw new Error(`Internal error: ${name} is too long for a pack`);
  const header = Buffer.alloc(BLOCK);
  header.write(name, FIELD.name);
  header.write(`${octal(0o644, 7)}\0`, FIELD.mode);
  header.write(`${octal(0, 7)}\0`, FIELD.owner);
  header.write(`${octal(0, 7)}\0`, FIELD.group);
  header.write(`${octal(size, 11)}\0`, FIELD.size);
  header.write(`${octal(0, 11)}\0`, FIELD.time);
  header.write('0', FIELD.type);
  header.write('ustar\x0000', FIELD.magic, 'latin1');
  header.write(checkField(header), FIELD.check);
  return header;
}

type TarHeader =
  | { readonly type: 'file'; readonly name: string; readonly size: number }
  /** A block of zeros: two of them end the archive. */
  | { readonly type: 'end' }
  | { readonly type: 'damaged' };

export function readTarHeader(block: Buffer): TarHeader {
  if (block.every((byte) => byte === 0)) return { type: 'end' };
  const text = (from: number, length: number) => {
    const end = block.indexOf(0, from);
    return block.toString('utf8', from, end === -1 || end > from + length ? from + length : end);
  };
  // To the byte: the sum covers all of the header but the field that holds it.
  if (block.toString('latin1', FIELD.check, FIELD.check + 8) !== checkField(block)) return { type: 'damaged' };
  const size = text(FIELD.size, 12);
  if (!/^[0-7]{11}$/.test(size) || block[FIELD.type] !== 0x30) return { type: 'damaged' };
  return { type: 'file', name: text(FIELD.name, LONGEST_NAME), size: Number.parseInt(size, 8) };
}

/** Zeros that fill the last block of a file. */
export const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');

const checkField = (header: Buffer): string => `${octal(checksum(header), 6)}\0 `;

/** The sum of the header's bytes, its own field taken as blanks. */
function checksum(header: Buffer): number {
  let sum = 0;
  for (const [index, byte] of header.entries()) {
    sum += index >= FIELD.check && index < FIELD.check + 8 ? 0x20 : byte;
  }
  return sum;
}
