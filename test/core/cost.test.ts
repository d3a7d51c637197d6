import { describe, expect, it } from 'vitest';
import { dollarsOf, priceOf } from '../../src/core/cost.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { pricesFile, priceTableOf, withIdentities } from '../../src/core/prices.ts';
import { openaiChat } from '../../src/protocols/openai-chat/chat.ts';

const usage = (inputTokens: number, cachedInputTokens: number, outputTokens: number) => ({
  inputTokens,
  cachedInputTokens,
  outputTokens,
});

describe('dollars of a usage, by hand', () => {
  const price = { input: 2, cachedInput: 0.5, output: 10 };
  it.each([
    ['a million of input', usage(1_000_000, 0, 0), 2],
    ['a million of output', usage(0, 0, 1_000_000), 10],
    ['all of the input from the cache', usage(1_000_000, 1_000_000, 0), 0.5],
    // 600,000 × $2 + 400,000 × $0.5 + 100,000 × $10, a million each
    ['some of each', usage(1_000_000, 400_000, 100_000), 1.2 + 0.2 + 1],
    ['more of the cache than there was input', usage(1_000_000, 9_000_000, 0), 0.5],
    ['nothing', usage(0, 0, 0), 0],
  ])('%s', (_, tokens, dollars) => expect(dollarsOf(tokens, price)).toBeCloseTo(dollars, 12));

  it('takes cached input for ordinary input where no price is named for it, and for free where 0 is', () => {
    expect(dollarsOf(usage(1_000_000, 1_000_000, 0), { input: 2, output: 10 })).toBeCloseTo(2, 12);
    expect(dollarsOf(usage(1_000_000, 1_000_000, 0), { input: 2, cachedInput: 0, output: 10 })).toBe(0);
  });
});

describe('a usage as a server reports it', () => {
  it.each<[string, JsonObject, ReturnType<typeof usage> | undefined]>([
    [
      'all of it',
      { usage: { prompt_tokens: 12, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 4 } } },
      usage(12, 4, 3),
    ],
    ['no details', { usage: { prompt_tokens: 12, completion_tokens: 3 } }, usage(12, 0, 3)],
    ['none', {}, undefined],
    ['null', { usage: null }, undefined],
    ['odd counts', { usage: { prompt_tokens: -1, completion_tokens: '3' } }, undefined],
    ['one count', { usage: { prompt_tokens: 12 } }, undefined],
    ['zeros', { usage: { prompt_tokens: 0, completion_tokens: 0 } }, usage(0, 0, 0)],
  ])('%s', (_, reply, expected) => expect(openaiChat.usageOf(reply)).toEqual(expected));
});

describe('the price of a model', () => {
  const one = { input: 1, output: 1 };
  const two = { input: 2, output: 2 };
  const table = (models: Record<string, typeof one>) => ({ date: '2026-07-01', models });

  it.each([
    ['by its id', table({ m: one }), one],
    ['by its provider and its id', table({ 'http://a/m': two }), two],
    ['by the more exact of the two', table({ m: one, 'http://a/m': two }), two],
    ['not of another provider', table({ m: one, 'http://b/m': two }), one],
    ['unknown', table({ n: one, 'http://b/m': two }), undefined],
  ])('%s', (_, prices, expected) => expect(priceOf(prices, 'http://a', 'm')).toEqual(expected));

  it('is not found in what every object has', () => {
    expect(priceOf(table({}), 'http://a', 'constructor')).toBeUndefined();
  });
});

describe('a price table as it is written', () => {
  it('has its cached input under another name, and only where there is one', () => {
    const written = pricesFile.parse({
      date: '2026-07-01',
      models: { m: { input: 1, cached_input: 0.5, output: 3 }, n: { input: 4, output: 5 } },
    });
    expect(priceTableOf(written)).toEqual({
      date: '2026-07-01',
      models: { m: { input: 1, cachedInput: 0.5, output: 3 }, n: { input: 4, output: 5 } },
    });
  });

  it('says the share of a batch, the day and the source of a price where they are written', () => {
    const m = { input: 1, output: 3, batch: 0.5, date: '2026-06-01', source: 'https://example.com' };
    expect(priceTableOf(pricesFile.parse({ date: '2026-07-01', models: { m } })).models.m).toEqual(m);
    expect(pricesFile.safeParse({ date: '2026-07-01', models: { m: { ...m, batch: 1.5 } } }).success).toBe(false);
  });

  it('has no prices below nothing, and prices of nothing', () => {
    const models = (input: number) => ({ date: '2026-07-01', models: { m: { input, output: 0 } } });
    expect(pricesFile.safeParse(models(0)).success).toBe(true);
    expect(pricesFile.safeParse(models(-1)).success).toBe(false);
  });
});

describe('entries by the name of a provider', () => {
  const providers = [
    { name: 'lab', identity: 'http://lab/v1' },
    { name: 'gateway', identity: 'http://gateway' },
  ];
  const named = (entries: Record<string, number>) =>
    Object.fromEntries(withIdentities(Object.entries(entries), providers));

  it('are entries by its identity as well', () => {
    expect(named({ 'lab/m': 1, m: 2 })).toEqual({ 'lab/m': 1, 'http://lab/v1/m': 1, m: 2 });
    expect(named({ 'gateway/team/m': 1 })).toEqual({ 'gateway/team/m': 1, 'http://gateway/team/m': 1 });
  });

  it('give way to what is written by the identity', () => {
    expect(named({ 'lab/m': 1, 'http://lab/v1/m': 3 })).toEqual({ 'lab/m': 1, 'http://lab/v1/m': 3 });
  });

  it('are those of a whole name', () => {
    expect(named({ 'labour/m': 1, lab: 2, 'other/lab/m': 3 })).toEqual({ 'labour/m': 1, lab: 2, 'other/lab/m': 3 });
  });
});
