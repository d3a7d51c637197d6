/** Forced values beside those of generation, by rows that are written down: what is the same, what differs, what says nothing. */

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import type { CallsKind } from '../../src/core/kind.ts';
import { probeDialectOf } from '../../src/doctor/dialect.ts';
import { examineGeneration } from '../../src/doctor/generation.ts';
import type { Use } from '../../src/doctor/probe-targets.ts';
import { modelRef, target } from './support.ts';

const SAMPLED = { status: 'ok', sampled: { ids: [5, 9], count: 2, logprobs: [-1, -1] } };
const agrees = (median = 0, largest = median) => ({ agreement: 'agrees', median, largest });

/** The same use, whose rows come one after the other, the last one again and again, and ask nothing. */
function withRows(use: Use, rowOf: (index: number, item: JsonObject) => JsonObject): Use {
  let index = 0;
  const row = (item: unknown) => {
    const made = rowOf(index++, item as JsonObject);
    // biome-ignore lint/correctness/useYield: it asks nothing.
    return (function* () {
      return made;
    })();
  };
  return { ...use, kind: { ...use.kind, row } as CallsKind<unknown, unknown> };
}

/** Three answers are forced, then one in disorder where it goes by ids. */
function examined(rows: readonly JsonObject[], forcing: 'text' | 'ids' = 'text') {
  const [answers, use] = target(['completion', 'forcing']).uses as [Use, Use];
  const items: JsonObject[] = [];
  const forced = withRows(use, (index, item) => {
    items.push(item);
    return rows[Math.min(index, rows.length - 1)]!;
  });
  const given = withRows(answers, () => SAMPLED);
  const probe = examineGeneration(forced, given, probeDialectOf(modelRef({ forcing })));
  const step = probe.next();
  if (!step.done) throw new Error('nothing is asked here');
  const [found] = step.value.checks.filter(({ name }) => name === 'generation');
  return { ...step.value, items, status: found?.status, detail: found?.detail };
}

describe('forced values', () => {
  it('are those of generation up to a twentieth of a nat in the median of each answer', () => {
    const rows = [agrees(0.05, 3), agrees(0), agrees(0.02)].map((check) => ({ status: 'ok', check }));
    expect(examined(rows)).toMatchObject({
      forcing: 'text',
      status: 'ok',
      detail: 'forced by text, 3 answers have the values of generation, 3.0 nats apart at most',
    });
    const one = [...rows.slice(0, 2), { status: 'ok', check: agrees(0.051) }];
    expect(examined(one)).toMatchObject({ status: 'failure', detail: expect.stringMatching(/^differs: /) });
  });

  it('are wrong where one answer says so, by its name', () => {
    const rows = ['agrees', 'zeroed', 'agrees'].map((agreement) => ({
      status: 'ok',
      check: { ...agrees(), agreement },
    }));
    expect(examined(rows)).toMatchObject({ status: 'failure', detail: expect.stringMatching(/^zeroed: /) });
  });

  it('need one answer that is ok, and those that are lost are told', () => {
    const lost = { status: 'not_covered', check: agrees() };
    expect(examined([lost, { status: 'ok', check: agrees() }, lost])).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/, 1 answers have .*; 2 of 3 are not_covered$/),
    });
    const none = examined([lost]);
    expect(none).toMatchObject({ status: 'failure', detail: expect.stringContaining('by text not_covered') });
    expect(none.forcing).toBeUndefined();
  });

  it('say nothing without a comparison', () => {
    expect(examined([{ status: 'ok' }])).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('no log probabilities come with what is generated'),
    });
  });

  it('by ids are forced in disorder too, each token as often as it came, up and down', () => {
    const ok = { status: 'ok', check: agrees() };
    const { status, items } = examined([ok], 'ids');
    expect([status, items.length]).toEqual(['ok', 4]);
    const ids = [5, 5, 5, 9, 9, 9];
    expect(items[3]!.sampled).toMatchObject({ ids: [...ids, ...ids.toReversed()], count: 12 });
    // A server that takes them for text makes others of them; by text the same answers are good.
    const retokenized = examined([ok, ok, ok, { status: 'retokenized' }, ok], 'ids');
    expect(retokenized).toMatchObject({ status: 'ok', forcing: 'text' });
  });
});
