/** Digests: 128 bits of xxHash64 under two seeds, in hex. They guard against accidents, not against forgers. */

import xxhash, { type XXHashAPI } from 'xxhash-wasm';

/** 32 hex digits. Branded, so that a text cannot pass for a digest. */
export type Digest = string & { readonly __digest: unique symbol };

const FIRST_SEED = 0n;
const SECOND_SEED = 0x9e3779b97f4a7c15n;

const hasher: XXHashAPI = await xxhash();

const hex = (high: bigint, low: bigint): Digest =>
  (high.toString(16).padStart(16, '0') + low.toString(16).padStart(16, '0')) as Digest;

export function digestBytes(bytes: Uint8Array): Digest {
  return hex(hasher.h64Raw(bytes, FIRST_SEED), hasher.h64Raw(bytes, SECOND_SEED));
}

/** The digest of a text's UTF-8 bytes. */
export function digestText(text: string): Digest {
  // Encoded once for both seeds; three bytes are the most that a UTF-16 unit takes.
  if (text.length * 3 > scratch.length) return digestBytes(encoder.encode(text));
  const { written } = encoder.encodeInto(text, scratch);
  return digestBytes(scratch.subarray(0, written));
}

const encoder = new TextEncoder();
const scratch = new Uint8Array(1 << 16);

/** A digest taken piece by piece. */
export interface DigestStream {
  update(bytes: Uint8Array): void;
  finish(): Digest;
}

export function digestStream(): DigestStream {
  const first = hasher.create64(FIRST_SEED);
  const second = hasher.create64(SECOND_SEED);
  return {
    update(bytes) {
      first.update(bytes);
      second.update(bytes);
    },
    finish: () => hex(first.digest(), second.digest()),
  };
}

export function isDigest(text: string): text is Digest {
  return /^[0-9a-f]{32}$/.test(text);
}
