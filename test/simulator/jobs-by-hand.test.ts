/** Batches of the simulator: when they are listed, when they end, how much may wait, and how long results are there. */

import { describe, expect, it } from 'vitest';
import { Jobs } from '../../src/simulator/batches/jobs.ts';
import { batchTroubleFile } from '../../src/simulator/batches/trouble.ts';

function jobsWith(trouble: object = {}) {
  const clock = { now: 1000 };
  const jobs = new Jobs(
    () => ({ status: 200, body: {} }),
    batchTroubleFile.parse(trouble),
    () => clock.now,
  );
  const make = (id: string, bytes = 8) =>
    jobs.make(id, [{ id: 'r', body: { x: 'y'.repeat(bytes) } } as never], {}, undefined);
  return { clock, jobs, make };
}

describe('a batch', () => {
  it('ends when its time is up, and is listed once it is not hidden any more', async () => {
    const { clock, jobs, make } = jobsWith({ seconds: 10, hidden_seconds: 2 });
    make('one');
    clock.now = 2999;
    expect(await jobs.list()).toEqual([]);
    clock.now = 3000;
    expect((await jobs.list()).map(({ id }) => id)).toEqual(['one']);
    clock.now = 10_999;
    expect((await jobs.get('one'))?.ended).toBeUndefined();
    clock.now = 11_000;
    expect((await jobs.get('one'))?.ended).toMatchObject({ at: 11_000, end: 'completed' });
  });

  it('has its results until they are gone', async () => {
    const { clock, jobs, make } = jobsWith({ seconds: 1, gone_seconds: 5 });
    const job = make('one');
    expect(jobs.hasResults(job)).toBe(false);
    clock.now = 2000;
    await jobs.get('one');
    clock.now = 6999;
    expect(jobs.hasResults(job)).toBe(true);
    clock.now = 7000;
    expect(jobs.hasResults(job)).toBe(false);
  });

  it('is cancelled where that was asked for before its time, and not where it came too late', async () => {
    const { clock, jobs, make } = jobsWith({ seconds: 10 });
    const [early, late] = [make('early'), make('late')];
    clock.now = 10_999;
    jobs.cancel(early);
    clock.now = 11_000;
    jobs.cancel(late);
    expect((await jobs.list()).map(({ ended }) => ended?.end)).toEqual(['completed', 'cancelled']);
  });

  it('is refused where more tokens would wait than may', () => {
    // {"x":"yyyyyyyy"} are sixteen bytes, four tokens.
    const { make } = jobsWith({ seconds: 10, enqueued_tokens: 8 });
    expect([make('one').mistake, make('two').mistake]).toEqual([undefined, undefined]);
    expect(make('three').mistake).toMatchObject({
      code: 'token_limit_exceeded',
      message: expect.stringContaining('12 of 8'),
    });
  });
});
