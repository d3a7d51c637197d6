/**
 * Ways of answering that no server is known for, and any could have: each changes what a good server said. What is asked is
 * the request's body, so that generation and forcing can differ.
 */

import { type Answer, encode, exactly, tokenizer } from './tokenizer-server.ts';

interface Lists {
  tokens: string[];
  token_logprobs: (number | null)[];
  top_logprobs?: (Record<string, number> | null)[] | null;
  text_offset?: number[];
  token_ids?: number[];
}
interface Choice {
  text: string;
  logprobs: Lists | null;
  token_ids?: number[];
  prompt_token_ids?: number[];
}
interface Asked {
  readonly prompt?: unknown;
  readonly echo?: unknown;
  readonly max_tokens?: unknown;
  readonly model?: unknown;
}

type Change = (lists: Lists, choice: Choice, asked: Asked) => void;

/** Where the answer begins in a list of echoed tokens: behind the last header and its newlines. */
const answerFrom = (tokens: readonly string[]): number => tokens.lastIndexOf('<|header_end|>') + 2;

const values =
  (of: (value: number, index: number, lists: Lists) => number | null): Change =>
  (lists) => {
    lists.token_logprobs = lists.token_logprobs.map((value, index) =>
      value === null ? null : of(value, index, lists),
    );
  };
const shown =
  (of: (token: string, index: number) => string): Change =>
  (lists) => {
    lists.tokens = lists.tokens.map(of);
  };

/** A number in [−1, 1) of a place. */
const wobble = (index: number): number => (((index + 1) * 2654435761) % 2 ** 32) / 2 ** 31 - 1;

/** Changes of an echo alone: what the server tells when it generates stays true. */
export const ODD: Readonly<Record<string, Change>> = {
  'shifted behind the first newline of an answer': ({ token_logprobs: list, tokens }) => {
    const from = answerFrom(tokens);
    const newline = tokens.findIndex((token, index) => index >= from && token.includes('\n'));
    if (newline !== -1) list.splice(newline, list.length - newline, ...list.slice(newline + 1), -1);
  },
  'the last token dropped': (lists) => {
    for (const list of Object.values(lists)) if (Array.isArray(list)) list.pop();
  },
  'the beginning merged into the next token': (lists) => {
    lists.tokens.splice(0, 2, lists.tokens[0]! + lists.tokens[1]!);
    lists.token_logprobs.splice(0, 1);
    lists.token_logprobs[0] = null;
    lists.token_ids?.splice(0, 1);
    lists.text_offset?.splice(0, 1);
  },
  'alternatives in place of values': (lists) => {
    lists.token_logprobs = lists.token_logprobs.map((value) => (value === null ? null : Math.min(-1e-3, value / 3)));
  },
  'no values beside alternatives': (lists) => {
    lists.top_logprobs = lists.tokens.map((token, index) => ({ [token]: lists.token_logprobs[index] ?? 0 }));
    lists.token_logprobs = lists.tokens.map(() => null);
  },
  log2: values((value) => value / Math.LN2),
  log10: values((value) => value / Math.LN10),
  probabilities: values((value) => Math.exp(value)),
  'negative probabilities': values((value) => -Math.exp(value)),
  'clamped at -1e4': values((value, index) => (index % 11 === 7 ? -1e4 : value)),
  'clamped at -100': values((value, index) => (index % 11 === 7 ? -100 : value)),
  'clamped at -20': values((value) => Math.max(value, -3)),
  'a null within': (lists) => {
    lists.token_logprobs[lists.token_logprobs.length - 3] = null;
  },
  'NaN as text': (lists) => {
    const list = lists.token_logprobs as unknown[];
    list[list.length - 2] = 'NaN';
  },
  'rounded to a tenth': values((value) => Math.round(value * 10) / 10),
  'rounded to whole numbers': values((value) => Math.round(value)),
  'rounded to a hundredth': values((value) => Math.round(value * 100) / 100),
  'scaled by 1.001': values((value) => 1.001 * value),
  'each token 1e-4 off': values((value) => value - 1e-4),
  'noise of 0.3 nats': values((value, index) => Math.min(-1e-6, value + 0.3 * wobble(index))),
  'noise of 0.1 nats': values((value, index) => Math.min(-1e-6, value + 0.1 * wobble(index))),
  'one token 0.4 off': values((value, index, { tokens }) => (index === tokens.length - 3 ? value - 0.4 : value)),
  'one token 0.1 off': values((value, index, { tokens }) => (index === tokens.length - 3 ? value - 0.1 : value)),
  'one token 0.005 off': values((value, index, { tokens }) => (index === tokens.length - 3 ? value - 0.005 : value)),
  'at a temperature of 1.3': values((value) => value / 1.3 - 0.1),
  'at a temperature of 0.97': values((value) => value / 0.97),
  cumulative: (lists) => {
    let sum = 0;
    lists.token_logprobs = lists.token_logprobs.map((value) => {
      if (value === null) return null;
      sum += value;
      return sum;
    });
  },
  'the mean of all': (lists) => {
    const told = lists.token_logprobs.filter((value) => value !== null);
    const mean = told.reduce((sum, value) => sum + value, 0) / told.length;
    lists.token_logprobs = lists.token_logprobs.map((value) => (value === null ? null : mean));
  },
  'in reverse': ({ token_logprobs: list }) => {
    list.splice(1, list.length - 1, ...list.slice(1).reverse());
  },
  'cached tokens skipped': ({ token_logprobs: list, tokens }) => {
    for (let index = 1; index < answerFrom(tokens) + 4 && index < list.length; index++) list[index] = null;
  },
  'cached tokens zero': ({ token_logprobs: list, tokens }) => {
    for (let index = 1; index < answerFrom(tokens) + 4 && index < list.length; index++) list[index] = 0;
  },
  'the prompt cut on the left': (lists) => {
    const cut = 6;
    for (const list of Object.values(lists)) if (Array.isArray(list)) list.splice(1, cut);
  },
  'Ġ pieces': shown((token) => (/^[\x20-\x7e]+$/.test(token) ? token.replaceAll(' ', 'Ġ') : token)),
  '▁ pieces': shown((token) => (/^[\x20-\x7e]+$/.test(token) ? token.replaceAll(' ', '▁') : token)),
  'halves named by the wrong bytes': shown((token, index) =>
    token.includes('\ufffd') ? `bytes:\\x${(index % 90) + 10}` : token,
  ),
  'tokens without spaces': shown((token) => token.trim()),
  'tokens quoted': shown((token) => JSON.stringify(token)),
  'tokens escaped as HTML': shown((token) => token.replace(/[<>&]/g, (letter) => `&#${letter.charCodeAt(0)};`)),
  'offsets in UTF-16 units': (lists) => {
    let at = 0;
    lists.text_offset = lists.tokens.map((token) => {
      at += token.length;
      return at - token.length;
    });
  },
  'a token twice': (lists) => {
    const at = lists.tokens.length - 4;
    for (const list of Object.values(lists)) if (Array.isArray(list)) list.splice(at, 0, list[at] as never);
  },
  'two tokens merged': (lists) => {
    const at = lists.tokens.length - 4;
    lists.tokens.splice(at, 2, lists.tokens[at]! + lists.tokens[at + 1]!);
    lists.token_logprobs.splice(at, 2, lists.token_logprobs[at]! + lists.token_logprobs[at + 1]!);
    lists.token_ids?.splice(at, 1);
    lists.text_offset?.splice(at, 1);
  },
  'sums over split characters': (lists) => {
    // The whole of a character's value stands at its last token.
    lists.tokens.forEach((token, index) => {
      const next = lists.tokens[index + 1];
      if (!token.includes('\ufffd') || next?.includes('\ufffd') !== true) return;
      lists.token_logprobs[index + 1] = (lists.token_logprobs[index + 1] ?? 0) + (lists.token_logprobs[index] ?? 0);
      lists.token_logprobs[index] = 0;
    });
  },
  'ids of another text': (_, choice) => {
    const { prompt_token_ids: ids } = choice;
    if (ids !== undefined) choice.prompt_token_ids = ids.map((id, index) => (index === 9 ? (id + 1) % 256 : id));
  },
  'ids one short': (_, choice) => {
    if (choice.prompt_token_ids !== undefined) choice.prompt_token_ids = choice.prompt_token_ids.slice(0, -1);
  },
  'of another model': (lists, choice, { model }) => {
    const ids = choice.prompt_token_ids;
    if (ids === undefined || model !== 'base') return;
    lists.token_logprobs = exactly('large', ids).slice(0, lists.token_logprobs.length);
  },
  'without the prompt before it': (lists, choice) => {
    const ids = choice.prompt_token_ids;
    if (ids === undefined) return;
    const from = answerFrom(lists.tokens);
    const alone = exactly('base', [ids[0]!, ...encode('x'), ...ids.slice(from)]);
    lists.token_logprobs.splice(from, lists.token_logprobs.length - from, ...alone.slice(-(ids.length - from)));
  },
};

/** Changes of what generation tells. */
export const ODD_GENERATION: Readonly<Record<string, Change>> = {
  'generated ids moved': (_, choice) => {
    const { token_ids: ids } = choice;
    if (ids !== undefined) choice.token_ids = ids.map((id) => (tokenizer.isMark(id) ? id : (id + 3) % 256));
  },
  'generated ids of the text made anew': (_, choice) => {
    choice.token_ids = encode(choice.text);
  },
  'generated values at temperature 0.5': values((value) => value / 0.5 + 0.2),
  'no generated values': (lists) => {
    lists.token_logprobs = lists.token_logprobs.map(() => null);
  },
  'generated values zero': values(() => 0),
};

/** Both, as of a setting of the whole server that nothing but the law of probabilities shows. */
export function oddly(answer: Answer, asked: Asked, name: string): Answer {
  const body = structuredClone(answer.body) as { choices?: Choice[] };
  const [choice] = body.choices ?? [];
  const { logprobs } = choice ?? {};
  if (choice === undefined || logprobs === null || logprobs === undefined) return answer;
  const change = asked.echo === true ? ODD[name] : ODD_GENERATION[name];
  change?.(logprobs, choice, asked);
  return { ...answer, body: body as Record<string, unknown> };
}
