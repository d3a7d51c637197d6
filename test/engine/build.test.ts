import { describe, expect, it } from 'vitest';
import type { PermanentFailure, TransientFailure } from '../../src/core/call.ts';
import type { GraphNode } from '../../src/core/graph.ts';
import { ProblemError } from '../../src/core/problem.ts';
import { build } from '../../src/engine/build/build.ts';
import { failuresOf } from '../../src/engine/explain/failures.ts';
import { History } from '../../src/engine/history.ts';
import { reach } from '../../src/engine/select.ts';
import { survey } from '../../src/engine/survey.ts';
import { nodesWith, toyGraph, toyOptions, toyWorld } from '../helpers/toy.ts';

const refused: PermanentFailure = { class: 'permanent', reason: 'refused', message: 'no' };
const overloaded: TransientFailure = { class: 'transient', reason: 'overloaded', message: 'busy' };

describe('a build', () => {
  it('buys each distinct call once, and the second build runs and buys nothing', async () => {
    const world = toyWorld();
    const first = await world.build();
    expect(first.exit).toBe(0);
    expect(world.buyer.sent).toHaveLength(6);
    expect(nodesWith(first, 'run')).toEqual(['words', 'answers/a', 'answers/b', 'count', 'last']);
    expect(first.totals.calls).toEqual({ bought: 6, cached: 0, failed: 0 });

    const second = await world.build();
    expect(world.buyer.sent).toHaveLength(0);
    expect(nodesWith(second, 'cached')).toHaveLength(5);
    expect(second.build).toBeNull();
    expect(world.store.contents.builds).toHaveLength(1);
  });

  it('pays for what an edit changed and nothing else; reverted, the old outputs are back for nothing', async () => {
    const world = toyWorld();
    const before = await world.build();
    const edited = await world.build(toyGraph({ words: ['one', 'two', 'four!'] }));
    expect(world.buyer.sent.map((order) => JSON.parse(order.body).prompt)).toEqual(['four!!', 'four!!']);
    expect(edited.totals.calls).toEqual({ bought: 2, cached: 4, failed: 0 });

    const reverted = await world.build();
    expect(world.buyer.sent).toHaveLength(0);
    expect(nodesWith(reverted, 'run')).toEqual([]);
    // What the targets depend on differs from the last build, so this is a build of its own.
    expect(reverted.build).not.toBeNull();
    expect(reverted.results.get('last')?.action?.outputs).toEqual(before.results.get('last')?.action?.outputs);
  });

  it('leaves no record of a build with nothing to do, whatever was built in between', async () => {
    const world = toyWorld();
    await world.build();
    await world.build(toyGraph(), { force: new Set(['answers/a']) }, ['answers/a']);
    const records = world.store.contents.builds.length;
    expect((await world.build()).build).toBeNull();
    expect(world.store.contents.builds).toHaveLength(records);
  });

  it('leaves one where a single node is not what it was when it was last built, however long ago that was', async () => {
    const world = toyWorld();
    const noted = (note: string) => {
      const graph = toyGraph();
      const last = graph.nodes.get('last')!;
      return { ...graph, nodes: new Map([...graph.nodes, ['last', { ...last, params: { note } }] as const]) };
    };
    await world.build(noted('one'));
    await world.build(noted('two'));
    await world.build(noted('one'), { force: new Set(['answers/a']) }, ['count']);
    const back = await world.build(noted('one'));
    expect([back.build === null, nodesWith(back, 'run')]).toEqual([false, []]);
  });

  it('stops the wave at a node that re-runs to the same bytes', async () => {
    const world = toyWorld();
    await world.build();
    // Other answers with as many letters: `count` runs to the same bytes, `last` does not run.
    const outcome = await world.build(toyGraph({ suffix: '?' }));
    expect(nodesWith(outcome, 'run')).toEqual(['answers/a', 'answers/b', 'count']);
    expect(nodesWith(outcome, 'cached')).toEqual(['words', 'last']);
  });

  it('re-reads the store after a change of code, and buys nothing', async () => {
    const world = toyWorld();
    await world.build();
    world.code.answers = '2';
    const outcome = await world.build();
    expect(world.buyer.sent).toHaveLength(0);
    expect(nodesWith(outcome, 'run')).toEqual(['answers/a', 'answers/b']);
    expect(outcome.totals.calls).toEqual({ bought: 0, cached: 6, failed: 0 });
  });

  it('buys equal requests once, however many items ask them', async () => {
    const world = toyWorld();
    const outcome = await world.build(toyGraph({ words: ['same', 'same', 'same'] }));
    expect(world.buyer.sent).toHaveLength(2);
    expect(outcome.results.get('answers/a')?.action?.summary).toMatchObject({ items: 3, calls: [{ calls: 1 }] });
    expect((await world.build(toyGraph({ words: ['same', 'same', 'same'] }))).totals.nodes.run).toBe(0);
  });

  it('answers an item call after call', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) => `${prompt}.`;
    await world.build(toyGraph({ twice: true }));
    expect(world.buyer.sent).toHaveLength(12);
    await world.build(toyGraph({ twice: true }));
    expect(world.buyer.sent).toHaveLength(0);
  });

  it('makes the same bytes whatever the concurrency', async () => {
    const words = Array.from({ length: 50 }, (_, index) => `word ${index}`);
    const outputs = [];
    for (const jobs of [1, 64]) {
      const world = toyWorld();
      let turn = 0;
      // Replies land in another order than they were asked in.
      world.buyer.respond = async (prompt) => {
        for (let wait = turn++ % 7; wait > 0; wait--) await new Promise((resolve) => setImmediate(resolve));
        return prompt.toUpperCase();
      };
      const outcome = await world.build(toyGraph({ words, twice: true }), { jobs });
      expect(world.buyer.most).toBeLessThanOrEqual(jobs);
      outputs.push([...outcome.results.values()].map((result) => result.action?.outputs));
    }
    expect(outputs[0]).toEqual(outputs[1]);
  });
});

describe('failures', () => {
  it('keeps what was bought when retries are spent, records nothing, and goes on from there', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) => (prompt === 'two!' ? overloaded : prompt);
    const outcome = await world.build();
    expect(outcome.exit).toBe(1);
    expect(nodesWith(outcome, 'skipped')).toContain('last');
    expect(world.store.contents.actions.size).toBe(1);

    world.buyer.respond = (prompt) => prompt;
    const bought = world.store.contents.calls.size;
    const next = await world.build();
    expect(next.exit).toBe(0);
    expect(world.buyer.sent).toHaveLength(6 - bought);
    expect(world.store.contents.calls.size).toBe(6);
  });

  it('tells what a node bought and paid for that the disk ended', async () => {
    const world = toyWorld();
    const { put } = world.store.calls;
    world.store.calls.put = async (key, call) => {
      if (world.store.contents.calls.size > 0)
        throw new ProblemError({ id: 'CJE-CACHE-FULL', headline: 'no space left' }, 1);
      await put(key, call);
    };
    const { exit, totals, build } = await world.build();
    expect(exit).toBe(1);
    const kept = [...world.store.contents.calls.values()];
    expect(kept.length).toBeGreaterThan(0);
    expect(totals.calls.bought).toBe(kept.length);
    const billed = kept.reduce((sum, { cost }) => sum + (cost ?? 0), 0);
    expect(totals.cost.billed).toBeCloseTo(billed);
    // All that was sent was answered and paid for: what could not be kept is unknown, once, and leaves no try behind.
    const paid = (billed / kept.length) * world.buyer.sent.length;
    expect(totals.cost.billed + totals.cost.unknown!).toBeCloseTo(paid);
    expect(world.buyer.sent.length).toBeGreaterThan(kept.length);
    expect([...world.store.intents.list()]).toEqual([]);
    // The record has room, and says how it ended.
    const history = new History(world.store, 'sim');
    expect(history.records.map(({ id }) => id)).toEqual([build]);
    const nodes = reach(toyGraph(), ['last']);
    const failures = failuresOf(nodes, await survey(nodes, world.ports()), history, world.ports());
    expect(failures.nodes.map(({ reason }) => reason)).toContain('no space left');
  });

  it('tells a full disk once that kept the copies from being made as well', async () => {
    const world = toyWorld();
    const full = (headline: string) => new ProblemError({ id: 'CJE-CACHE-FULL', headline }, 1);
    world.store.calls.put = () => Promise.reject(full('no space left for the cache'));
    const sync = () => Promise.reject(full('no space left for the copies'));
    const end = await build(toyGraph(), ['last'], toyOptions(), { ...world.ports(), out: { sync } });
    const problems = world.events.flatMap((event) => (event.type === 'problem' ? [event.problem.headline] : []));
    expect(problems).toEqual(['no space left for the cache']);
    expect(world.store.builds.get(end.build!)?.uncopied).toBe('no space left for the copies');
  });

  it('does not buy a permanent failure again until asked to', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) => (prompt === 'two!' ? refused : prompt);
    const graph = toyGraph({ tolerate: 0.5 });
    const outcome = await world.build(graph);
    expect(outcome.exit).toBe(0);
    expect(outcome.results.get('answers/a')?.action?.summary).toMatchObject({
      items: 3,
      statuses: { ok: 2, refused: 1 },
    });
    await world.build(graph);
    expect(world.buyer.sent).toHaveLength(0);

    world.buyer.respond = (prompt) => prompt;
    const retried = await world.build(graph, { retryFailed: true });
    expect(world.buyer.sent).toHaveLength(2);
    expect(retried.results.get('answers/a')?.action?.summary.statuses).toEqual({ ok: 3 });
    expect(nodesWith(retried, 'run')).toContain('last');
    expect(world.store.contents.failures.size).toBe(0);
  });

  it('asks a failure that stays permanent once for each --retry-failed', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) => (prompt === 'two!' ? refused : prompt);
    const graph = toyGraph({ tolerate: 0.5 });
    await world.build(graph);
    const again = await world.build(graph, { retryFailed: true });
    expect(again.exit).toBe(0);
    expect(world.buyer.sent).toHaveLength(2);
  });

  it('asks it once for all items that ask the same', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) => (prompt === 'two!' ? refused : prompt);
    // One at a time, so that the second is asked when the first has failed.
    const graph = toyGraph({ words: ['two', 'one', 'two'], tolerate: 0.9 });
    await world.build(graph, { jobs: 1 });
    await world.build(graph, { jobs: 1, retryFailed: true });
    // By each of two nodes, whose draws differ.
    expect(world.buyer.sent).toHaveLength(2);
  });

  it('holds recorded completeness against `tolerate` on every build, hit or not', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) => (prompt === 'two!' ? refused : prompt);
    const strict = await world.build(toyGraph({ tolerate: 0.1 }));
    expect(strict.exit).toBe(1);
    expect(strict.results.get('answers/a')?.reason).toContain('1 refused of 3 items');
    const again = await world.build(toyGraph({ tolerate: 0.1 }), { onFailure: 'continue' });
    expect(again.exit).toBe(1);
    expect(world.buyer.sent).toHaveLength(0);
    // Rows are there, and are not enough: nothing is made of them.
    expect(nodesWith(again, 'failed')).toEqual(['answers/a', 'answers/b']);
    expect(nodesWith(again, 'skipped')).toEqual(['count', 'last']);
    expect((await world.build(toyGraph({ tolerate: 0.4 }))).exit).toBe(0);
    expect(world.buyer.sent).toHaveLength(0);
  });

  it('stops a node at once when the provider is unreachable', async () => {
    const world = toyWorld();
    world.buyer.respond = () => ({ class: 'fatal', reason: 'bad_key', message: 'the key is wrong' });
    const words = Array.from({ length: 500 }, (_, index) => `word ${index}`);
    const outcome = await world.build(toyGraph({ words }), { jobs: 4 });
    expect(outcome.exit).toBe(1);
    expect(world.buyer.sent.length).toBeLessThanOrEqual(16);
    expect(outcome.results.get('answers/a')?.reason).toContain('the key is wrong');
  });

  it.each([
    ['stop-new', 'skipped'],
    ['continue', 'run'],
  ] as const)('begins no node after a failure where that is to stop it: %s', async (onFailure, outcome) => {
    const world = toyWorld();
    const toy = toyGraph();
    const node = (name: string, more: Partial<GraphNode>) => [name, { ...toy.nodes.get(name)!, ...more }] as const;
    const other = node('answers/b', { params: { suffix: '?', draw: 'b' } });
    // Counts the one that is in time, and knows nothing of the one that fails.
    const answers = { arity: 'many', nodes: [{ label: 'b', node: 'answers/b' }] } as const;
    const graph = { ...toy, nodes: new Map([...toy.nodes, other, node('count', { inputs: { answers } })]) };
    let fail: () => void = () => {};
    const failed = new Promise<void>((resolve) => {
      fail = resolve;
    });
    world.buyer.respond = async (prompt) => {
      if (prompt.endsWith('?')) return failed.then(() => prompt);
      setImmediate(() => setImmediate(fail));
      return { class: 'fatal', reason: 'no_key', message: 'there is no key' };
    };
    const built = await world.build(graph, { onFailure }, ['answers/a', 'count']);
    expect(built.results.get('answers/a')?.outcome).toBe('failed');
    expect(built.results.get('answers/b')?.outcome).toBe('run');
    expect(built.results.get('count')?.outcome).toBe(outcome);
    // A key that is not there is a mistake of the caller's.
    expect(built.exit).toBe(2);
  });

  it('goes on with what does not depend on a failure, when told to', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt, order) => (order.key && prompt === 'one!' ? overloaded : prompt);
    const outcome = await world.build(toyGraph(), { onFailure: 'continue' });
    expect(nodesWith(outcome, 'failed')).toEqual(['answers/a', 'answers/b']);
    expect(world.store.contents.calls.size).toBe(4);
    // One cause is one problem, whichever nodes it stopped.
    expect(world.events.flatMap((event) => (event.type === 'problem' ? [event.problem] : []))).toEqual([
      expect.objectContaining({
        headline: expect.stringMatching(/^answers\/a and 1 more failed: retries are spent/),
        facts: [['nodes', 'answers/a, answers/b']],
      }),
    ]);
  });

  it.each([
    [overloaded, /^answers\/a and 1 more failed: retries are spent \(/],
    [
      { ...overloaded, message: 'asks to wait 2 hours', outOfTime: true as const },
      /^answers\/a and 1 more failed: asks to wait 2 hours$/,
    ],
  ])('says whether tries or time ran out: %o', async (failure, headline) => {
    const world = toyWorld();
    world.buyer.respond = (prompt) => (prompt === 'one!' ? failure : prompt);
    await world.build(toyGraph());
    const problems = world.events.flatMap((event) => (event.type === 'problem' ? [event.problem] : []));
    expect(problems).toEqual([
      expect.objectContaining({ id: 'CJE-RETRIES-SPENT', headline: expect.stringMatching(headline) }),
    ]);
  });

  it('reports a node that refuses as refused, and fails only where the user named it', async () => {
    const world = toyWorld();
    world.buyer.respond = () => '';
    const outcome = await world.build();
    expect(outcome.exit).toBe(0);
    expect(nodesWith(outcome, 'refused')).toEqual(['last']);
    expect((await world.build(toyGraph(), { named: new Set(['last']) })).exit).toBe(1);
  });
});

describe('limits', () => {
  it('admits no call beyond --max-calls, keeps what landed, and goes on later', async () => {
    const world = toyWorld();
    const limits = { maxCost: undefined, unapprovedCost: undefined, maxCalls: 4 };
    const outcome = await world.build(toyGraph(), { limits });
    expect(outcome.exit).toBe(3);
    // What is not made has no price yet, and a node that a cap stopped has not failed.
    expect(outcome.totals.cost.reproduce).toBeNull();
    expect(world.events).toContainEqual(expect.objectContaining({ type: 'node-finished', unfinished: true }));
    expect(world.buyer.sent).toHaveLength(4);
    expect(world.store.contents.calls.size).toBe(4);
    const next = await world.build();
    expect(next.exit).toBe(0);
    expect(world.buyer.sent).toHaveLength(2);
  });

  it('reserves the worst case, so that a cap on dollars holds under any concurrency', async () => {
    const world = toyWorld();
    const words = Array.from({ length: 40 }, (_, index) => `word ${index}`);
    // A call reserves $1 and costs $0.23.
    const outcome = await world.build(toyGraph({ words }), {
      jobs: 64,
      limits: { maxCost: 3, unapprovedCost: undefined, maxCalls: undefined },
    });
    expect(outcome.exit).toBe(3);
    // Nine have cost $2.07, and the worst case of a tenth has no room beside that.
    expect(world.buyer.most).toBeLessThanOrEqual(3);
    expect(outcome.totals.cost.billed).toBeCloseTo(2.07, 9);
    expect(outcome.totals.calls.bought).toBe(9);
    expect(world.events).toContainEqual(expect.objectContaining({ type: 'budget-reached', limit: 'cost', bound: 3 }));
  });

  it('counts every try against --max-calls, that of a call that failed too', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) => (prompt === 'one!' ? overloaded : prompt);
    const limits = { maxCost: undefined, unapprovedCost: undefined, maxCalls: 4 };
    const outcome = await world.build(toyGraph(), { limits, onFailure: 'continue' });
    expect(world.buyer.sent).toHaveLength(4);
    expect(outcome.totals.calls.bought).toBe(2);
    expect(world.buyer.most).toBeLessThanOrEqual(4);
  });

  it('buys nothing offline: a reply that is not there is an error, and one that is is used', async () => {
    const world = toyWorld();
    expect((await world.build(toyGraph(), { offline: true })).exit).toBe(1);
    expect(world.buyer.sent).toHaveLength(0);
    await world.build();
    world.code.answers = '2';
    const outcome = await world.build(toyGraph(), { offline: true });
    expect(outcome.exit).toBe(0);
    expect(world.buyer.sent).toHaveLength(0);
  });

  it('stops at an interrupt, keeps what lands, and goes on with the rest', async () => {
    const world = toyWorld();
    const interrupt = new AbortController();
    world.buyer.respond = (prompt) => {
      if (world.buyer.sent.length === 2) interrupt.abort();
      return prompt;
    };
    const outcome = await world.build(toyGraph(), { jobs: 1, interrupt: interrupt.signal });
    expect(outcome.exit).toBe(130);
    expect(world.store.contents.calls.size).toBe(2);
    world.buyer.respond = (prompt) => prompt;
    await world.build();
    expect(world.buyer.sent).toHaveLength(4);
  });

  it('gives way to a build that holds the lock', async () => {
    const world = toyWorld();
    await world.store.lock.acquire('another');
    const outcome = await world.build();
    expect(outcome.exit).toBe(4);
    expect(world.buyer.sent).toHaveLength(0);
  });
});

describe('the record of a finished node', () => {
  it('counts for nothing without its bytes', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt, order) => prompt + order.key;
    const outcome = await world.build();
    const ref = outcome.results.get('answers/a')!.action!.outputs['rows.jsonl']!;
    world.store.contents.blobs.delete(ref.digest);
    const next = await world.build();
    expect(nodesWith(next, 'run')).toEqual(['answers/a']);
    expect(world.buyer.sent).toHaveLength(0);
  });

  it('takes a stored reply for another request as a miss, never as an answer', async () => {
    const world = toyWorld();
    await world.build();
    for (const [key, call] of world.store.contents.calls) {
      world.store.contents.calls.set(key, { ...call, request: `${call.request} ` });
    }
    world.code.answers = '2';
    await world.build();
    expect(world.buyer.sent).toHaveLength(6);
  });
});
