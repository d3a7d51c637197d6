/**
 * How servers show a token whose bytes are no text by themselves. Tokens cut text where they like, through characters
 * too, and each server shows halves in a way of its own; but it has one way for all tokens, so each way is one reading
 * of the whole echo.
 */

/** The positions that a token may end at if it begins at `position`; none where it cannot begin there. */
type Ends = (text: Uint8Array, position: number, index: number) => readonly number[];

export interface Display {
  readonly name: 'replaced' | 'deferred' | 'hidden' | 'spelled' | 'pieces' | 'bytes';
  readonly ends: Ends;
  /** True where an empty token shows nothing yet: its bytes are shown with the token that completes the character. */
  readonly defers: boolean;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

const REPLACEMENT = '\ufffd';
const CONTINUATION = 0x80;

/**
 * All ways in which the tokens could have been shown; those that cannot apply to any of them are left out. The first is
 * mostly all that is asked for, so the others are worked out only when they are.
 */
export function* displaysOf(
  tokens: readonly string[],
  bytes: readonly (readonly number[] | null)[] | undefined,
): Generator<Display, void> {
  if (bytes?.every((each) => each !== null)) {
    const told = bytes.map((each) => Uint8Array.from(each ?? []));
    yield { name: 'bytes', defers: false, ends: (text, position, index) => exactly(text, position, told[index]!) };
    return;
  }
  const plain = tokens.map((token) => encoder.encode(token));
  const whole = (text: Uint8Array, position: number, index: number) => exactly(text, position, plain[index]!);
  const anyEmpty = tokens.includes('');
  if (!anyEmpty) {
    yield {
      name: 'replaced',
      defers: false,
      ends: (text, position, index) =>
        tokens[index]!.includes(REPLACEMENT) ? replaced(text, position, tokens[index]!) : whole(text, position, index),
    };
    const spelled = tokens.map(spellings);
    if (spelled.some((ways) => ways.length > 1)) {
      yield {
        name: 'spelled',
        defers: false,
        ends: (text, position, index) => [...new Set(spelled[index]!.flatMap((way) => exactly(text, position, way)))],
      };
    }
    const pieces = tokens.map(bytesOfPiece);
    if (pieces.some((ways, index) => ways.some((piece) => piece.length !== plain[index]!.length))) {
      yield {
        name: 'pieces',
        defers: false,
        ends: (text, position, index) => [
          ...new Set(pieces[index]!.flatMap((piece) => exactly(text, position, piece))),
        ],
      };
    }
  } else {
    yield {
      name: 'deferred',
      defers: true,
      ends: (text, position, index) => {
        if (tokens[index] !== '') {
          // A character whose last bytes complete it is shown whole; what was deferred has one, or nothing was deferred.
          const completes = index > 0 && tokens[index - 1] === '';
          return completes && !literalBefore(text, position) && !/[^\0-\x7f]/.test(tokens[index]!)
            ? []
            : whole(text, position, index);
        }
        return [position, ...behindReplacements(text, position)];
      },
    };
  }
  yield { name: 'hidden', defers: false, ends: (text, at, index) => hidden(text, at, plain[index]!) };
}

const REPLACEMENT_BYTES = encoder.encode(REPLACEMENT);
const literalBefore = (text: Uint8Array, position: number): boolean =>
  position >= 3 && holds(text, position - 3, REPLACEMENT_BYTES);

/** Bytes that one token can have, and more. */
const LONGEST_TOKEN = 64;

/**
 * A server that takes every U+FFFD for a half character never shows one that the text really holds, nor what stands
 * before it in its token.
 */
function behindReplacements(text: Uint8Array, position: number): number[] {
  const found: number[] = [];
  for (let at = position; at < Math.min(text.length, position + LONGEST_TOKEN); at++) {
    if (holds(text, at, REPLACEMENT_BYTES)) found.push(at + 3);
  }
  return found;
}

function holds(text: Uint8Array, position: number, bytes: Uint8Array): boolean {
  if (position + bytes.length > text.length) return false;
  for (let index = 0; index < bytes.length; index++) if (text[position + index] !== bytes[index]) return false;
  return true;
}

const exactly = (text: Uint8Array, position: number, bytes: Uint8Array): readonly number[] =>
  bytes.length > 0 && holds(text, position, bytes) ? [position + bytes.length] : [];

/** U+FFFD stands for bytes that are no character: one for each longest beginning of one, or one for each byte. */
function replaced(text: Uint8Array, position: number, token: string): number[] {
  const count = token.split(REPLACEMENT).length - 1;
  const shown = encoder.encode(token).length;
  const least = position + shown - 2 * count;
  const found: number[] = [];
  for (let end = Math.max(position + 1, least); end <= Math.min(text.length, position + shown); end++) {
    const bytes = text.subarray(position, end);
    if (decoder.decode(bytes) === token || eachByteReplaced(bytes) === token) found.push(end);
  }
  return found;
}

function eachByteReplaced(bytes: Uint8Array): string {
  let shown = '';
  for (let at = 0; at < bytes.length; ) {
    const length = lengthOfCharacter(bytes[at]!);
    const character = decoder.decode(bytes.subarray(at, at + length));
    const isWhole = holds(bytes, at, encoder.encode(character));
    shown += isWhole ? character : REPLACEMENT;
    at += isWhole ? length : 1;
  }
  return shown;
}

const lengthOfCharacter = (first: number): number => (first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4);

/** Half characters are left out: each token shows its whole ones, and may have halves before and behind them. */
function hidden(text: Uint8Array, position: number, shown: Uint8Array): number[] {
  const found: number[] = [];
  let start = position;
  if ((text[position] ?? 0) >> 6 === 2) {
    while (start < text.length && (text[start] ?? 0) >> 6 === 2) {
      start++;
      if (shown.length === 0) found.push(start);
    }
  }
  if (!holds(text, start, shown)) return found;
  const end = start + shown.length;
  if (end > position && shown.length > 0) found.push(end);
  const first = text[end] ?? 0;
  if (first >= CONTINUATION) {
    for (let half = 1; half < lengthOfCharacter(first); half++) found.push(end + half);
  }
  return found;
}

const BYTES_TOKEN = /^bytes:(?:\\x[0-9a-fA-F]{2})+$/;
const ESCAPES = /\\x([0-9a-fA-F]{2})/g;
const BYTE_TOKEN = /^<0x([0-9a-fA-F]{2})>$/;
const BYTE_TOKENS = /<0x([0-9a-fA-F]{2})>/g;

/** The bytes that a token may spell out: as text, as `bytes:\xe2`, as escapes within text, as `<0xE2>`, as Latin-1. */
function spellings(token: string): Uint8Array[] {
  const ways = [encoder.encode(token)];
  if (BYTES_TOKEN.test(token)) {
    ways.push(Uint8Array.from(token.matchAll(ESCAPES), ([, digits]) => Number.parseInt(digits!, 16)));
  }
  const single = BYTE_TOKEN.exec(token);
  if (single !== null) ways.push(Uint8Array.of(Number.parseInt(single[1]!, 16)));
  if (/\\x[0-9a-fA-F]{2}/.test(token)) {
    const parts = token.split(/(\\x[0-9a-fA-F]{2})/).filter((part) => part !== '');
    ways.push(
      Uint8Array.from(
        parts.flatMap((part) =>
          /^\\x[0-9a-fA-F]{2}$/.test(part) ? [Number.parseInt(part.slice(2), 16)] : [...encoder.encode(part)],
        ),
      ),
    );
  }
  if (/[\x80-\xff]/.test(token) && !/[^\0-\xff]/.test(token)) {
    ways.push(Uint8Array.from(token, (letter) => letter.charCodeAt(0)));
  }
  return ways;
}

/** The printable letters that byte-level tokenizers keep bytes under, such as `Ġ` for a space. */
const BYTE_OF_LETTER: ReadonlyMap<string, number> = (() => {
  const letters = new Map<string, number>();
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const own = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    letters.set(String.fromCodePoint(own ? byte : next), byte);
    if (!own) next++;
  }
  return letters;
})();

/** A vocabulary's own spelling of a token, undecoded: with `▁` for a space, or with a letter for each byte. */
function bytesOfPiece(token: string): Uint8Array[] {
  const bytes = [...token.matchAll(BYTE_TOKENS)].map(([, digits]) => Number.parseInt(digits!, 16));
  const spelled = bytes.length * 6 === token.length && bytes.length > 0 ? [Uint8Array.from(bytes)] : [];
  if (token.includes('\u2581') || spelled.length > 0) {
    return [encoder.encode(token.replaceAll('\u2581', ' ')), ...spelled];
  }
  return [
    Uint8Array.from(
      [...token].flatMap((letter) => {
        const byte = BYTE_OF_LETTER.get(letter);
        return byte === undefined ? [...encoder.encode(letter)] : [byte];
      }),
    ),
  ];
}
