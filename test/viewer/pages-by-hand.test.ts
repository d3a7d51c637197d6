/** Pages of small values that are set by hand: what stands on them of a call and of a label, and where a moving name leads. */

import { describe, expect, it } from 'vitest';
import type { ShownCall } from '../../src/engine/explain/show.ts';
import { Markup } from '../../src/text/html.ts';
import { answer } from '../../src/viewer/answer.ts';
import type { ItemPolicy, ItemQuery } from '../../src/viewer/model/items.ts';
import { callsPage } from '../../src/viewer/pages/calls.ts';
import { itemPage } from '../../src/viewer/pages/item.ts';
import type { Page } from '../../src/viewer/parts/layout.ts';

/** The text of a page as it is read, a line for each fact and cell. */
const textOf = ({ body }: Page): string =>
  (body instanceof Markup ? body.html : '')
    .replace(/<\/(dd|td|tr|p|h\d)>/g, '\n')
    .replace(/<[^>]*>/g, ' ')
    .replace(/[ \t]+/g, ' ');

describe('a call', () => {
  const bought: ShownCall['bought'] = {
    model: 'parrot-2',
    identity: 'toy',
    cost: 0.25,
    boughtAt: Date.UTC(2026, 1, 3),
    usage: { inputTokens: 1200, cachedInputTokens: 0, outputTokens: 7 },
    node: 'answers/a',
    batch: 'batch_1',
  };
  const call: ShownCall = {
    key: 'k1',
    identity: 'toy',
    path: '/completions',
    body: {},
    draw: 'a/0',
    texts: [{ name: 'prompt', text: 'How?' }],
    settings: {},
    answered: 'So.',
    raw: '{"text":"So."}',
    parsed: 'So.',
    failure: null,
    failedAt: null,
    bought,
    history: [],
  };
  const page = (calls: readonly ShownCall[]) =>
    textOf(
      callsPage(
        {
          id: 'b1',
          node: () => ({ asks: true }),
          calls: () => ({ item: 'q1', prompt: undefined, row: null, calls }),
        } as never,
        'answers/a',
        'q1',
        false,
      ),
    );

  it('that was bought says of whom, for how much, how many tokens, when and in which batch', () => {
    const text = page([call]);
    for (const fact of ['model parrot-2', 'cost $0.25', 'tokens 1,200 in, 7 out', 'by answers/a', 'batch batch_1']) {
      expect(text).toContain(fact);
    }
    for (const fact of ['to /completions of toy', 'draw a/0', 'key k1']) expect(text).toContain(fact);
    expect(page([{ ...call, bought: { ...bought, cost: null } }])).toContain('cost an unknown price');
    expect(text).not.toContain('Not bought yet');
  });

  it('that was not bought, or failed, says so and no more', () => {
    const none = { ...call, answered: null, raw: null, parsed: null, bought: null };
    const text = page([none, { ...none, failure: 'refused: no', failedAt: Date.UTC(2026, 1, 3) }]);
    expect(text).toMatch(
      /Call 1 of 2(.|\n)*Not bought yet\.(.|\n)*Call 2 of 2(.|\n)*Failed for good(.|\n)*refused: no/,
    );
    for (const fact of ['model ', 'cost ', 'tokens ']) expect(text).not.toContain(fact);
    expect(page([])).toContain('No call stands behind it, or what it was asked with is no longer there.');
  });
});

describe('the label of an answer', () => {
  const policy = (name: string, more: Partial<ItemPolicy>): ItemPolicy => ({
    policy: name,
    response: undefined,
    logprob: undefined,
    logprobValue: null,
    logRatio: null,
    rank: null,
    scores: [],
    label: null,
    labelRow: undefined,
    ...more,
  });
  const labelRow = { node: 'labels', item: 'a/q1', row: { status: 'refused' }, asks: true };

  it('is a number, or why there is none', () => {
    const item = {
      id: 'q1',
      prompt: 'How?',
      position: 0,
      selected: 1,
      order: { label: 'in order' },
      scorers: [],
      policies: [policy('a', { label: 4 }), policy('b', { labelRow }), policy('c', {})],
      measured: [],
      unfinished: [],
      others: [],
    };
    const run = { id: 'b1', item: () => item as never } as never;
    const rows = textOf(itemPage(run, 'q1', { limit: 10 } as ItemQuery, false));
    expect(rows).toMatch(/a\s+4\s+b\s+refused\s+c\s/);
  });
});

describe('an address with a name that moves', () => {
  const source = { refresh: async () => {}, resolve: () => 'b1' } as never;

  it.each([
    ['/build/last', '/build/b1'],
    ['/build/last/node/scores/a?offset=50&text=a%20b', '/build/b1/node/scores/a?offset=50&text=a+b'],
  ])('leads from %s to the one that stays, with all that was asked', async (from, to) => {
    const { status, headers } = await answer(from, source);
    expect([status, headers.Location]).toEqual([302, to]);
  });
});
