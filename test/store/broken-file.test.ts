/** A data file whose pages contradict each other: found before LMDB's library meets them, which would end the process. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXIT, ProblemError } from '../../src/core/problem.ts';
import { muteCommitErrors } from '../../src/store/lmdb/commit-errors.ts';
import { damagedFileProblem, isDamage } from '../../src/store/lmdb/errors.ts';
import { sampleCall } from './sample.ts';
import { workshop } from './support.ts';

const { folder, open } = workshop();
const PAGE = 4096;

async function filled(place: string): Promise<string> {
  const store = open(place);
  const samples = Array.from({ length: 300 }, (_, index) => sampleCall(index));
  for (const batch of [samples.slice(0, 150), samples.slice(150)]) {
    await Promise.all(batch.map(({ key, call }) => store.calls.put(key, call)));
  }
  await store.close();
  return join(place, '.cache', 'lmdb', 'data.mdb');
}

function change(path: string, edit: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path);
  edit(bytes);
  writeFileSync(path, bytes);
}

const transactions = (bytes: Buffer) => [0, PAGE].map((at) => bytes.readBigUInt64LE(at + 0x98));
const newest = (bytes: Buffer): number => {
  const [first, second] = transactions(bytes) as [bigint, bigint];
  return first > second ? 0 : PAGE;
};

describe('a data file', () => {
  test.each<[string, (bytes: Buffer) => void]>([
    ['whose last header is older than it was', (b) => b.writeBigUInt64LE(0n, newest(b) + 0x98)],
    [
      'whose last header went back some transactions',
      (b) => b.writeUInt8(b[newest(b) + 0x98]! ^ 0x40, newest(b) + 0x98),
    ],
    ['of a layout that LMDB does not write', (b) => b.writeUInt32LE(3, 0x1c)],
    ['with an option that none of our tables has', (b) => b.writeUInt16LE(4, newest(b) + 0x64)],
    ['that says it ends before its pages do', (b) => b.writeBigUInt64LE(3n, newest(b) + 0x90)],
    [
      'with a page that carries the number of another',
      (b) => b.writeBigUInt64LE(2n, Number(b.readBigUInt64LE(newest(b) + 0x88)) * PAGE),
    ],
    [
      'with an empty page',
      (b) =>
        b.fill(
          0,
          Number(b.readBigUInt64LE(newest(b) + 0x88)) * PAGE,
          (Number(b.readBigUInt64LE(newest(b) + 0x88)) + 1) * PAGE,
        ),
    ],
  ])('%s is refused as damaged', async (_, edit) => {
    const place = folder();
    change(await filled(place), edit);
    for (const readOnly of [true, false]) {
      let problem: unknown;
      try {
        open(place, { readOnly }).calls.get(sampleCall(1).key);
        await open(place, { readOnly }).calls.put(sampleCall(1).key, sampleCall(1).call);
      } catch (error) {
        problem = error;
      }
      expect(problem).toBeInstanceOf(ProblemError);
      expect((problem as ProblemError).exit).toBe(EXIT.damaged);
    }
  });

  test('is whole after any number of transactions', async () => {
    const place = folder();
    await filled(place);
    for (let round = 0; round < 5; round++) {
      const store = open(place);
      const { key, call } = sampleCall(1000 + round);
      await store.calls.put(key, call);
      expect(open(place, { readOnly: false }).calls.count()).toBe(301 + round);
      await store.close();
    }
  });
});

describe('an error of LMDB', () => {
  test('that means damage is told as damage', () => {
    expect(isDamage(Object.assign(new Error('MDB_CORRUPTED'), { code: -30796 }))).toBe(true);
    expect(isDamage(Object.assign(new Error('no space'), { code: 28 }))).toBe(false);
    expect(damagedFileProblem('f', 'r').exit).toBe(EXIT.damaged);
  });

  test('is kept off the console while a store is open, and nothing else is', () => {
    const printed: unknown[] = [];
    const { error: print } = console;
    console.error = (...values: unknown[]) => printed.push(...values);
    try {
      const before = console.error;
      const [first, second] = [muteCommitErrors(), muteCommitErrors()];
      first();
      first();
      console.error(Object.assign(new Error('no space left'), { code: 28 }));
      console.error(Object.assign(new Error('gone'), { code: 'ENOENT' }));
      console.error('said');
      second();
      expect(console.error).toBe(before);
      expect(printed).toEqual([expect.objectContaining({ code: 'ENOENT' }), 'said']);
    } finally {
      console.error = print;
    }
  });
});
