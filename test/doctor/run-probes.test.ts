import { describe, expect, it } from 'vitest';
import type { BatchSettings } from '../../src/core/batch.ts';
import type { BatchApi, BatchState } from '../../src/core/batch-port.ts';
import type { CallFailure } from '../../src/core/call.ts';
import type { Provider } from '../../src/core/graph.ts';
import { runProbes } from '../../src/doctor/run-probes.ts';
import type { HttpProviderClient } from '../../src/providers/client.ts';
import { Budget } from '../../src/replies/budget.ts';
import { Spend } from '../../src/replies/spend.ts';
import { type Delivery, delivered, lost, PRICES, play } from '../engine/money.ts';
import { modelRef, PROVIDER, target } from './support.ts';

type ConsultOptions = Parameters<typeof runProbes>[2];

const REFUSED: CallFailure = { class: 'permanent', reason: 'rejected', message: '400 no' };

interface Setting extends Partial<Pick<ConsultOptions, 'secrets' | 'environment' | 'batches'>> {
  readonly models?: readonly string[];
  readonly maxCost?: number;
  readonly provider?: Partial<Provider>;
}

/** Asks about the models of a provider whose every call ends like this. */
async function ask(delivery: Delivery, more: Setting = {}) {
  let sent = 0;
  const buyer: HttpProviderClient = {
    buy: (order, { admit }) =>
      play(order, admit, async () => {
        sent++;
        return delivery;
      }),
    look: async () => ({
      ok: false,
      status: 404,
      failure: { class: 'transient', reason: 'bad_reply', message: '404' },
    }),
    concurrency: () => 1,
    close: async () => {},
  };
  const limits = { maxCost: more.maxCost, unapprovedCost: undefined, maxCalls: undefined };
  const budget = new Budget(limits, PRICES);
  const options: ConsultOptions = {
    buyer,
    spend: new Spend(budget, () => {}),
    prices: PRICES,
    secrets: more.secrets ?? (() => undefined),
    environment: more.environment ?? {},
    overlong: undefined,
    newDraw: () => `draw ${sent}`,
    seen: [],
    signal: new AbortController().signal,
    onProgress: () => {},
    ...(more.batches === undefined ? {} : { batches: more.batches }),
  };
  const provider = { ...PROVIDER, ...more.provider };
  const targets = (more.models ?? ['m']).map((model) => ({ ...target(['chat'], modelRef({}, model)), provider }));
  return { ...(await runProbes(provider, targets, options)), budget, sent };
}

// A call reserves $10.
describe('what the doctor spends', () => {
  it.each<[string, Delivery, { cost: number; unknown: number }]>([
    ['a reply', delivered(3), { cost: 3, unknown: 0 }],
    ['a reply without a usage', delivered(3, { usageKnown: false }), { cost: 0, unknown: 10 }],
    ['one drop, then a reply', delivered(3, { drops: 1 }), { cost: 3, unknown: 10 }],
    ['two drops, then 400', lost(2, REFUSED), { cost: 0, unknown: 20 }],
    ['one drop, and no more', lost(1), { cost: 0, unknown: 10 }],
    ['400', lost(0, REFUSED), { cost: 0, unknown: 0 }],
  ])('%s: the finding says what the budget says', async (_, delivery, { cost, unknown }) => {
    const { models, budget, sent, failed } = await ask(delivery);
    expect(sent).toBeGreaterThan(0);
    expect(models).toMatchObject([{ model: 'm', calls: sent, cost: cost * sent, unknown: unknown * sent }]);
    expect(budget.spent).toBe((cost + unknown) * sent);
    expect(failed).toBe(delivery.result.ok ? 0 : sent);
  });

  it('stays below its cap, and counts no call that was not sent', async () => {
    const { models, sent, budget } = await ask(delivered(3), { maxCost: 9 });
    expect([sent, budget.spent]).toEqual([0, 0]);
    expect(models).toMatchObject([{ calls: 0, cost: 0 }]);
  });
});

describe('a failure that every other call would end in', () => {
  const fatal = (reason: 'bad_key' | 'unknown_model'): CallFailure => ({ class: 'fatal', reason, message: 'no' });
  const transient = (reason: 'connection' | 'overloaded'): CallFailure => ({
    class: 'transient',
    reason,
    message: 'no',
  });

  it.each<[string, CallFailure, boolean]>([
    ['a bad key', fatal('bad_key'), true],
    ['an unknown model', fatal('unknown_model'), false],
    ['no connection', transient('connection'), true],
    ['too much to do', transient('overloaded'), false],
    ['an interrupt', { class: 'stopped', reason: 'interrupted', message: 'no' }, true],
    ['a refusal', REFUSED, false],
  ])('%s: the next model is asked or not', async (_, failure, stops) => {
    const { models } = await ask(lost(0, failure), { models: ['m', 'n'] });
    expect(models.map(({ model }) => model)).toEqual(['m', 'n']);
    expect(models[0]!.calls).toBeGreaterThan(0);
    expect(models[1]!.calls === 0).toBe(stops);
  });
});

describe('of a provider is told', () => {
  const checksOf = async (more: Setting) => {
    const { provider } = await ask(delivered(1), more);
    return provider.checks.map(({ name, status, detail }) => [name, status, detail]);
  };
  const keys = { provider: { keyVariable: 'A', access: { fallbackKeys: ['B', 'C'] } } };

  it.each<[string, readonly string[], string, string]>([
    ['every variable of its keys', ['A', 'B', 'C'], 'ok', 'A and B and C are set'],
    ['which of them are passed over', ['B'], 'warning', 'B is set, A and C are not'],
    ['that a single one is passed over', ['A', 'C'], 'warning', 'A and C are set, B is not'],
    ['that none is set', [], 'failure', 'A and B and C are not set'],
  ])('%s', async (_, present, status, detail) => {
    const secrets = (name: string) => (present.includes(name) ? 'sk-0123456789' : undefined);
    expect((await checksOf({ ...keys, secrets }))[0]).toEqual(['key', status, detail]);
  });

  it('where its key comes from where no variable holds it', async () => {
    expect((await checksOf({ provider: { access: { keyCommand: 'pass lab' } } }))[0]).toEqual([
      'key',
      'note',
      'what key_command prints',
    ]);
    expect((await checksOf({}))[0]).toEqual(['key', 'note', 'none is asked for']);
  });

  it('the proxy that leads to it, without its credential', async () => {
    const environment = { httpProxy: 'http://me:secret@proxy.lan:3128' };
    expect((await checksOf({ environment }))[1]).toEqual([
      'proxy',
      'note',
      'through http://proxy.lan:3128, as the environment says',
    ]);
    const excepted = await checksOf({ environment: { ...environment, noProxy: 'lab' } });
    expect(excepted.map(([name]) => name)).not.toContain('proxy');
  });
});

describe('batches of one', () => {
  const settings: BatchSettings = {
    ...{ api: 'openai', rows: 100, bytes: 1e6, echo: false, price: 0.5 },
    ...{ pollSeconds: 1, graceSeconds: 1, patienceSeconds: 1 },
  };
  const state = (end: BatchState['end']): BatchState => ({
    ...{ id: 'b', end, status: String(end), total: 1, answered: 1, mistakes: [], results: [] },
  });

  /** Every call is delivered for $3, and a batch comes to its end at once, where it is taken at all. */
  function askWith(isTaken: boolean) {
    const usage = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1 };
    const api: BatchApi = {
      ...{ settings, ephemeral: false, named: true },
      upload: async () => ({ ok: true, value: 'file' }),
      create: async () => (isTaken ? { ok: true, value: state(undefined) } : { ok: false, failure: REFUSED }),
      find: async () => ({ ok: true, value: [] }),
      look: async () => ({ ok: true, value: state('completed') }),
      cancel: async () => ({ ok: true, value: undefined }),
      async *rows() {
        yield [{ type: 'response', id: 'x', status: 200, body: '{"choices":[{"message":{"content":"5"}}]}' }];
      },
      judge: (_, row) => ({ result: { ok: true, raw: row.body, usage }, outcome: { billed: usage } }),
    };
    const clock = { now: () => 0, sleep: async () => {} };
    return ask(delivered(3), { provider: { batch: settings }, batches: { apis: async () => api, clock } });
  }

  it('are calls like any other, for money where they were taken', async () => {
    const taken = await askWith(true);
    expect(taken.models).toMatchObject([{ calls: taken.sent + 1, unknown: 0, cost: taken.budget.spent }]);
    expect(taken.budget.spent).toBeGreaterThan(3 * taken.sent);
    const refused = await askWith(false);
    expect(refused.models).toMatchObject([{ calls: refused.sent + 1, unknown: 0, cost: 3 * refused.sent }]);
  });
});
