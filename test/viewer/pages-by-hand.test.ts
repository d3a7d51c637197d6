/** Pages of small values that are set by hand: what stands on them of a call and of a label, and where a moving name leads. */

import { describe, expect, it } from 'vitest';
import type { ShownCall } from '../../src/engine/explain/show.ts';
import { Markup } from '../../src/text/html.ts';
import { answer } from '../../src/viewer/answer.ts';
import type { ItemDetail, ItemPolicy, ItemQuery, NodeRow } from '../../src/viewer/model/items.ts';
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

describe('an item', () => {
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
  const row = (node: string, more: object): NodeRow => ({
    node,
    item: 'a/q1',
    row: { status: 'ok', ...more },
    asks: false,
  });
  const shown = (policies: readonly ItemPolicy[], more: Partial<ItemDetail> = {}): Markup => {
    const item: ItemDetail = {
      id: 'q1',
      index: 0,
      prompt: 'How?',
      position: 0,
      selected: 1,
      previous: undefined,
      next: undefined,
      order: { key: '', label: 'in order', describe: '' } as never,
      logger: undefined,
      scorers: [],
      policies,
      measured: [],
      unfinished: [],
      others: [],
      ...more,
    };
    const run = { id: 'b1', item: () => item } as never;
    return itemPage(run, 'q1', { limit: 10 } as ItemQuery, false).body as Markup;
  };
  const read = (...given: Parameters<typeof shown>) => textOf({ body: shown(...given) } as Page);

  it('has a label of each policy, or why there is none', () => {
    const rows = read([
      policy('a', { label: 4 }),
      policy('b', { labelRow: row('labels', { status: 'refused' }) }),
      policy('c', {}),
    ]);
    expect(rows).toMatch(/a\s+4\s+b\s+refused\s+c\s/);
  });

  it('says where it stands among those that were asked for, and leads to its neighbours', () => {
    const { html } = shown([], { position: 22, selected: 1234, previous: 'q0', next: 'q2' });
    expect(html).toContain('<a rel="prev" href="/build/b1/item?id=q0');
    expect(html).toContain('<a rel="next" href="/build/b1/item?id=q2');
    // The page of ten on which it is.
    expect(html).toMatch(/<a href="\/build\/b1\/items\?from=20">23 of 1,234<\/a>/);
    const alone = shown([], { position: null });
    expect(alone.html).toMatch(
      /<span class="off">← Previous<\/span>\s*<a href="\/build\/b1\/items">All items<\/a>\s*<span class="off">Next/,
    );
  });

  it('has the weight of the log’s answer under each policy, and its place', () => {
    const of = { logprobValue: -12.5, logprob: row('logprobs', {}) };
    const rows = read(
      [
        policy('base', of),
        policy('pi', { ...of, logRatio: Math.log(2), rank: { place: 3, of: 1200 } }),
        policy('rho', { logprob: row('logprobs', { status: 'bos' }) }),
        policy('tau', {}),
      ],
      { logger: 'base' },
    ).replace(/\s+/g, ' ');
    expect(rows).toContain('base log −12.50 pi −12.50 0.69 2 3 of 1,200 rho bos tau');
  });

  it('has what a judge said: its number, spread, reward, reasons, parts, and orders that disagree', () => {
    const verdict = {
      spread: 0.25,
      parts: [{ name: 'clarity', value: 3.5 }],
      draws: [4, 5],
      against: 'base',
      orders: [1, 0.5] as const,
      rationale: 'It is sound.',
      repaired: true,
    };
    const score = { scorer: 'strict', value: 4.5, row: row('scores', {}), reward: 0.75, verdict };
    const answer = row('responses', { response: 'So.', model: 'm-2', finish_reason: 'length', thoughts: 'Hm.' });
    const text = read(
      [policy('a', { response: answer, scores: [score], label: 4, labelRow: row('labels', { raters: 3 }) })],
      {
        scorers: ['strict'],
      },
    ).replace(/\s+/g, ' ');
    for (const told of [
      'strict, against base 4.5',
      '± 0.250',
      '→ 0.75',
      'clarity 3.5',
      'draws 4',
      'shown first won',
      'shown second tied',
      'The two orders disagree',
      'was not in the form that was asked for',
      'It is sound.',
      'm-2 · ended by length',
      'Label 4 mean of 3 people',
      'Thoughts before the answer Hm.',
    ]) {
      expect(text).toContain(told);
    }
    const plain = {
      ...score,
      reward: null,
      verdict: {
        ...verdict,
        spread: null,
        parts: [],
        draws: [4],
        against: null,
        orders: [0, 0] as const,
        repaired: false,
      },
    };
    const less = read(
      [policy('a', { response: row('responses', { response: 'So.', finish_reason: 'stop' }), scores: [plain] })],
      {
        scorers: ['strict'],
      },
    );
    for (const none of ['against', '±', '→ 0', 'draws', 'disagree', 'in the form', 'ended by'])
      expect(less).not.toContain(none);
    expect(less.replace(/\s+/g, ' ')).toContain('shown first lost shown second lost');
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
