import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/core/digest.ts';
import { EXIT, ProblemError } from '../../src/core/problem.ts';
import { DamageError } from '../../src/core/storage.ts';
import type { TransformResult, TransformTask } from '../../src/engine/executor.ts';
import { type FromThread, packError, unpackError } from '../../src/engine/threads/messages.ts';
import { type Thread, ThreadPool } from '../../src/engine/threads/pool.ts';

/** A thread that does nothing until the test says how its task ends. */
class FakeThread implements Thread {
  readonly tasks: TransformTask[] = [];
  held = true;
  terminated = false;
  readonly #listeners = new Map<string, ((value: never) => void)[]>();

  on(event: string, listener: (value: never) => void) {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }
  postMessage(task: TransformTask) {
    this.tasks.push(task);
  }
  ref() {
    this.held = true;
  }
  unref() {
    this.held = false;
  }
  async terminate() {
    this.terminated = true;
    this.#tell('exit', 1);
  }
  answer(reply: FromThread) {
    this.#tell('message', reply);
  }
  die(message: string) {
    this.#tell('error', new Error(message));
    this.#tell('exit', 1);
  }
  #tell(event: string, value: unknown) {
    for (const listener of this.#listeners.get(event) ?? []) listener(value as never);
  }
}

const task = (node: string): TransformTask => ({ node, kind: 'toy', params: {}, upstream: new Map() });
const summary = { items: 1, statuses: { ok: 1 }, calls: [] };
const output: TransformResult = { output: { outputs: {}, summary }, milliseconds: 1 };
const made: FromThread = { type: 'made', result: output };
const yes = () => true;

function poolOf(size: number) {
  const threads: FakeThread[] = [];
  const pool = new ThreadPool(() => {
    const thread = new FakeThread();
    threads.push(thread);
    return thread;
  }, size);
  return { pool, threads };
}

describe('ThreadPool', () => {
  it('runs as many tasks at once as it has threads, the rest in order on those that come free', async () => {
    const { pool, threads } = poolOf(2);
    const runs = ['a', 'b', 'c', 'd'].map((node) => pool.run(task(node), yes));
    expect(threads.map((thread) => thread.tasks.map(({ node }) => node))).toEqual([['a'], ['b']]);
    threads[1]!.answer(made);
    expect(await runs[1]).toBe(output);
    threads[0]!.answer(made);
    expect(threads.map((thread) => thread.tasks.map(({ node }) => node))).toEqual([
      ['a', 'd'],
      ['b', 'c'],
    ]);
    threads[1]!.answer(made);
    threads[0]!.answer(made);
    expect(await Promise.all(runs)).toEqual([output, output, output, output]);
    expect(threads.map(({ held }) => held)).toEqual([false, false]);
  });

  it('drops a task that is not admitted when its turn comes', async () => {
    const { pool, threads } = poolOf(1);
    let halted = false;
    const first = pool.run(task('a'), yes);
    const second = pool.run(task('b'), () => !halted);
    halted = true;
    threads[0]!.answer(made);
    expect(await first).toBe(output);
    expect(await second).toBeUndefined();
    expect(threads[0]!.tasks).toHaveLength(1);
  });

  it('tells of a thread that died as a problem of its node, and goes on with another thread', async () => {
    const { pool, threads } = poolOf(1);
    const first = pool.run(task('grid/a'), yes);
    const second = pool.run(task('grid/b'), yes);
    threads[0]!.die('out of memory');
    await expect(first).rejects.toThrow('the thread that made grid/a ended before it was done');
    await expect(first).rejects.toBeInstanceOf(ProblemError);
    threads[1]!.answer(made);
    expect(await second).toBe(output);
  });

  it('gives no task to a thread that died while it had none, and goes on with the others', async () => {
    const { pool, threads } = poolOf(3);
    const runs = ['a', 'b', 'c'].map((node) => pool.run(task(node), yes));
    for (const thread of threads) thread.answer(made);
    await Promise.all(runs);
    threads[0]!.die('out of memory');
    const more = ['d', 'e', 'f'].map((node) => pool.run(task(node), yes));
    expect(threads.map((thread) => thread.tasks.length)).toEqual([1, 2, 2, 1]);
    for (const thread of threads.slice(1)) thread.answer(made);
    expect(await Promise.all(more)).toEqual([output, output, output]);
  });

  it('ends its threads when it is closed, and what waited with them', async () => {
    const { pool, threads } = poolOf(1);
    const first = pool.run(task('a'), yes);
    const second = pool.run(task('b'), yes);
    const lost = expect(first).rejects.toBeInstanceOf(ProblemError);
    await pool.close();
    await lost;
    expect(await second).toBeUndefined();
    expect(threads.map(({ terminated }) => terminated)).toEqual([true]);
  });
});

describe('errors from a thread', () => {
  it('arrive as what they were', () => {
    const problem = new ProblemError({ id: 'CJE-BAD-DATA', headline: 'no', hint: 'do' }, EXIT.failed);
    expect(unpackError(packError(problem))).toMatchObject({ problems: problem.problems, exit: EXIT.failed });
    expect(unpackError(packError(problem))).toBeInstanceOf(ProblemError);
    const ref = { digest: '0'.repeat(32) as Digest, size: 3 };
    const damage = unpackError(packError(new DamageError('blob 0', 'blob 0 is damaged', ref)));
    expect(damage).toBeInstanceOf(DamageError);
    expect(damage).toMatchObject({ what: 'blob 0', message: 'blob 0 is damaged', ref });
    const bug = unpackError(packError(new TypeError('undefined is not a function')));
    expect(bug.message).toBe('undefined is not a function');
    expect(bug.stack).toContain('thread-pool.test.ts');
    expect(unpackError(packError('thrown text')).message).toBe('thrown text');
  });
});
