import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openaiCompletions } from '../../src/protocols/openai-completions/completions.ts';
import { sizeOfBody } from '../../src/protocols/size.ts';
import { createPriceBook } from '../../src/providers/prices.ts';
import { anyText } from '../helpers/any-text.ts';
import { provider } from './support.ts';

const book = createPriceBook(
  {
    date: '2026-07-01',
    models: {
      'gpt-4o': { input: 2.5, cachedInput: 1.25, output: 10 },
      scout: { input: 0.15, output: 0.6 },
      'https://gateway.example/scout': { input: 0.3, output: 1.2 },
      free: { input: 0, output: 0 },
    },
  },
  [
    provider({ name: 'openai', identity: 'https://api.openai.com/v1' }),
    provider({ name: 'gateway', identity: 'https://gateway.example' }),
    provider({ name: 'sim', identity: 'simulator:abc', type: 'simulator' }),
  ],
);
const usage = (inputTokens: number, outputTokens: number, cachedInputTokens = 0) => ({
  inputTokens,
  outputTokens,
  cachedInputTokens,
});

const callOf = (body: string) => ({ path: '/completions', body, fields: JSON.parse(body) });

describe('cost', () => {
  it('bills cached input at its own price', () => {
    expect(book.cost('https://api.openai.com/v1', 'gpt-4o', usage(1_000_000, 100_000, 400_000))).toBeCloseTo(
      0.6 * 2.5 + 0.4 * 1.25 + 1,
      12,
    );
  });

  it('bills cached input in full where no price is named for it, and never more of it than there was input', () => {
    expect(book.cost('simulator:abc', 'scout', usage(1_000_000, 0, 400_000))).toBeCloseTo(0.15, 12);
    expect(book.cost('https://api.openai.com/v1', 'gpt-4o', usage(1000, 0, 5000))).toBeCloseTo(0.00125, 12);
  });

  it('prefers the price of the provider, by its identity', () => {
    expect(book.cost('https://gateway.example', 'scout', usage(1_000_000, 0))).toBeCloseTo(0.3, 12);
    expect(book.cost('https://api.openai.com/v1', 'scout', usage(1_000_000, 0))).toBeCloseTo(0.15, 12);
  });

  it('has no price for what it does not know, and zero only where zero is written', () => {
    expect(book.cost('https://api.openai.com/v1', 'gpt-9', usage(1, 1))).toBeUndefined();
    expect(book.cost('https://api.openai.com/v1', 'toString', usage(1, 1))).toBeUndefined();
    expect(book.worstCase('https://api.openai.com/v1', 'gpt-9', callOf('{"max_tokens":1}'))).toBeUndefined();
    expect(book.cost('https://api.openai.com/v1', 'free', usage(9, 9))).toBe(0);
  });

  it('in a batch is the share that the table says of the model, else the provider file of the provider, else all', () => {
    const batch = { api: 'openai', rows: 9, bytes: 9, echo: false, price: 0.8 } as const;
    const times = { pollSeconds: 1, graceSeconds: 1, patienceSeconds: 1 };
    const models = { some: { input: 1, output: 2, batch: 0.5 }, other: { input: 1, output: 2 } };
    const shared = createPriceBook({ date: '2026-07-01', models }, [
      provider({ identity: 'http://a', batch: { ...batch, ...times } }),
    ]);
    const call = callOf('{"max_tokens":1000}');
    const shares = (identity: string, model: string) => [
      shared.cost(identity, model, usage(1_000_000, 0), 'batch'),
      shared.worstCase(identity, model, call, 'batch')! / shared.worstCase(identity, model, call)!,
    ];
    expect(shares('http://a', 'some')).toEqual([0.5, 0.5].map((share) => expect.closeTo(share, 12)));
    expect(shares('http://a', 'other')).toEqual([0.8, 0.8].map((share) => expect.closeTo(share, 12)));
    expect(shares('http://b', 'other')).toEqual([1, 1]);
    expect(shared.cost('http://a', 'some', usage(1_000_000, 0))).toBe(1);
  });

  it('knows simulated money', () => {
    expect([book.simulated('simulator:abc'), book.simulated('https://api.openai.com/v1')]).toEqual([true, false]);
  });
});

describe('the worst case', () => {
  it('takes every byte for a token, and all that may be answered', () => {
    const body = '{"max_tokens":100,"messages":[{"content":"é","role":"user"}],"model":"gpt-4o"}';
    const bytes = Buffer.byteLength(body);
    expect(bytes).toBe(body.length + 1);
    expect(book.worstCase('https://api.openai.com/v1', 'gpt-4o', callOf(body))).toBeCloseTo(
      ((bytes + 64) * 2.5 + 100 * 10) / 1e6,
      12,
    );
  });

  it.each([
    ['{"max_tokens":10}', 10],
    ['{"max_completion_tokens":20}', 20],
    ['{"max_completion_tokens":20,"max_tokens":10}', 20],
    ['{"max_tokens":10,"n":4}', 40],
    ['{"best_of":5,"max_tokens":10,"n":2}', 50],
    ['{"max_tokens":10,"prompt":["a","b","c"]}', 30],
    ['{"max_tokens":10,"prompt":[1,2,3]}', 10],
    ['{"max_tokens":10,"prompt":[[1,2],[3]]}', 20],
    ['{"max_tokens":0}', 0],
    ['{"model":"m"}', undefined],
    ['{"max_tokens":null}', undefined],
  ])('%s answers at most %s', (body, expected) =>
    expect(sizeOfBody(openaiCompletions, callOf(body)).outputTokensAtMost).toBe(expected),
  );

  it('has none without a cap', () => {
    expect(book.worstCase('https://api.openai.com/v1', 'gpt-4o', callOf('{"model":"gpt-4o"}'))).toBeUndefined();
  });

  it('is never below the cost of what the body can come to', () => {
    fc.assert(
      fc.property(
        anyText({ maxLength: 60 }),
        fc.integer({ min: 0, max: 4096 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (prompt, cap, answered, cached) => {
          const body = JSON.stringify({ max_tokens: cap, prompt });
          const input = Buffer.byteLength(prompt) + 8;
          const spent = usage(input, Math.floor(answered * cap), Math.floor(cached * input));
          const worst = book.worstCase('https://api.openai.com/v1', 'gpt-4o', callOf(body));
          expect(worst).toBeGreaterThanOrEqual(book.cost('https://api.openai.com/v1', 'gpt-4o', spent)!);
        },
      ),
    );
  });
});
