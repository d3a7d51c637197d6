/** Whether tokens that came back are those that were sampled, token by token. */

import { describe, expect, it } from 'vitest';
import { areSampled, isSameVocabulary } from '../../src/kinds/forcing/same-tokens.ts';
import type { ForcibleRow } from '../../src/kinds/forcing/valued.ts';

type Reply = Parameters<typeof areSampled>[1];
const NOTHING_TOLD: Reply = {};

const row = (sampled: Partial<NonNullable<ForcibleRow['sampled']>> | undefined, response = 'a b c d') =>
  ({
    response,
    model: 'base',
    ...(sampled === undefined ? {} : { sampled: { author: 'who', count: null, tokens: [], logprobs: [], ...sampled } }),
  }) as ForcibleRow;
const echo = (tokens: readonly string[], tokenIds?: readonly number[]) => ({
  tokens,
  tokenLogprobs: tokens.map(() => -0.5),
  ...(tokenIds === undefined ? {} : { tokenIds }),
});
const all = (tokens: readonly string[]) => ({ from: 0, to: tokens.length });

describe('tokens of one vocabulary', () => {
  const isSame = (sampled: readonly string[], tokens: readonly string[], response?: string) =>
    isSameVocabulary(row({ tokens: sampled }, response), echo(tokens), 'base', all(tokens));

  it.each<[sampled: string[], tokens: string[], same: boolean]>([
    [['a', ' b'], ['a', ' b'], true],
    // One API shows the space that opens a text, another does not.
    [[' a', ' b'], ['a', ' b'], true],
    [['a', ' c'], ['a', ' b'], false],
    // Half of them can be compared, which is enough; the others are named by their bytes.
    [['a', 'bytes:\\xe2'], ['a', '<0xE2>'], true],
  ])('%j beside %j: %s', (sampled, tokens, same) => {
    expect(isSame(sampled, tokens, 'another text')).toBe(same);
  });

  it('are told by the text where fewer than half can be compared', () => {
    const sampled = ['a', 'bytes:\\xe2', 'bytes:\\x82', 'bytes:\\xac'];
    const tokens = ['a', '<0xE2>', '<0x82>', '<0xAC>'];
    expect(isSame(sampled, tokens, 'a€')).toBe(true);
    expect(isSame(sampled, tokens, 'a£')).toBe(false);
  });

  it('named by their ids are those of the model that answered before', () => {
    const tokens = ['token_id:5', 'token_id:6'];
    expect(isSameVocabulary(row({ tokens: ['x'] }), echo(tokens), 'base', all(tokens))).toBe(true);
    expect(isSameVocabulary(row({ tokens: ['x'] }), echo(tokens), 'other', all(tokens))).toBe(false);
  });
});

describe('tokens made of the text anew are those that were sampled', () => {
  const tokens = ['a', ' b'];
  it.each<[what: string, sampled: Parameters<typeof row>[0], reply: Reply, same: boolean]>([
    ['where nobody sampled any', undefined, NOTHING_TOLD, true],
    ['by ids', { count: 2, ids: [5, 6], tokens }, { promptTokenIds: [1, 5, 6] }, true],
    ['not by other ids', { count: 2, ids: [5, 7], tokens }, { promptTokenIds: [1, 5, 6] }, false],
    [
      'not where ids agree and tokens do not',
      { count: 2, ids: [5, 6], tokens: ['x', ' y'] },
      { promptTokenIds: [1, 5, 6] },
      false,
    ],
    ['not where there are more of them', { count: 3, ids: [5, 6, 7], tokens: ['a', ' b', ' c'] }, NOTHING_TOLD, false],
    ['by their texts', { count: 2, tokens }, NOTHING_TOLD, true],
    ['not by other texts', { count: 2, tokens: ['a', 'b'] }, NOTHING_TOLD, false],
  ])('%s', (_, sampled, reply, same) => {
    expect(areSampled(row(sampled), reply, echo(tokens), all(tokens))).toBe(same);
  });
});
