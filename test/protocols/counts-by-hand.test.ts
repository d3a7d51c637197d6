/** What a reply counts, which ids its tokens get, and which of two equal names in a body wins. */

import { describe, expect, it } from 'vitest';
import { tokensOf } from '../../src/protocols/openai/token-logprobs.ts';
import { countsOf, withIds } from '../../src/protocols/openai-completions/completions.ts';
import { sglangGenerate } from '../../src/protocols/sglang-generate/generate.ts';
import { bodyOf } from '../../src/protocols/shared/body.ts';
import { dialect } from '../helpers/dialect.ts';

const usage = (inputTokens: number, outputTokens: number) => ({ inputTokens, cachedInputTokens: 0, outputTokens });

it('in a body our own fields win over those that the file adds, and names are in order', () => {
  const body = bodyOf(dialect({ extra: { seed: 1, top_k: 5 } }), { temperature: 0, seed: 2, stop: undefined });
  expect(JSON.stringify(body)).toBe('{"seed":2,"temperature":0,"top_k":5}');
});

describe('a reply counts', () => {
  it('what it read and generated, where it read anything', () => {
    expect(countsOf({ usage: usage(5, 0) })).toEqual({ prompt: 5, generated: 0 });
    expect(countsOf({ usage: usage(0, 3) })).toEqual({});
    expect(countsOf({ usage: usage(5, 1), promptTokenIds: [1, 2, 3] })).toEqual({
      prompt: 3,
      byIds: true,
      generated: 1,
    });
    expect(countsOf({ usage: usage(0, 0), promptTokenIds: [], separateEcho: true })).toEqual({ separate: true });
  });
});

describe('the tokens of an echo', () => {
  const echo = (first: number | null, ...tokens: readonly string[]) => ({
    tokens,
    tokenLogprobs: tokens.map((_, at) => (at === 0 ? first : -1)),
  });

  it('get the ids of the prompt, and none for what was generated behind it', () => {
    expect(withIds({ echo: echo(null, 'a', 'b', 'c'), promptTokenIds: [7, 8] })?.tokenIds).toEqual([7, 8, -1]);
    // A list that begins with a value leaves its first token out.
    expect(withIds({ echo: echo(-2, 'b', 'c'), promptTokenIds: [7, 8] })).toEqual({
      tokens: ['', 'b', 'c'],
      tokenLogprobs: [null, -2, -1],
      tokenIds: [7, 8, -1],
    });
    expect(withIds({ echo: echo(null, 'a'), promptTokenIds: [7, 8] })?.tokenIds).toBeUndefined();
  });

  it('have ids where each has one', () => {
    const ids = (...all: readonly (number | undefined)[]) =>
      tokensOf({
        content: all.map((id) => ({ token: 't', logprob: -1, ...(id === undefined ? {} : { token_id: id }) })),
      }).tokenIds;
    expect([ids(5, 6), ids(5, undefined)]).toEqual([[5, 6], undefined]);
  });
});

it('SGLang tells from the token before the place that is asked for', () => {
  const model = { identity: 'lab', model: 'm', dialect: dialect({}) };
  const { body } = sglangGenerate.measure(model, [4, 5, 6, 7], 'd', { start: 2, top: 0 });
  expect(body).toMatchObject({ input_ids: [4, 5, 6, 7], logprob_start_len: 1 });
  expect(body).not.toHaveProperty('top_logprobs_num');
});

it('bytes are kept where they are not those of the tokens that are shown', () => {
  const bytesOf = (...entries: readonly (readonly [token: string, bytes: number[] | null])[]) =>
    tokensOf({ content: entries.map(([token, bytes]) => ({ token, bytes, logprob: -1 })) }).tokenBytes;
  expect(bytesOf(['a', [97]], ['é', [0xc3, 0xa9]], ['b', null])).toBeUndefined();
  for (const bytes of [[0xc3], [0x61, 0xc3], [0x62]]) expect(bytesOf(['a', bytes], ['b', null])).toEqual([bytes, null]);
});
