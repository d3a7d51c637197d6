/**
 * Which echoed tokens spell the response. Every way in which the tokens can be shown and every number that can have been
 * generated after the text is a reading; the one that is true is among them, so there is an answer only where all that
 * fit the bytes agree.
 */

import { type Display, displaysOf } from './displays.ts';
import type { Alignment, AlignOptions, Echo, NotAligned } from './echo.ts';
import { type Guess, guessesOf } from './generated.ts';
import { positionsReached, type Reading, readingTo, type Text } from './reading.ts';

/** The tokens [from, to) that are the response's, or why they cannot be told. */
export function alignTokens(
  echo: Echo,
  promptText: string,
  responseText: string,
  { bosToken, extraTokens, counts = {} }: AlignOptions,
): Alignment {
  const start = findStart(echo, promptText, bosToken);
  if (start.twice) return { status: 'bos', detail: `two ${bosToken}` };
  const guesses = guessesOf(echo, counts, { shown: start.shown, hasBos: bosToken !== null, asked: extraTokens });
  const prompt = promptText.slice(start.textFrom);
  const tokens = echo.tokens.slice(start.tokenFrom);
  const bytes = echo.tokenBytes?.slice(start.tokenFrom);
  const asGiven = alignAll(tokens, bytes, textOf(prompt, responseText), guesses, extraTokens);
  const found = asGiven ?? alignComposed(tokens, bytes, [prompt, responseText], guesses, extraTokens);
  if (found === undefined) return misfit(tokens, prompt, responseText, extraTokens);
  if (found.status !== 'ok') return found;
  const missing = bosTrouble(start, found.guess, echo, bosToken);
  if (missing !== undefined) return missing;
  return { status: 'ok', from: found.from + start.tokenFrom, to: found.to + start.tokenFrom };
}

interface Start {
  readonly shown: boolean;
  readonly twice: boolean;
  readonly tokenFrom: number;
  readonly textFrom: number;
}

/** Passes the beginning-of-text token, whoever wrote it. */
function findStart({ tokens, tokenLogprobs }: Echo, promptText: string, bosToken: string | null): Start {
  if (bosToken === null) return { shown: false, twice: false, tokenFrom: 0, textFrom: 0 };
  const textFrom = promptText.startsWith(bosToken) ? bosToken.length : 0;
  if (tokens[0] === bosToken) return { shown: true, twice: tokens[1] === bosToken, tokenFrom: 1, textFrom };
  // A server that hides control tokens shows an empty one.
  if (tokens[0] === '')
    return {
      shown: true,
      twice: tokens[1] === '' && tokenLogprobs[1] !== null && isDoubled(tokens, promptText),
      tokenFrom: 1,
      textFrom,
    };
  return { shown: false, twice: false, tokenFrom: 0, textFrom };
}

/** Two empty tokens before a text that opens with a letter of one byte: the second is no half character. */
const isDoubled = (tokens: readonly string[], promptText: string): boolean =>
  tokens[1] === '' && tokens[2] !== '' && tokens[2] !== undefined && promptText.startsWith(tokens[2]);

/** A list without the token is no sign that the text was without it, unless the reply counts it. */
function bosTrouble({ shown }: Start, { start }: Guess, echo: Echo, bosToken: string | null): NotAligned | undefined {
  if (bosToken === null || shown || start === 'unshown') return undefined;
  if (start === 'counted') return { status: 'bos', detail: `no ${bosToken}` };
  if (echo.tokenLogprobs[0] !== null) return undefined;
  return { status: 'bos', detail: `no ${bosToken} is shown, and the reply does not count the tokens that it read` };
}

const encoder = new TextEncoder();

function textOf(prompt: string, response: string): Text {
  return { bytes: encoder.encode(prompt + response), boundary: encoder.encode(prompt).length };
}

type Found = { readonly status: 'ok'; readonly from: number; readonly to: number; readonly guess: Guess } | NotAligned;

/** Some tokenizers compose characters before they read them (NFC); the boundary must survive that. */
function alignComposed(
  tokens: readonly string[],
  bytes: Echo['tokenBytes'],
  [prompt, response]: readonly [string, string],
  guesses: readonly Guess[],
  asked: number,
): Found | undefined {
  const [head, tail] = [prompt.normalize('NFC'), response.normalize('NFC')];
  if ((head === prompt && tail === response) || (prompt + response).normalize('NFC') !== head + tail) return undefined;
  return alignAll(tokens, bytes, textOf(head, tail), guesses, asked);
}

/** What all readings agree on; undefined where none fits. */
function alignAll(
  tokens: readonly string[],
  bytes: Echo['tokenBytes'],
  text: Text,
  guesses: readonly Guess[],
  asked: number,
): Found | undefined {
  const fits: { readonly guess: Guess; readonly reading: Reading; readonly display: Display }[] = [];
  let leftOver: number | undefined;
  const isVeiled = tokens.some((token) => token === '' || token.includes('\ufffd'));
  for (const display of displaysOf(tokens, bytes)) {
    const reached = positionsReached(text, tokens.length, display);
    for (const guess of guesses) {
      const reading = readingTo(tokens.length - guess.generated, text, reached, display);
      if (reading.type !== 'unfit') fits.push({ guess, reading, display });
    }
    // Where nothing is veiled and the tokens spell the text as they stand, no other way of showing them can.
    if (fits.length > 0 && !isVeiled && display.name === 'replaced') break;
    const end = reached.findLastIndex((positions) => positions.includes(text.bytes.length));
    if (end !== -1) leftOver = Math.min(leftOver ?? Number.POSITIVE_INFINITY, tokens.length - end);
  }
  const [first, ...others] = fits;
  if (first === undefined) {
    return leftOver === undefined ? undefined : { status: 'shape', detail: `${leftOver} tokens after the text` };
  }
  const hides = fits.some(({ display }) => display.name === 'hidden');
  const numbers = new Set(fits.map(({ guess }) => guess.generated));
  if (numbers.size > 1) {
    const told = [...numbers].join(' or ');
    return hides
      ? { status: 'hidden_characters', detail: `tokens of split characters are hidden, and ${told} were generated` }
      : { status: 'ambiguous_end', detail: `${told} of the tokens were generated: the reply does not say` };
  }
  const { generated, exact } = first.guess;
  // Nothing but the text says that it was generated, and none was asked for.
  if (!exact && generated > asked) return { status: 'shape', detail: `${generated} tokens after the text` };
  const starts = fits.map(({ reading }) => reading);
  const across = starts.find((reading) => reading.type === 'across');
  if (starts.every((reading) => reading.type === 'across') && across !== undefined) {
    return spans(tokens[across.token] ?? '');
  }
  const from = first.reading.type === 'fits' ? first.reading.from : -1;
  if (!starts.every((reading) => reading.type === 'fits' && reading.from === from)) {
    const status = hides ? 'hidden_characters' : 'boundary_span';
    return { status, detail: 'the tokens allow more than one boundary' };
  }
  const counted = [first, ...others].find(({ guess }) => guess.start !== 'unknown')?.guess ?? first.guess;
  return { status: 'ok', from, to: tokens.length - generated, guess: counted };
}

const spans = (token: string): NotAligned => ({
  status: 'boundary_span',
  detail: `the token ${JSON.stringify(token)} reaches across the boundary`,
});

/** Tells a text that was cut at one end from a text that is another. */
function misfit(tokens: readonly string[], prompt: string, response: string, asked: number): NotAligned {
  const text = prompt + response;
  for (const dropped of new Set([0, asked])) {
    const kept = tokens.slice(0, tokens.length - dropped);
    const spelled = kept.join('');
    if (spelled === text && kept.includes('')) {
      return { status: 'boundary_span', detail: 'an empty token stands for no part of the text' };
    }
    if (spelled === '' || spelled.length >= text.length) continue;
    const missing = text.length - spelled.length;
    if (text.endsWith(spelled)) {
      return { status: 'echo_cut', detail: `the first ${missing} characters are missing` };
    }
    if (text.startsWith(spelled)) return { status: 'echo_cut', detail: `the last ${missing} characters are missing` };
  }
  let position = 0;
  const index = tokens.findIndex((token) => {
    const fits = text.startsWith(token, position);
    position += token.length;
    return !fits;
  });
  const at = index === -1 ? tokens.length : index;
  return { status: 'text_mismatch', detail: `token ${at} ${JSON.stringify(tokens[at] ?? '')} does not fit the text` };
}

const CONTROL = /^(?:<[|｜].*[|｜]>|<\/?[a-z_]+>|<[a-z_]+\|>|<\|[a-z_]+>|\[\/?[A-Z_]+\])$/;

/** Whether a token is of the shape of control tokens, which servers leave out of texts. */
export const isControlToken = (token: string): boolean => CONTROL.test(token);

/**
 * How many of a reply's own tokens spell its text: all of them, or all but the one that ended it. Null where neither
 * does, or where nothing tells which.
 */
export function tokensSpelling(tokens: readonly string[], bytes: Echo['tokenBytes'], text: string): number | null {
  const guesses = [0, 1].map((generated): Guess => ({ generated, start: 'counted', exact: true }));
  const found = alignAll(tokens, bytes, textOf('', text), guesses, 1);
  if (found?.status === 'ok') return found.to;
  // Control tokens within an answer are left out of its text, so that its tokens spell more than the text.
  if (CONTROL.test(tokens.at(-1) ?? '')) return tokens.length - 1;
  if (tokens.some((token) => CONTROL.test(token)) && spellOut(tokens, bytes, text)) return tokens.length;
  // Broken characters look one way alone and another way joined, so what is whole must tell.
  const plain = (shown: string) => shown.replace(/[^\0-\x7f]/g, '');
  const counts = [tokens.length, tokens.length - 1].filter(
    (count) => plain(tokens.slice(0, count).join('')) === plain(text),
  );
  return text.includes('\ufffd') && counts.length === 1 ? (counts[0] ?? null) : null;
}

/** Whether tokens are those of a text, but for control tokens, which no text shows. */
export function spellOut(tokens: readonly string[], bytes: Echo['tokenBytes'], text: string): boolean {
  const kept = tokens.flatMap((token, index) => (CONTROL.test(token) && !text.includes(token) ? [] : [index]));
  const guess: Guess = { generated: 0, start: 'counted', exact: true };
  const of = <T>(list: readonly T[]) => kept.map((index) => list[index]!);
  return alignAll(of(tokens), bytes === undefined ? bytes : of(bytes), textOf('', text), [guess], 0)?.status === 'ok';
}

/** Of a text's characters, the least part that its tokens show, however the server shows parts of characters. */
const SHOWN = 0.95;
const CONTROLS = /<[|｜][^<>\n]*>|<\/?[a-z_]+\|?>|\[\/?[A-Z_]+\]/g;

/**
 * Whether tokens are of less than the text. Each character is shown by one token at the least, and an empty one stands for
 * another; white space is left out, since some servers show a token without the space that opens it.
 */
export function lacksText(tokens: readonly string[], text: string): boolean {
  const lengthOf = (shown: string) => [...shown.normalize('NFC').replace(CONTROLS, '').replace(/\s/g, '')].length;
  const shown = tokens.filter((token) => !CONTROL.test(token));
  const length = shown.reduce((sum, token) => sum + (token === '' ? 1 : lengthOf(token)), 0);
  return length < SHOWN * lengthOf(text);
}
