/** Reads the one shape of MessagePack that the store writes, a short list of texts, without its library. */

/** The texts; undefined for anything else. */
export function readTuple(bytes: Buffer): string[] | undefined {
  return tupleParts(bytes)?.map(({ start, end }) => bytes.toString('utf8', start, end));
}

/** Where the UTF-8 bytes of each text lie; undefined for anything else. */
export function tupleParts(bytes: Buffer): { readonly start: number; readonly end: number }[] | undefined {
  const head = bytes[0];
  if (head === undefined || (head & 0xf0) !== 0x90) return undefined;
  const parts: { readonly start: number; readonly end: number }[] = [];
  let at = 1;
  for (let left = head & 0x0f; left > 0; left--) {
    const kind = bytes[at++];
    if (kind === undefined) return undefined;
    let length: number;
    if ((kind & 0xe0) === 0xa0) {
      length = kind & 0x1f;
    } else {
      const width = kind === 0xd9 ? 1 : kind === 0xda ? 2 : kind === 0xdb ? 4 : 0;
      if (width === 0 || at + width > bytes.length) return undefined;
      length = bytes.readUIntBE(at, width);
      at += width;
    }
    if (at + length > bytes.length) return undefined;
    parts.push({ start: at, end: at + length });
    at += length;
  }
  return at === bytes.length ? parts : undefined;
}
