/** Ed25519 keys: who wrote an object of a shared cache, and whose objects are believed. */

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { sha256 } from '../store/pack/inspect.ts';

/** `ed25519:` and 43 characters of base64url: the public half, as people list it. */
export type PublicKey = string & { readonly __publicKey: unique symbol };

export interface SigningKey {
  readonly public: PublicKey;
  sign(bytes: Uint8Array): Buffer;
}

const PUBLIC_KEY = /^ed25519:([A-Za-z0-9_-]{43})$/;

export const isPublicKey = (text: string): text is PublicKey => PUBLIC_KEY.test(text);

/** A new key; the text is what its file holds. */
export function newSigningKey(): { readonly text: string; readonly key: SigningKey } {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { text: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), key: signingKey(privateKey) };
}

/** The key in a text of PEM; undefined where it holds no private key of Ed25519. */
export function readSigningKey(text: string): SigningKey | undefined {
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    return undefined;
  }
  return key.asymmetricKeyType === 'ed25519' ? signingKey(key) : undefined;
}

function signingKey(key: KeyObject): SigningKey {
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  return { public: `ed25519:${x}` as PublicKey, sign: (bytes) => sign(null, bytes, key) };
}

export function isSignedBy(key: PublicKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  const x = PUBLIC_KEY.exec(key)?.[1] ?? '';
  return verify(null, bytes, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }), signature);
}

/** 16 hex digits that stand for a key in the names of objects. */
export const keyId = (key: PublicKey): string => sha256(Buffer.from(key)).slice(0, 16);
