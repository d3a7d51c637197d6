/** What a row keeps of the tokens that were sampled. */

import { describe, expect, it } from 'vitest';
import { sampledTokens, writtenBy } from '../../src/kinds/forcing/sampled.ts';

type Sayings = Parameters<typeof sampledTokens>[0];

const said = (more: Partial<Sayings>): Sayings => ({
  text: 'Yes.',
  finishReason: 'stop',
  usage: { inputTokens: 9, cachedInputTokens: 0, outputTokens: 3 },
  ...more,
});
const echo = (tokens: readonly string[]) => ({ tokens, tokenLogprobs: tokens.map(() => -0.5) });

describe('the sampled tokens of a reply', () => {
  it('are those that spell its text; the one that ended it is none of them', () => {
    expect(sampledTokens(said({ echo: echo(['Yes', '.', '<end>']), tokenIds: [5, 6, 2] }), 'who')).toEqual({
      author: 'who',
      count: 2,
      tokens: ['Yes', '.', '<end>'],
      logprobs: [-0.5, -0.5, -0.5],
      ids: [5, 6, 2],
    });
    // Of an answer that was cut all are.
    const cut = said({ text: 'Yes. An', finishReason: 'length', echo: echo(['Yes', '.', ' An']) });
    expect(sampledTokens(cut, 'who')).toMatchObject({ count: 3 });
  });

  it('that are named by id alone are one less than were counted, where an end ended them', () => {
    const named = (names: readonly string[], more: Partial<Sayings> = {}) =>
      sampledTokens(said({ echo: echo(names), ...more }), 'who')?.count;
    const [one, two, three, four] = ['token_id:5', 'token_id:6', 'token_id:2', 'token_id:9'] as const;
    // Three are counted: two and the end, which is in the list or is not.
    expect(named([one, two])).toBe(2);
    expect(named([one, two, three])).toBe(2);
    expect(named([one])).toBeNull();
    expect(named([one, two, three, four])).toBeNull();
    expect(named([one, two, three], { finishReason: 'length' })).toBe(3);
  });

  it('are nobody’s where tokens and ids are not as many', () => {
    const nobody = { author: 'who', count: null, tokens: [], logprobs: [] };
    for (const tokenIds of [[5], [5, 6, 7, 8]]) {
      expect(sampledTokens(said({ echo: echo(['Yes', '.']), tokenIds }), 'who')).toEqual(nobody);
    }
    expect(sampledTokens(said({}), 'who')).toBeUndefined();
  });

  it('are of all that the model wrote, where one text is that', () => {
    const row = { response: 'Yes.' } as Parameters<typeof writtenBy>[0];
    expect(writtenBy(row)).toBe('Yes.');
    expect(writtenBy({ ...row, generated: 'Hm. Yes.' })).toBe('Hm. Yes.');
    expect(writtenBy({ ...row, thoughts: 'Hm.' })).toBeUndefined();
  });
});
