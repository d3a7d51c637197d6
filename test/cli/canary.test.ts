import { describe, expect, it } from 'vitest';
import { runCanary } from '../../src/cli/canary.ts';
import { ProblemError } from '../../src/core/problem.ts';
import type { TrialOptions } from '../../src/engine/trial/trial.ts';
import { shiftText } from '../../src/terminal/agreement-text.ts';
import { signed } from '../../src/text/numbers.ts';
import { type ToyWorld, toyGraph, toyWorld } from '../helpers/toy.ts';
import { provider } from '../providers/support.ts';

const WORDS = Array.from({ length: 50 }, (_, index) => `word${index}`);

interface Case {
  readonly items: number;
  readonly maxCalls?: number;
  readonly words?: readonly string[];
  readonly requestsPerMinute?: number;
  /** Dollars of a million tokens of output; undefined: unknown. */
  readonly unpriced?: boolean;
  readonly twice?: boolean;
}

/** Tries a toy experiment of 100 calls in two nodes; a call costs $0.23. */
async function tryOut(world: ToyWorld, { items, maxCalls, words = WORDS, twice = false, ...more }: Case) {
  const limits = { concurrency: 1, timeoutSeconds: 1, attempts: 1 };
  const { requestsPerMinute } = more;
  const graph = {
    ...toyGraph({ words, twice }),
    providers: [
      provider({
        identity: 'toy',
        limits: { ...limits, ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }) },
      }),
    ],
  };
  const options: TrialOptions = {
    items,
    jobs: 1,
    force: new Set(),
    retryFailed: false,
    limits: { maxCost: undefined, unapprovedCost: undefined, maxCalls },
    command: 'cje build --canary',
    interrupt: new AbortController().signal,
    kill: new AbortController().signal,
  };
  const ports = world.ports();
  const prices = more.unpriced ? { ...ports.prices, cost: () => undefined } : ports.prices;
  const session = { graph, ports: { ...ports, prices } };
  const texts: string[] = [];
  const values: unknown[] = [];
  const print = { text: (printed: string) => void texts.push(printed), json: undefined };
  const plain = await runCanary(session, ['last'], options, print);
  // The same once more for the figures: everything is bought again, in a store that knows nothing of it.
  const other = toyWorld();
  other.buyer.respond = world.buyer.respond;
  const again = { graph, ports: { ...other.ports(), prices } };
  await runCanary(again, ['last'], options, { text: () => {}, json: (value) => void values.push(value) });
  return { exit: plain.exit, text: texts.join(''), json: values[0] as Record<string, unknown> };
}

describe('what is left after a canary', () => {
  it('costs what its own calls cost, call by call', async () => {
    const { json, text, exit } = await tryOut(toyWorld(), { items: 10, requestsPerMinute: 50 });
    // Ten of 100 calls: 90 are left, at $0.23; 100 calls at 50 a minute are two minutes.
    expect(json).toMatchObject({
      type: 'canary',
      version: 1,
      targets: ['last'],
      bought: 10,
      cost: expect.closeTo(2.3, 9),
      rest: { calls: 90, dollars: expect.closeTo(90 * 0.23, 9), minutes: expect.closeTo(1.8, 9), exact: true },
      stopped: null,
    });
    expect(json.nodes).toMatchObject([
      { node: 'answers/a', items: 5, invalidated: 50, complete: 5, bought: 5, cost: expect.closeTo(1.15, 9) },
      { node: 'answers/b', items: 5, invalidated: 50, complete: 5, bought: 5, cost: expect.closeTo(1.15, 9) },
    ]);
    expect(text).toContain('Canary: 10 items of 100; 10 calls bought for $2.30');
    expect(text).toContain('The rest: 90 calls for about $20.70, 1 min 48 s at the configured limits.');
    expect(text).toContain('To buy the rest: cje build last');
    expect(text).not.toContain('Without a usable reply');
    expect(exit).toBe(0);
  });

  it('costs what was planned, for nodes of which nothing was bought', async () => {
    const { json } = await tryOut(toyWorld(), { items: 1 });
    // One call of the first node at $0.23, 49 more of it; the other 50 as planned: guessed at two tokens of output.
    const { rest } = json as { rest: { calls: number; dollars: number; minutes: number } };
    expect(rest).toMatchObject({ calls: 99, minutes: 0 });
    const planned = rest.dollars - 49 * 0.23;
    expect(planned).toBeGreaterThan(50 * 2 * 0.1);
    expect(planned).toBeLessThan(50 * (2 * 0.1 + 30 * 0.01));
  });

  it('is nothing where all was bought', async () => {
    const { json } = await tryOut(toyWorld(), { items: 200, requestsPerMinute: 50 });
    expect(json).toMatchObject({ bought: 100, rest: { calls: 0, dollars: 0, minutes: 0 } });
  });

  it('costs an unknown sum where a price is unknown', async () => {
    const { json, text } = await tryOut(toyWorld(), { items: 1, unpriced: true });
    expect(json).toMatchObject({ rest: { dollars: null } });
    expect(text).toContain('for an unknown sum');
  });

  it('is a bound where calls follow from calls', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) => `${prompt}.`;
    const { text, json } = await tryOut(world, { items: 2, twice: true });
    // Two items of two calls each, of 100 items.
    expect(json).toMatchObject({ bought: 4, rest: { calls: 196, exact: false } });
    expect(text).toContain('The rest: at most 196 calls');
  });

  it('and why it stopped early, and what came without a reply', async () => {
    const { exit, text, json } = await tryOut(toyWorld(), { items: 10, maxCalls: 4 });
    expect(json).toMatchObject({ bought: 4, stopped: 'the cap of 4 calls is reached' });
    expect(text).toContain('Stopped early: the cap of 4 calls is reached');
    expect(text).toContain('Without a usable reply: answers/a 1, answers/b 5');
    expect(exit).toBe(3);
  });

  it('of nothing to buy is not told at all', async () => {
    const world = toyWorld();
    await world.build(toyGraph({ words: WORDS }));
    const { text, exit } = await tryOut(world, { items: 10 });
    expect(text).toBe('Nothing would be bought, so there is nothing to try.\n');
    expect(exit).toBe(0);
  });

  it('is not tried while another build holds the lock', async () => {
    const world = toyWorld();
    world.store.holder = { pid: 1, processStart: '', bootId: '', host: 'here', command: 'cje build', since: 0 };
    const failure = await tryOut(world, { items: 1 }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ProblemError);
    expect((failure as ProblemError).exit).toBe(4);
  });
});

describe('a shift', () => {
  const agreement = { n: 2, meanBefore: 0, meanAfter: 0, correlation: null, meanAbsolute: 0, unchanged: 0 };
  it('has a sign and half of its interval', () => {
    expect(shiftText({ ...agreement, shift: 0.25, lower: 0.1, upper: 0.4 })).toBe('+0.250 ± 0.150');
    expect(shiftText({ ...agreement, shift: -0.25, lower: null, upper: null })).toBe('-0.250');
    expect([signed(0.0004, 3), signed(-0.0004, 3), signed(0.0005, 3), signed(-0.001, 3)]).toEqual([
      '0.000',
      '0.000',
      '+0.001',
      '-0.001',
    ]);
  });
});
