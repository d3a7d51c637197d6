import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelPrice } from '../../src/core/graph.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { PriceBook } from '../../src/core/provider-port.ts';
import { keyCall } from '../../src/engine/keys.ts';
import {
  builtCalls,
  Demands,
  expectedCalls,
  mergeCalls,
  minutesAtLimits,
  type PlannedCalls,
} from '../../src/engine/plan/plan-cost.ts';
import type { TypicalCall } from '../../src/engine/plan/usage.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { createPriceBook } from '../../src/providers/prices.ts';
import { Budget } from '../../src/replies/budget.ts';
import { requestOf } from '../../src/replies/source.ts';
import { dialect } from '../helpers/dialect.ts';
import { toyGraph } from '../helpers/toy.ts';
import { provider } from '../providers/support.ts';

const bookOf = (price: ModelPrice | undefined): PriceBook =>
  createPriceBook({ date: '2026-07-01', models: price === undefined ? {} : { m: price } }, []);

/** $1 a million of input, half of that from the cache, $10 a million of output. */
const BOOK = bookOf({ input: 1, cachedInput: 0.5, output: 10 });
const MILLION = 1_000_000;
const REF = { identity: 'http://lab', model: 'm', dialect: dialect() };

const callOf = (body: JsonObject, draw = 'a') =>
  keyCall({
    identity: 'http://lab',
    path: '/completions',
    body: { model: 'm', ...body },
    draw,
    decode: (value) => ({ ok: true, value }),
  });

const demandOf = (...bodies: JsonObject[]) => {
  const demands = new Demands(protocolAt);
  for (const body of bodies) demands.add(callOf(body));
  return [...demands.values()];
};

const typical = (more: Partial<TypicalCall> = {}): TypicalCall => ({
  replies: 10,
  inputTokens: 100,
  inputTokensPerByte: 0.5,
  outputTokens: 20,
  outputLow: 10,
  outputHigh: 50,
  ...more,
});

describe('the demand of built requests', () => {
  it('sums calls, bytes and caps by model', () => {
    const [one, two] = [
      { prompt: 'ab', max_tokens: 5 },
      { prompt: 'a', max_tokens: 7 },
    ];
    const [demand, ...others] = demandOf(one, two);
    // A request's bytes are those of the text that is kept of it: the body, and who is asked.
    const bytes = Buffer.byteLength(callOf(one).text) + Buffer.byteLength(callOf(two).text);
    expect(bytes).toBeGreaterThan(42 + 41);
    expect(demand).toEqual({ identity: 'http://lab', model: 'm', calls: 2, bytes, outputCap: 12 });
    expect(others).toEqual([]);
  });

  it('keeps models apart', () => {
    expect(demandOf({ max_tokens: 5 }, { model: 'n', max_tokens: 7 }).map(({ outputCap }) => outputCap)).toEqual([
      5, 7,
    ]);
  });

  it.each<[string, JsonObject[], number | null]>([
    ['the newer name of the cap wins', [{ max_completion_tokens: 3, max_tokens: 9 }], 3],
    ['none once a request has none', [{ max_tokens: 5 }, {}, { max_tokens: 5 }], null],
    ['none for a cap that is no number', [{ max_tokens: null }], null],
    ['of nothing', [{ max_tokens: 0 }], 0],
    ['for each of the choices', [{ max_tokens: 5, n: 3 }], 15],
    ['for each of those that the best is picked from', [{ max_tokens: 5, n: 2, best_of: 4 }], 20],
    ['for each of several prompts', [{ max_tokens: 5, n: 2, prompt: ['a', 'b', 'c'] }], 30],
    ['for each of several prompts of token ids', [{ max_tokens: 5, prompt: [[1, 2], [3]] }], 10],
    ['once for one prompt of token ids', [{ max_tokens: 5, prompt: [1, 2, 3] }], 5],
  ])('cap: %s', (_, bodies, cap) => expect(demandOf(...bodies)[0]!.outputCap).toBe(cap));
});

describe('what built calls would cost', () => {
  const demand = { identity: 'http://lab', model: 'm', calls: 10, bytes: 4 * MILLION, outputCap: MILLION };

  it('is guessed at four bytes a token and the expected answer, where nothing like it was recorded', () => {
    const expected = { model: REF, calls: 99, inputTokens: 1, outputTokens: 50_000, outputTokensAtMost: 100_000 };
    const other = { ...expected, model: { ...REF, model: 'n' }, outputTokens: 1 };
    const elsewhere = { ...expected, model: { ...REF, identity: 'http://elsewhere' }, outputTokens: 2 };
    // A million of input at $1; ten answers of 50,000 at $10 a million. Half of both; every byte a token.
    expect(builtCalls(demand, undefined, [other, elsewhere, expected], BOOK)).toEqual({
      identity: 'http://lab',
      model: 'm',
      calls: 10,
      inputTokens: MILLION,
      outputTokens: 500_000,
      low: 3,
      expected: 6,
      high: expect.closeTo(4 + 0.00064 + 10, 9),
      atMost: expect.closeTo(4 + 0.00064 + 10, 9),
      basis: 'guessed',
    });
    expect(builtCalls(demand, undefined, [], BOOK)).toMatchObject({ outputTokens: 0, expected: 1 });
  });

  it('goes by recorded tokens a byte and an answer; the range by their spread', () => {
    const like = typical({ outputTokens: 20_000, outputLow: 10_000, outputHigh: 50_000 });
    const made = builtCalls({ ...demand, bytes: 2 * MILLION }, like, [], BOOK);
    expect(made).toMatchObject({ inputTokens: MILLION, outputTokens: 200_000, basis: 'recorded' });
    // $1 ± 5 % of input; 100,000, 200,000 and 500,000 tokens of output.
    expect([made.low, made.expected, made.high]).toEqual([0.95 + 1, 1 + 2, 1.05 + 5].map((d) => expect.closeTo(d, 9)));
    expect(made.atMost).toBeCloseTo(2.00064 + 10, 9);
  });

  it('of which some can be batched: these by their share of the bytes and of the answers, at both prices', () => {
    const half = createPriceBook({ date: '2026-07-01', models: { m: { input: 1, output: 10, batch: 0.5 } } }, []);
    const some = { ...demand, batch: { calls: 2, bytes: MILLION } };
    const like = typical({ inputTokensPerByte: 0.25, outputTokens: 20_000 });
    // A quarter of a million tokens of input and a fifth of 200,000 of output: $0.25 + $0.40.
    expect(builtCalls(some, like, [], half).batch).toEqual({
      calls: 2,
      online: expect.closeTo(0.65, 12),
      expected: expect.closeTo(0.325, 12),
    });
  });

  it('goes by recorded tokens a call where bytes were not read', () => {
    const made = builtCalls(demand, typical({ inputTokensPerByte: null, inputTokens: 12.35 }), [], BOOK);
    expect(made).toMatchObject({ inputTokens: 124, outputTokens: 200 });
  });

  it('rounds recorded tokens up', () => {
    const made = builtCalls({ ...demand, bytes: 3, calls: 1 }, typical({ outputTokens: 1.2 }), [], BOOK);
    expect(made).toMatchObject({ inputTokens: 2, outputTokens: 2 });
    expect(builtCalls({ ...demand, bytes: 5, calls: 1 }, undefined, [], BOOK).inputTokens).toBe(2);
  });

  it('keeps the mean answer within the range, however skewed', () => {
    const few = typical({ inputTokensPerByte: 0, outputTokens: 5, outputLow: 10, outputHigh: 12 });
    const many = typical({ inputTokensPerByte: 0, outputTokens: 30, outputLow: 10, outputHigh: 12 });
    const dollars = (like: TypicalCall) => {
      const { low, high } = builtCalls(demand, like, [], BOOK);
      return [low, high].map((value) => Math.round(value! * 1e6));
    };
    // Ten calls at $10 a million: $0.0001 a token of the mean answer.
    expect([dollars(few), dollars(many)]).toEqual([
      [500, 1200],
      [1000, 3000],
    ]);
  });

  it('is unknown without a price, and has no bound without a cap', () => {
    const unpriced = builtCalls(demand, typical(), [], bookOf(undefined));
    expect(unpriced).toMatchObject({ low: null, expected: null, high: null, atMost: null });
    const open = builtCalls({ ...demand, outputCap: null }, undefined, [], BOOK);
    expect(open).toMatchObject({ high: null, atMost: null, expected: 1 });
  });

  it('is at most what the dearer of fresh and cached input comes to', () => {
    const one = { ...demand, calls: 0, bytes: MILLION, outputCap: 0 };
    expect(builtCalls(one, undefined, [], bookOf({ input: 1, cachedInput: 3, output: 0 })).atMost).toBe(3);
    expect(builtCalls(one, undefined, [], bookOf({ input: 3, cachedInput: 1, output: 0 })).atMost).toBe(3);
    expect(builtCalls(one, undefined, [], bookOf({ input: 2, output: 0 })).atMost).toBe(2);
  });
});

describe('what calls of requests that cannot be built would cost', () => {
  const expected = { model: REF, calls: 10, inputTokens: 100_000, outputTokens: 50_000, outputTokensAtMost: 80_000 };

  it('is guessed from what the kind expects, without a bound', () => {
    // A million of input, half a million of output; twice the input and the longest answers; half of both.
    expect(expectedCalls(expected, undefined, BOOK)).toEqual({
      identity: 'http://lab',
      model: 'm',
      calls: 10,
      inputTokens: MILLION,
      outputTokens: 500_000,
      low: 3,
      expected: 6,
      high: 2 + 8,
      atMost: null,
      basis: 'guessed',
    });
  });

  it('goes by the tokens of like calls', () => {
    const like = typical({ inputTokens: 200_000, outputTokens: 20_000, outputLow: 10_000, outputHigh: 50_000 });
    const made = expectedCalls(expected, like, BOOK);
    expect(made).toMatchObject({ inputTokens: 2 * MILLION, outputTokens: 200_000, atMost: null, basis: 'recorded' });
    expect([made.low, made.expected, made.high]).toEqual([1.9 + 1, 2 + 2, 2.1 + 5].map((d) => expect.closeTo(d, 9)));
  });

  it('rounds tokens up and keeps the mean answer within the range', () => {
    const one = { ...expected, calls: 1 };
    expect(expectedCalls(one, typical({ inputTokens: 1.5, outputTokens: 2.5 }), BOOK)).toMatchObject({
      inputTokens: 2,
      outputTokens: 3,
    });
    const output = (like: Partial<TypicalCall>) => {
      const { low, high } = expectedCalls(one, typical({ inputTokens: 0, ...like }), BOOK);
      return [low, high].map((value) => Math.round(value! * 1e5));
    };
    expect(output({ outputTokens: 5, outputLow: 10, outputHigh: 12 })).toEqual([5, 12]);
    expect(output({ outputTokens: 30, outputLow: 10, outputHigh: 12 })).toEqual([10, 30]);
  });
});

const planned = (more: Partial<PlannedCalls> = {}): PlannedCalls => ({
  identity: 'http://lab',
  model: 'm',
  calls: 1,
  inputTokens: 2,
  outputTokens: 3,
  low: 4,
  expected: 5,
  high: 6,
  atMost: 7,
  basis: 'recorded',
  ...more,
});

describe('calls to one model', () => {
  it('are one entry, which adds up every figure', () => {
    const more = { calls: 10, inputTokens: 20, outputTokens: 30, low: 40, expected: 50, high: 60, atMost: 70 };
    expect(mergeCalls([planned(), planned(more)])).toEqual([
      planned({ calls: 11, inputTokens: 22, outputTokens: 33, low: 44, expected: 55, high: 66, atMost: 77 }),
    ]);
    expect(mergeCalls([planned(), planned({ model: 'n' }), planned({ identity: 'http://b' })])).toHaveLength(3);
  });

  it('have no known cost where one of them has none, and are guessed where one of them is', () => {
    const unknown = planned({ low: null, expected: null, high: null, atMost: null, basis: 'guessed' });
    const sums = { low: null, expected: null, high: null, atMost: null, basis: 'guessed' };
    expect(mergeCalls([planned(), unknown])).toMatchObject([sums]);
    expect(mergeCalls([unknown, planned()])).toMatchObject([sums]);
  });
});

describe('minutes at the configured limits', () => {
  const graphOf = (limits: Readonly<Record<string, { requestsPerMinute?: number; tokensPerMinute?: number }>>) => ({
    ...toyGraph(),
    providers: Object.entries(limits).map(([identity, limit]) =>
      provider({ identity, limits: { concurrency: 1, timeoutSeconds: 1, attempts: 1, ...limit } }),
    ),
  });
  /** Ten calls of 1,000 tokens each, 700 of them input. */
  const ten = planned({ calls: 10, inputTokens: 7000, outputTokens: 3000 });

  it.each([
    ['no limit', {}, 0],
    ['500 tokens a minute', { tokensPerMinute: 500 }, 20],
    ['5 requests a minute', { requestsPerMinute: 5 }, 2],
    ['both, the tokens slower', { requestsPerMinute: 5, tokensPerMinute: 500 }, 20],
    ['both, the requests slower', { requestsPerMinute: 0.25, tokensPerMinute: 500 }, 40],
  ])('%s', (_, limits, minutes) => {
    expect(minutesAtLimits(graphOf({ 'http://lab': limits }), [ten])).toBe(minutes);
  });

  it('are those of the slowest model, as providers and models have limits of their own', () => {
    const graph = graphOf({ 'http://lab': { requestsPerMinute: 5 }, 'http://b': { requestsPerMinute: 2 } });
    expect(minutesAtLimits(graph, [ten, planned({ identity: 'http://b', calls: 10 })])).toBe(5);
    expect(minutesAtLimits(graph, [planned({ identity: 'http://b', calls: 10 }), ten])).toBe(5);
    expect(minutesAtLimits(graph, [ten, planned({ model: 'n', calls: 20 })])).toBe(4);
    expect(minutesAtLimits(graph, [planned({ identity: 'http://nowhere', calls: 999 })])).toBe(0);
  });
});

describe('dollars that a call cannot pass', () => {
  const price = fc.record({
    input: fc.double({ min: 0, max: 100, noNaN: true }),
    cachedInput: fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined }),
    output: fc.double({ min: 0, max: 100, noNaN: true }),
  });
  const share = fc.double({ min: 0, max: 1, noNaN: true });

  it('what is settled <= what is reserved <= what the plan says at most, whatever input and cached input cost', () => {
    fc.assert(
      fc.property(
        price,
        fc.string({ maxLength: 40, unit: 'grapheme' }),
        fc.nat(300),
        share,
        share,
        share,
        ({ input, cachedInput, output }, prompt, cap, used, cached, answered) => {
          const book = bookOf({ input, output, ...(cachedInput === undefined ? {} : { cachedInput }) });
          const call = callOf({ prompt, max_tokens: cap });
          const most = Buffer.byteLength(call.body) + 64;
          const inputTokens = Math.floor(used * most);
          const usage = {
            inputTokens,
            cachedInputTokens: Math.floor(cached * inputTokens),
            outputTokens: Math.floor(answered * cap),
          };
          const budget = new Budget({ maxCost: undefined, unapprovedCost: undefined, maxCalls: undefined }, book);
          const admission = budget.admit({ ...requestOf(call), identity: 'http://lab' }, 'm');
          if (!admission.ok) throw new Error('not admitted');
          const { dollars } = admission.reservation;
          const { dollars: reply } = budget.settle(admission.reservation, { billed: usage });
          const { atMost } = builtCalls(demandOf({ prompt, max_tokens: cap })[0]!, undefined, [], book);
          expect(reply).toBeLessThanOrEqual(dollars + 1e-12);
          expect(dollars).toBeLessThanOrEqual(atMost! + 1e-12);
        },
      ),
    );
  });

  it('reserves cached input at its price where that is the dearer', () => {
    const book = bookOf({ input: 1, cachedInput: 3, output: 2 });
    // {"max_tokens":5} is 16 bytes: (16 + 64) at $3 and 5 at $2 a million.
    expect(
      book.worstCase('http://lab', 'm', { path: '/completions', body: '{"max_tokens":5}', fields: { max_tokens: 5 } }),
    ).toBeCloseTo(250e-6, 12);
  });
});
