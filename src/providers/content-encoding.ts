/** Reads a body that a server compressed, asked or not. */

import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';

/** The most bytes that a body may have, and may unfold to. */
export const LARGEST_BODY = 256 * 1024 * 1024;
const LIMITED = { maxOutputLength: LARGEST_BODY };

const DECODERS: Readonly<Record<string, (bytes: Buffer) => Promise<Buffer>>> = {
  gzip: (bytes) => promisify(gunzip)(bytes, LIMITED),
  'x-gzip': (bytes) => promisify(gunzip)(bytes, LIMITED),
  br: (bytes) => promisify(brotliDecompress)(bytes, LIMITED),
  // Some servers leave out the zlib wrapper that the standard asks for.
  deflate: (bytes) => promisify(inflate)(bytes, LIMITED).catch(() => promisify(inflateRaw)(bytes, LIMITED)),
};

/**
 * The text of a body.
 *
 * @param encodings the header `content-encoding`; a body that is gzip and does not say so is read too
 * @throws an Error that names the encoding, where the body cannot be read
 */
export async function readBody(body: Uint8Array, encodings: string | null): Promise<string> {
  let bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const applied = encodings === null ? [] : namesIn(encodings);
  if (applied.length === 0 && bytes[0] === 0x1f && bytes[1] === 0x8b) applied.push('gzip');
  for (const name of applied.reverse()) {
    const decode = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
    if (decode === undefined) throw new Error(`the body is ${name}, which was not asked for and cannot be read`);
    // A body that is plain after all, as some proxies leave it.
    if (bytes.length === 0) break;
    bytes = Buffer.from(
      await decode(bytes).catch(() => {
        throw new Error(`the body is said to be ${name}, and it is not`);
      }),
    );
  }
  return UTF8.decode(bytes);
}

const UTF8 = new TextDecoder();

function namesIn(encodings: string): string[] {
  const named = encodings
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  return named.filter((name) => name !== '' && name !== 'identity');
}
