import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluateTask } from '../../src/engine/blocks.ts';
import type { WorkOutcome } from '../../src/workers/job.ts';
import { newKey } from '../remote/support.ts';
import { countKind, KINDS, lab, numbers, taskOn } from './support.ts';

const { place, build, worker, machine, keys } = lab();
const yes = () => true;

/** Work on the queue, and the bytes that it must come to. */
async function handedOut(options?: Parameters<typeof build>[0], given?: Parameters<typeof taskOn>[1]) {
  const at = build(options);
  const input = await numbers(at.store.blobs, [1, 2, 3]);
  const task = taskOn(input, given);
  const result = at.executor.run(task, yes);
  return { ...at, input, task, result, local: () => evaluateTask(task, countKind, at.store.blobs, () => 0) };
}

const made = (outcome: WorkOutcome) => {
  if (outcome.type !== 'made') throw new Error(outcome.reason);
  return outcome;
};

describe('work on the queue', () => {
  it('is done by a worker that has nothing but the shared cache, and comes back as if it had been made here', async () => {
    const { queue, result, local, here, notes, store } = await handedOut();
    const { id, job } = await queue.take();
    const other = worker();
    queue.end(id, await other.do(job));
    const { output } = (await result)!;
    for (const ref of Object.values(output.outputs)) expect(store.blobs.locate(ref)).toBeDefined();
    expect(here.ran).toEqual([]);
    expect(output).toEqual((await local()).output);
    expect(notes()).toEqual([]);
    // Nobody else pulls what went between the two.
    expect(readdirSync(place()).sort()).toEqual(['segments', 'tmp', 'work']);
    // The job names its inputs, and holds none of them.
    expect(JSON.stringify(job)).not.toContain('"n":');
  });

  it('is the same for a block, of which the worker says how far it came', async () => {
    const at = build();
    const task = taskOn(await numbers(at.store.blobs, [4]), { units: 6 });
    const block = { from: 2, to: 6, milliseconds: 1000 };
    const result = at.executor.run({ ...task, block }, yes);
    const { id, job } = await at.queue.take();
    at.queue.end(id, await worker().do(job));
    expect(await result).toMatchObject({ block: { from: 2, to: 6 } });
    const rows = [...at.store.blobs.rows((await result)!.output.outputs['rows.jsonl']!)];
    expect(rows.map(({ unit }) => unit)).toEqual([2, 2, 3, 3, 4, 4, 5, 5]);
  });

  it('may be done twice, by workers that do not know of each other', async () => {
    const { queue, result, local, events } = await handedOut();
    const { id, job } = await queue.take();
    const first = worker();
    const outcomes = [await first.do(job)];
    queue.giveBack(id);
    expect((await queue.take()).id).toBe(id);
    outcomes.push(await first.do(job), await worker().do(job));
    queue.end(id, outcomes[2]!);
    expect((await result)!.output).toEqual((await local()).output);
    expect(events).toContainEqual({ type: 'work-returned', node: 'count/a', reason: 'worker-gone' });
  });

  it.each([
    [3, 8],
    [6, 12],
  ])('for workers with %i places is up to %i jobs at once', async (places, jobs) => {
    const seen = [
      { ...build().queue.seen[0]!, places: places - 1 },
      { ...build().queue.seen[0]!, places: 1 },
    ];
    const { executor, queue, clock, store } = build({ seen });
    const input = await numbers(store.blobs, [1]);
    // Whoever sees the workers first knows how many jobs they want.
    void executor.run(taskOn(input, { factor: 100 }), yes);
    await queue.untaken();
    await clock.advance(1000);
    for (let factor = 1; factor < 20; factor++) void executor.run(taskOn(input, { factor }), yes);
    await clock.advance(1000);
    expect(queue.jobs.size).toBe(jobs);
  });

  it('is one job for two builds, and for two nodes of the same work', async () => {
    const at = await handedOut();
    const twin = at.executor.run(taskOn(at.input, {}, 'count/b'), yes);
    const { id, job } = await at.queue.take();
    at.queue.end(id, await worker().do(job));
    expect((await twin)!.output).toEqual((await at.result)!.output);
  });
});

describe('what comes back is refused by name, and done here', () => {
  it.each<[string, (outcome: Extract<WorkOutcome, { type: 'made' }>) => WorkOutcome, string]>([
    ['a name that is none', (outcome) => ({ ...outcome, index: '../../etc/passwd' }), 'no index has such a name'],
    [
      'a name under which nothing is',
      (outcome) => ({ ...outcome, index: outcome.index.replace(/\w{4}\./, 'abcd.') }),
      'it is not there',
    ],
  ])('%s', async (_, change, reason) => {
    const { queue, result, local, here, notes } = await handedOut();
    const { id, job } = await queue.take();
    queue.end(id, change(made(await worker().do(job))));
    expect((await result)!.output).toEqual((await local()).output);
    expect(here.ran).toHaveLength(1);
    expect(notes()).toEqual([expect.stringContaining(`count/a is done here: `)]);
    expect(notes()[0]).toContain(reason);
  });

  it('a worker whose key is not trusted here', async () => {
    const { queue, result, notes, local } = await handedOut();
    const { id, job } = await queue.take();
    queue.end(id, await worker(newKey()).do(job));
    expect((await result)!.output).toEqual((await local()).output);
    expect(notes()[0]).toMatch(/its writer is not trusted: ed25519:/);
  });

  it('an output that was changed on its way', async () => {
    const { queue, result, notes, local } = await handedOut();
    const { id, job } = await queue.take();
    const outcome = made(await worker().do(job));
    const path = join(place(), 'segments', `${outcome.index.slice('work/'.length).split('.')[0]}.pack`);
    const bytes = readFileSync(path);
    bytes[600] = bytes[600]! ^ 1;
    writeFileSync(path, bytes);
    queue.end(id, outcome);
    expect((await result)!.output).toEqual((await local()).output);
    expect(notes()[0]).toContain('its bytes do not have the SHA-256 that is its name');
  });

  it('the result of other work, though it is signed by a worker', async () => {
    const { queue, result, notes, local, executor, input } = await handedOut();
    const other = executor.run(taskOn(input, { factor: 3 }, 'count/b'), yes);
    const [mine, theirs] = [await queue.take(), await queue.take()];
    const outcome = await worker().do(theirs.job);
    queue.end(mine.id, outcome);
    queue.end(theirs.id, outcome);
    expect((await result)!.output).toEqual((await local()).output);
    expect((await other)!.output).not.toEqual((await result)!.output);
    expect(notes()).toEqual([expect.stringContaining('it holds no result of this work')]);
  });

  it.each([2, 7])('a block of units 2 to 6 that is said to end at %i', async (to) => {
    const at = build();
    const block = { from: 2, to: 6, milliseconds: 1000 };
    const result = at.executor.run({ ...taskOn(await numbers(at.store.blobs, [4]), { units: 9 }), block }, yes);
    const { id, job } = await at.queue.take();
    // Signed, and made as it is said: a worker that was asked for it would be believed.
    const other = await worker().do({ ...job, block: { ...block, to: Math.max(to, 3) } });
    at.queue.end(id, { ...made(other), to });
    expect(await result).toMatchObject({ block: { from: 2, to: 6 } });
    expect(at.notes()[0]).toContain('another block than it was asked for');
  });

  it('a block that is said to be longer than it is', async () => {
    const at = build();
    const task = {
      ...taskOn(await numbers(at.store.blobs, [4]), { units: 6 }),
      block: { from: 0, to: 6, milliseconds: 1000 },
    };
    const result = at.executor.run(task, yes);
    const { id, job } = await at.queue.take();
    const part = await worker().do({ ...job, block: { ...job.block, to: 3 } });
    at.queue.end(id, { ...made(part), to: 6 });
    expect(await result).toMatchObject({ block: { from: 0, to: 6 } });
    expect(at.notes()[0]).toContain('it holds no result of this work');
  });
});

describe('a worker refuses by name', () => {
  it('work of other code', async () => {
    const { queue, result, local, notes } = await handedOut();
    const { id, job } = await queue.take();
    const stale = new Map(KINDS).set('count', { kind: countKind, code: 'code of last week' });
    const outcome = await worker(keys.worker, undefined, stale).do(job);
    expect(outcome).toEqual({
      type: 'refused',
      reason: "the code of count here is code of last week, and the build's is code of count: update cje",
    });
    queue.end(id, outcome);
    expect((await result)!.output).toEqual((await local()).output);
    expect(notes()[0]).toContain('count/a is done here: the code of count here is code of last week');
    // Else the next build would find the refusal, also where the worker is another by then.
    expect(queue.forgotten).toEqual([id]);
  });

  it.each([
    ['what is no job', () => ({ node: 'x' }), 'it is no job that this worker understands'],
    [
      'an input that is no digest',
      (job: object) => JSON.parse(JSON.stringify(job).replace(/"digest":"\w+"/, '"digest":"../../x"')),
      'it is no job that this worker understands',
    ],
    ['an unknown kind', (job: object) => ({ ...job, kind: 'scores' }), 'this worker has no work of the kind scores'],
    [
      'an input that nobody gave',
      (job: object) => ({ ...job, segments: [] }),
      'the shared cache does not have its input',
    ],
  ])('%s', async (_, change, reason) => {
    const { queue } = await handedOut();
    const { job } = await queue.take();
    expect(await worker().do(change(job))).toEqual({ type: 'refused', reason: expect.stringContaining(reason) });
  });

  it('inputs of a writer that it does not trust', async () => {
    const { queue } = await handedOut();
    const { job } = await queue.take();
    const outcome = await worker(keys.worker, [keys.worker]).do(job);
    expect(outcome).toEqual({ type: 'refused', reason: expect.stringContaining('its writer is not trusted') });
  });
});

describe('without workers', () => {
  it('work is done here after a while, and goes to the queue again when one comes', async () => {
    const { queue, clock, result, local, here, notes, executor, input } = await handedOut({ seen: [], wait: 1500 });
    const seen = build().queue.seen;
    await queue.untaken();
    await clock.advance(1000);
    expect([queue.jobs.size, here.ran.length]).toEqual([1, 0]);
    await clock.advance(1000);
    expect((await result)!.output).toEqual((await local()).output);
    expect([queue.jobs.size, here.ran.length]).toEqual([0, 1]);
    expect(notes()).toEqual(['no worker was heard of for 2 s (`cje worker`): work is done here until there is one']);
    queue.seen = seen;
    await clock.advance(1000);
    const next = executor.run(taskOn(input, { factor: 5 }), yes);
    const { id, job } = await queue.take();
    queue.end(id, await worker().do(job));
    expect(await next).toBeDefined();
    expect(here.ran).toHaveLength(1);
    expect(notes()).toHaveLength(2);
  });

  it('says of workers of other code that they take none of it', async () => {
    const other = { ...build().queue.seen[0]!, code: 'c0ffee', host: 'old-node' };
    const { clock, notes, result, queue } = await handedOut({ seen: [other], wait: 1500 });
    await queue.untaken();
    await clock.advance(3000);
    expect(await result).toBeDefined();
    expect(notes()[0]).toMatch(
      /^the worker on old-node \(pid 7, cje 1\) is of the code c0ffee, and this build of \w{16}: /,
    );
    expect(notes()).toHaveLength(2);
  });

  it('one that says nothing for longer than its lease counts as none', async () => {
    // A lease of 3 s.
    const heard = (seconds: number) => ({ ...build().queue.seen[0]!, seconds });
    const dead = await handedOut({ seen: [heard(4)], wait: 1500 });
    await dead.queue.untaken();
    await dead.clock.advance(3000);
    expect(await dead.result).toBeDefined();
    expect(dead.here.ran).toHaveLength(1);
    const alive = await handedOut({ seen: [heard(3)], wait: 1500 });
    await alive.queue.untaken();
    await alive.clock.advance(3000);
    expect(alive.here.ran).toEqual([]);
    const { id, job } = await alive.queue.take();
    alive.queue.end(id, await worker().do(job));
    expect(await alive.result).toBeDefined();
  });

  it('what a dead worker had in hand is done here, once its lease is over', async () => {
    const { queue, clock, result, local, here } = await handedOut({ wait: 1500 });
    const { id } = await queue.take();
    queue.seen = [];
    await clock.advance(2500);
    expect(here.ran).toEqual([]);
    queue.jobs.get(id)!.inHand = false;
    await clock.advance(1500);
    expect((await result)!.output).toEqual((await local()).output);
    expect(here.ran).toHaveLength(1);
  });

  it('is one of as many milliseconds as are to be waited, and not of one look less', async () => {
    const { queue, clock, result, here } = await handedOut({ seen: [], wait: 2000 });
    await queue.untaken();
    await clock.advance(1999);
    expect(here.ran).toEqual([]);
    await clock.advance(1);
    await result;
    expect(here.ran).toHaveLength(1);
  });

  it('equal work is taken back as one, and done for each who wants it', async () => {
    const { queue, clock, result, executor, input, local } = await handedOut({ seen: [], wait: 2000 });
    const twin = executor.run(taskOn(input, {}, 'count/b'), yes);
    await queue.untaken();
    await clock.advance(2000);
    expect([(await result)!.output, (await twin)!.output]).toEqual(new Array(2).fill((await local()).output));
  });

  it('as much is done here at once as there are places for', async () => {
    const { queue, clock, result, executor, input, here } = await handedOut({ seen: [], wait: 2000 });
    const more = [3, 4, 5, 6].map((factor) => executor.run(taskOn(input, { factor }), yes));
    await queue.untaken();
    await clock.advance(2000);
    expect((await Promise.all([result, ...more])).every((each) => each !== undefined)).toBe(true);
    expect([here.ran.length, here.most]).toEqual([5, 2]);
  });

  it('what ends when nobody waits for it any more is not done here', async () => {
    const { queue, result, executor, here } = await handedOut();
    const { id } = await queue.take();
    await executor.close();
    expect(await result).toBeUndefined();
    queue.end(id, { type: 'failed', reason: 'job stalled more than allowable limit' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(here.ran).toEqual([]);
  });

  it('work is asked back once at a time, and done here once', async () => {
    const { queue, clock, result, executor, input, local, here } = await handedOut({ seen: [], wait: 1500 });
    await queue.untaken();
    const answers: ((withdrawn: boolean) => void)[] = [];
    queue.withdraw = () => new Promise((resolve) => answers.push(resolve));
    await clock.advance(2000);
    // Other work comes while the queue has not answered.
    await executor.run(taskOn(input, { factor: 9 }), yes);
    expect(answers).toHaveLength(1);
    answers[0]!(true);
    expect((await result)!.output).toEqual((await local()).output);
    expect(here.ran).toHaveLength(2);
  });

  it.each(['failed', 'gone'] as const)('a queue that ends a job as %s leaves it to the build', async (type) => {
    const { queue, result, local, notes } = await handedOut();
    const { id } = await queue.take();
    queue.end(id, type === 'gone' ? { type } : { type, reason: 'job stalled more than allowable limit' });
    expect((await result)!.output).toEqual((await local()).output);
    expect(notes()).toHaveLength(1);
  });

  it('a build that is interrupted drops what is on the queue, and what was in hand is there for the next', async () => {
    const { queue, result, interrupt, executor, input } = await handedOut();
    const { id, job } = await queue.take();
    const waiting = executor.run(taskOn(input, { factor: 9 }), yes);
    interrupt.abort();
    expect([await result, await waiting]).toEqual([undefined, undefined]);
    await executor.close();
    expect([...queue.jobs.keys()]).toEqual([id]);
    queue.end(id, await worker().do(job));
    expect(queue.closed).toBe(true);
  });

  it('a machine that may not write does its work itself', async () => {
    const reader = machine(place(), [keys.worker], undefined);
    const { result, local, notes } = await handedOut({ on: reader });
    expect((await result)!.output).toEqual((await local()).output);
    expect(notes()[0]).toContain('this machine has no key to sign with');
    expect(readdirSync(place())).toEqual([]);
  });
});
