/** What a worker decides between its jobs: whether it is idle, which builds it tells of, and how a job came back. */

import { describe, expect, it } from 'vitest';
import type { BuildAbout, Seen } from '../../src/cluster/roster.ts';
import { SUMMARY } from '../../src/core/kind.ts';
import { InHand, untilIdle } from '../../src/workers/in-hand.ts';
import { readJob } from '../../src/workers/job.ts';
import { moveOf } from '../../src/workers/job-progress.ts';
import { strangers } from '../../src/workers/strangers.ts';

describe('a worker', () => {
  it('is idle once it has had nothing for longer than it is told, since it began or since its last job', () => {
    const inHand = new InHand(1000);
    const idleAt = (...times: number[]) => times.map((now) => inHand.isIdle(500, now));
    expect(idleAt(1000, 1500, 1501)).toEqual([false, false, true]);
    expect(inHand.isIdle(undefined, 1e9)).toBe(false);
    inHand.take('one', 'estimates/a', 1600);
    inHand.take('two', 'estimates/b', 1700);
    expect(inHand.jobs).toEqual([
      { node: 'estimates/a', since: 1600 },
      { node: 'estimates/b', since: 1700 },
    ]);
    inHand.release('one', 1800);
    expect(inHand.jobs.map(({ node }) => node)).toEqual(['estimates/b']);
    expect(idleAt(9000)).toEqual([false]);
    inHand.release('two', 9000);
    expect(idleAt(9500, 9501)).toEqual([false, true]);
  });

  it.each([
    [undefined, 2000, [500, 500, 500, 500]],
    [1200, 9000, [500, 500, 500]],
    [300, 9000, [300, 300]],
  ])(
    'that may be idle for %s ms waits a quarter of its lease at a time, and no longer than that',
    async (idle, end, waits) => {
      const interrupt = new AbortController();
      let now = 0;
      let beats = 0;
      const slept: number[] = [];
      const clock = {
        now: () => now,
        sleep: async (milliseconds: number) => {
          slept.push(milliseconds);
          now += milliseconds;
          if (now >= end) interrupt.abort();
        },
      };
      const waiting = { idle, lease: 2000, clock, interrupt: interrupt.signal };
      await untilIdle(new InHand(0), waiting, () => void beats++);
      expect([slept, beats]).toEqual([waits, waits.length]);
    },
  );

  it('tells once of each other code that a build of the last minute has work for', () => {
    const notes: string[] = [];
    const tell = strangers('own', (text) => notes.push(text));
    const seen = (code: string, seconds: number): Seen<BuildAbout> => ({
      id: code,
      code,
      seconds,
      host: 'h',
      pid: 3,
      version: '1.2',
    });
    tell([seen('own', 1), seen('old', 61), seen('new', 60)]);
    tell([seen('new', 1), seen('old', 2)]);
    tell([seen('new', 1)]);
    const text = (code: string) =>
      `a build on h (pid 3, cje 1.2) has work for workers of the code ${code}, and this one is of own: ` +
      'none of it is taken; update cje there or here';
    expect(notes).toEqual([text('new'), text('old')]);
  });
});

describe('what a worker tells of a job', () => {
  it.each([
    [
      { type: 'taken', worker: 'h (pid 3)' },
      { type: 'taken', id: 'j', worker: 'h (pid 3)' },
    ],
    [
      { type: 'given-back', worker: 'w' },
      { type: 'returned', id: 'j', reason: 'given-back' },
    ],
    [{ type: 'dropped', worker: 'w' }, undefined],
    [{ type: 'taken', worker: 7 }, undefined],
    [50, undefined],
    [null, undefined],
  ])('is read: %j', (data, move) => {
    expect(moveOf('j', data)).toEqual(move);
  });
});

describe('a job', () => {
  const ref = { digest: 'a'.repeat(32), size: 3 };
  const job = (outputs: object) => ({
    node: 'estimates/a',
    kind: 'estimate',
    code: 'c',
    params: {},
    upstream: [['dataset', [['', outputs]]]],
    segments: [],
  });

  it('names the files of its inputs by their digests, a summary among them', () => {
    expect(readJob(job({ 'rows.jsonl': ref, [SUMMARY]: ref }))).toBeDefined();
    expect(readJob(job({ 'rows.jsonl': ref }))).toBeUndefined();
    expect(readJob(job({ [SUMMARY]: { ...ref, digest: 'no digest' } }))).toBeUndefined();
    expect(readJob({ ...job({ [SUMMARY]: ref }), block: { from: 0, to: 2, milliseconds: 0 } })).toBeUndefined();
  });
});
