/**
 * Which echoed tokens spell the response. Tokens cut text where they like, through code points too, and a server shows
 * half a code point as U+FFFD, as nothing, or as `bytes:\xe2`; so the walk is over UTF-8 bytes, and keeps every reading
 * that the bytes allow.
 */

import type { AlignOptions, AlignStatus, Echo } from './echo.ts';

export type Alignment =
  | { readonly status: 'ok'; readonly from: number; readonly to: number }
  | { readonly status: AlignStatus; readonly detail: string };

/** The tokens [from, to) that are the response's, or why they cannot be told. */
export function alignTokens(
  echo: Echo,
  promptText: string,
  responseText: string,
  { bosToken, extraTokens }: AlignOptions,
): Alignment {
  const start = findStart(echo, promptText, bosToken);
  if (start.bos === 'twice') return { status: 'bos', detail: `two ${bosToken}` };
  const prompt = promptText.slice(start.textFrom);
  const tokens = echo.tokens.slice(start.tokenFrom);
  const found = tokens.some(isVeiled)
    ? alignBytes(tokens, prompt, responseText, extraTokens)
    : alignText(tokens, prompt, responseText, extraTokens);
  if (found.status !== 'ok') return found;
  if (start.bos === 'missing') return { status: 'bos', detail: `no ${bosToken}` };
  return { status: 'ok', from: found.from + start.tokenFrom, to: found.to + start.tokenFrom };
}

interface Start {
  readonly bos: 'once' | 'twice' | 'missing' | 'unseen';
  readonly tokenFrom: number;
  readonly textFrom: number;
}

/** Passes the beginning-of-text token, whoever wrote it, and counts it where the server shows it. */
function findStart({ tokens, tokenLogprobs }: Echo, promptText: string, bosToken: string | null): Start {
  if (bosToken === null) return { bos: 'unseen', tokenFrom: 0, textFrom: 0 };
  const textFrom = promptText.startsWith(bosToken) ? bosToken.length : 0;
  if (tokens[0] === bosToken) return { bos: tokens[1] === bosToken ? 'twice' : 'once', tokenFrom: 1, textFrom };
  // A server that hides control tokens shows an empty one, or begins with a token that already has a log probability.
  if (tokens[0] === '') return { bos: 'unseen', tokenFrom: 1, textFrom };
  return { bos: tokenLogprobs[0] === null ? 'missing' : 'unseen', tokenFrom: 0, textFrom };
}

const BYTES_TOKEN = /^bytes:(?:\\x[0-9a-fA-F]{2})+$/;

/** True for a token whose text need not be its bytes. */
function isVeiled(token: string): boolean {
  return token === '' || token.includes('\ufffd') || (token.startsWith('bytes:') && BYTES_TOKEN.test(token));
}

/** The plain case: tokens that spell the text one after another. */
function alignText(tokens: readonly string[], prompt: string, response: string, extraTokens: number): Alignment {
  const text = prompt + response;
  let position = 0;
  let index = 0;
  let from = -1;
  let across = -1;
  for (; index < tokens.length && position < text.length; index++) {
    const token = tokens[index]!;
    if (!text.startsWith(token, position)) return misfit(tokens, text, extraTokens, index);
    if (position === prompt.length) from = index;
    position += token.length;
    if (position > prompt.length && from === -1 && across === -1) across = index;
  }
  if (position < text.length) return misfit(tokens, text, extraTokens, index);
  if (tokens.length - index > extraTokens) return leftOver(tokens.length - index);
  if (from === -1) return spans(tokens[across] ?? '');
  return { status: 'ok', from, to: index };
}

const leftOver = (count: number): Alignment => ({ status: 'shape', detail: `${count} tokens after the text` });
const spans = (token: string): Alignment => ({
  status: 'boundary_span',
  detail: `the token ${JSON.stringify(token)} reaches across the boundary`,
});

/** Tells a text that was cut at one end from a text that is another. */
function misfit(tokens: readonly string[], text: string, extraTokens: number, index: number): Alignment {
  for (const dropped of new Set([0, extraTokens])) {
    const spelled = tokens.slice(0, tokens.length - dropped).join('');
    if (spelled === '' || spelled.length >= text.length) continue;
    if (text.endsWith(spelled)) {
      return { status: 'truncated', detail: `the first ${text.length - spelled.length} characters are missing` };
    }
    if (text.startsWith(spelled)) {
      return { status: 'truncated', detail: `the last ${text.length - spelled.length} characters are missing` };
    }
  }
  return {
    status: 'text_mismatch',
    detail: `token ${index} ${JSON.stringify(tokens[index] ?? '')} does not fit the text`,
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The general case: after each token a set of byte positions that it may have reached. Only readings that come to the
 * end of the text count, and all of them must agree on the boundary.
 */
function alignBytes(tokens: readonly string[], prompt: string, response: string, extraTokens: number): Alignment {
  const text = encoder.encode(prompt + response);
  const boundary = encoder.encode(prompt).length;
  const reached: number[][] = [[0]];
  for (const token of tokens) {
    const next = advance(text, reached.at(-1)!, token);
    if (next.length === 0) break;
    reached.push(next);
  }
  const to = endOf(reached, text.length, tokens.length, extraTokens);
  if (to === undefined) {
    return reached.some((positions) => positions.includes(text.length))
      ? leftOver(tokens.length - reached.findLastIndex((positions) => positions.includes(text.length)))
      : misfit(tokens, prompt + response, extraTokens, reached.length - 1);
  }

  const agreed: number[][] = new Array(to + 1);
  agreed[to] = [text.length];
  for (let index = to - 1; index >= 0; index--) {
    const onward = agreed[index + 1]!;
    agreed[index] = reached[index]!.filter((position) =>
      advance(text, [position], tokens[index]!).some((after) => onward.includes(after)),
    );
  }
  const candidates: number[] = [];
  for (let index = 0; index <= to; index++) if (agreed[index]!.includes(boundary)) candidates.push(index);
  const from = candidates[0];
  if (from === undefined) {
    const across = agreed.findIndex((positions) => positions.every((position) => position > boundary)) - 1;
    return spans(tokens[across] ?? '');
  }
  const ambiguous: Alignment = { status: 'boundary_span', detail: 'the tokens allow more than one boundary' };
  if (agreed[from]!.length > 1) return ambiguous;
  // Empty tokens at the boundary are the first bytes of the code point that follows, if it has several.
  const last = candidates.at(-1)!;
  const silent = tokens.slice(from, last).every((token) => token === '');
  const opensWithSeveralBytes = (text[boundary] ?? 0) >= 0x80;
  if (last > from && !(silent && opensWithSeveralBytes && agreed[last]!.length === 1)) return ambiguous;
  return { status: 'ok', from, to };
}

/** After how many tokens the text is spelled, with no more than `extraTokens` to come; the fewest such. */
function endOf(reached: readonly number[][], end: number, tokens: number, extraTokens: number): number | undefined {
  for (let index = Math.max(0, tokens - extraTokens); index < reached.length; index++) {
    if (reached[index]!.includes(end)) return index;
  }
  return undefined;
}

/** All positions that a token may reach from any of `positions`. */
function advance(text: Uint8Array, positions: readonly number[], token: string): number[] {
  if (token === '') return [...positions];
  const after = new Set<number>();
  if (BYTES_TOKEN.test(token)) {
    const bytes = Uint8Array.from(token.matchAll(/\\x(..)/g), ([, digits]) => Number.parseInt(digits!, 16));
    for (const position of positions) if (holds(text, position, bytes)) after.add(position + bytes.length);
    if (after.size > 0) return [...after];
  }
  const whole = encoder.encode(token);
  for (const position of positions) if (holds(text, position, whole)) after.add(position + whole.length);
  if (token.includes('\ufffd')) {
    let current: readonly number[] = positions;
    for (const piece of token.split(/(\ufffd)/)) {
      current = piece === '\ufffd' ? fragments(text, current) : literal(text, current, encoder.encode(piece));
    }
    for (const position of current) after.add(position);
  }
  return [...after];
}

function literal(text: Uint8Array, positions: readonly number[], bytes: Uint8Array): number[] {
  return positions.filter((position) => holds(text, position, bytes)).map((position) => position + bytes.length);
}

/** One U+FFFD stands for one to three bytes that are no character by themselves. */
function fragments(text: Uint8Array, positions: readonly number[]): number[] {
  const after = new Set<number>();
  for (const position of positions) {
    for (let length = 1; length <= 3 && position + length <= text.length; length++) {
      const shown = decoder.decode(text.subarray(position, position + length));
      if (/^\ufffd+$/.test(shown)) after.add(position + length);
    }
  }
  return [...after];
}

function holds(text: Uint8Array, position: number, bytes: Uint8Array): boolean {
  if (position + bytes.length > text.length) return false;
  for (let index = 0; index < bytes.length; index++) if (text[position + index] !== bytes[index]) return false;
  return true;
}
