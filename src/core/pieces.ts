/** Texts made of pieces, so that what is the same in every item is escaped and encoded once. */

import { type Digest, digestBytes } from './digest.ts';

/** A piece that comes again and again, with its UTF-8 bytes. */
export interface SharedPiece {
  readonly text: string;
  readonly utf8: Uint8Array;
}

/** A text in pieces. No piece begins or ends within a surrogate pair. */
export type Pieces = readonly (string | SharedPiece)[];

const encoder = new TextEncoder();

export const run = (text: string): SharedPiece => ({ text, utf8: encoder.encode(text) });

export function joinPieces(pieces: Pieces): string {
  let text = '';
  for (const piece of pieces) text += typeof piece === 'string' ? piece : piece.text;
  return text;
}

/** The digest of the UTF-8 bytes of the whole, and how many they are. */
export function measurePieces(pieces: Pieces): { readonly digest: Digest; readonly bytes: number } {
  const bytes = encoded(pieces);
  return { digest: digestBytes(bytes), bytes: bytes.length };
}

/** The digest of bytes that lie in several places. */
export function digestParts(parts: readonly Uint8Array[]): Digest {
  let filled = 0;
  for (const part of parts) {
    if (filled + part.length > scratch.length) grow(filled, filled + part.length);
    scratch.set(part, filled);
    filled += part.length;
  }
  return digestBytes(scratch.subarray(0, filled));
}

/** Whether the whole has these UTF-8 bytes. */
export function piecesAre(pieces: Pieces, utf8: Uint8Array): boolean {
  return Buffer.compare(encoded(pieces), utf8) === 0;
}

/** The UTF-8 bytes of the whole, valid until the next are asked for. */
function encoded(pieces: Pieces): Uint8Array {
  let filled = 0;
  for (const piece of pieces) {
    // Three bytes are the most that a UTF-16 unit takes.
    const room = typeof piece === 'string' ? piece.length * 3 : piece.utf8.length;
    if (filled + room > scratch.length) grow(filled, filled + room);
    if (typeof piece === 'string') {
      filled += encoder.encodeInto(piece, filled === 0 ? scratch : scratch.subarray(filled)).written;
    } else {
      scratch.set(piece.utf8, filled);
      filled += room;
    }
  }
  return scratch.subarray(0, filled);
}

let scratch = new Uint8Array(1 << 16);

function grow(filled: number, needed: number): void {
  const larger = new Uint8Array(2 * needed);
  larger.set(scratch.subarray(0, filled));
  scratch = larger;
}

/** A string, and what `JSON.stringify` makes of it. */
export interface QuotedText {
  readonly text: string;
  readonly json: Pieces;
}

/** A part of a text that is quoted by itself. */
export interface QuotedPart {
  readonly text: string;
  /** Its JSON form without the marks at the ends. */
  readonly inside: string | SharedPiece;
  /**
   * True where half a surrogate pair stands at an end: alone it is escaped, beside its other half it is not, so the whole
   * has to be quoted at once.
   */
  readonly torn: boolean;
}

export function quotePart(text: string): QuotedPart {
  return { text, inside: JSON.stringify(text).slice(1, -1), torn: isTorn(text) };
}

/** The same for a part that comes again and again. */
export function quoteRun(text: string): QuotedPart {
  const part = quotePart(text);
  return { ...part, inside: run(part.inside as string) };
}

export const quote = (text: string): QuotedText => ({ text, json: [JSON.stringify(text)] });

/** The parts as one string. */
export function joinQuoted(parts: readonly QuotedPart[]): QuotedText {
  let text = '';
  let torn = false;
  const json: (string | SharedPiece)[] = [MARK];
  for (const part of parts) {
    text += part.text;
    torn ||= part.torn;
    json.push(part.inside);
  }
  if (torn) return quote(text);
  json.push(MARK);
  return { text, json };
}

const MARK = run('"');

function isTorn(text: string): boolean {
  if (text === '') return false;
  return (text.charCodeAt(0) & HALF) === LATTER || (text.charCodeAt(text.length - 1) & HALF) === FORMER;
}

/** Which half of a surrogate pair a UTF-16 unit is, by its six highest bits. */
const HALF = 0xfc00;
const FORMER = 0xd800;
const LATTER = 0xdc00;
