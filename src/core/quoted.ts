/** Texts beside their JSON form, joined piece by piece: what is the same in every item is escaped once. */

/** A string and what `JSON.stringify` makes of it. */
export interface QuotedText {
  readonly text: string;
  readonly json: string;
}

/** A piece of a text that is quoted by itself. */
export interface QuotedPiece {
  readonly text: string;
  /** The inside of its JSON form, without the marks at its ends. */
  readonly inside: string;
  /**
   * True where a half of a surrogate pair stands at an end: alone it is escaped, beside its other half it is not, so the
   * whole must be quoted at once.
   */
  readonly torn: boolean;
}

export function quotePiece(text: string): QuotedPiece {
  return { text, inside: JSON.stringify(text).slice(1, -1), torn: isTorn(text) };
}

/** The pieces as one string. */
export function joinQuoted(pieces: readonly QuotedPiece[]): QuotedText {
  let text = '';
  let json = '"';
  let torn = false;
  for (const piece of pieces) {
    text += piece.text;
    json += piece.inside;
    torn ||= piece.torn;
  }
  return { text, json: torn ? JSON.stringify(text) : `${json}"` };
}

function isTorn(text: string): boolean {
  if (text === '') return false;
  return (text.charCodeAt(0) & HALF) === LATTER || (text.charCodeAt(text.length - 1) & HALF) === FORMER;
}

/** Which half of a surrogate pair a UTF-16 unit is, by its six highest bits. */
const HALF = 0xfc00;
const FORMER = 0xd800;
const LATTER = 0xdc00;
