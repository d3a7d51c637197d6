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
