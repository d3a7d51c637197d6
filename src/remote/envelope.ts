/** An object of a shared cache with its writer's signature: one line, then the signed bytes. */

import { isPublicKey, isSignedBy, type PublicKey, type SigningKey } from './signing.ts';

type EnvelopeType = 'index' | 'hold';

const VERSION = 1;
/** A first line has about 150 characters. */
const LONGEST_LINE = 300;

/** The type is signed too, so that no object passes for one of another type. */
const signedBytes = (type: EnvelopeType, version: number, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`cje-${type} ${version}\n`), content]);

export function seal(type: EnvelopeType, content: Uint8Array, key: SigningKey): Buffer {
  const signature = key.sign(signedBytes(type, VERSION, content)).toString('base64url');
  return Buffer.concat([Buffer.from(`cje-${type} ${VERSION} ${key.public} ${signature}\n`), content]);
}

type Opened =
  | { readonly ok: true; readonly writer: PublicKey; readonly content: Buffer }
  | { readonly ok: false; readonly reason: string };

/** @param trusted whether a writer is believed */
export function open(type: EnvelopeType, bytes: Buffer, trusted: (key: PublicKey) => boolean): Opened {
  const refused = (reason: string): Opened => ({ ok: false, reason });
  const end = bytes.subarray(0, LONGEST_LINE).indexOf(0x0a);
  const [name, version, writer = '', signature = ''] = bytes.toString('latin1', 0, Math.max(0, end)).split(' ');
  if (name !== `cje-${type}`) return refused('it is not signed');
  if (Number(version) > VERSION) return refused('it was made by a newer cje: update cje');
  if (version !== String(VERSION) || !isPublicKey(writer)) return refused('it is not signed');
  if (!trusted(writer)) return refused(`its writer is not trusted: ${writer}`);
  const content = bytes.subarray(end + 1);
  const given = Buffer.from(signature, 'base64url');
  // One signature has one text, so that no two objects are the same but for their spelling.
  if (given.toString('base64url') !== signature || !isSignedBy(writer, signedBytes(type, VERSION, content), given)) {
    return refused('its signature does not fit it');
  }
  return { ok: true, writer, content };
}
