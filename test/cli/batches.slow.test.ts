/** `cje build --lane batch` and the commands on batches, in turn on one server: what they print and how they end. */

import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/providers/clock.ts';
import { type BatchLab, batchLab } from '../helpers/batch-lab.ts';
import { runIn } from '../helpers/command.ts';
import type { Ran } from '../helpers/project.ts';

/** As long as any test. */
const FOREVER = 1e9;
const CALLS = 3;

let lab: BatchLab;
beforeAll(async () => {
  lab = await batchLab('openai', { items: CALLS, manner: { delay: FOREVER } });
});
afterAll(() => lab.close());

const cje = (...args: string[]): Promise<Ran> => runIn(lab.project.folder, ...args);
const build = (...args: string[]) => cje('build', '--yes', '--lane', 'batch', '--json', ...args);
const last = ({ events }: Ran, type: string) => events.findLast((event) => event.type === type);
const batches = ({ events }: Ran) => events.filter(({ type }) => type === 'batch');
const refusal = ({ stderr }: Ran) => /\[(CJE-[A-Z-]+)\]/.exec(stderr)?.[1];

it('batches are left out by a build, looked at, waited for and taken in', async () => {
  expect((await cje('batch', 'list')).stdout).toBe('No batch is out.\n');
  const left = await build();
  expect([left.exit, left.finished.calls.bought]).toEqual([6, 0]);

  const listed = await cje('batch', 'list', '--json');
  expect([listed.exit, batches(listed)]).toMatchObject([0, [{ batch: 'batch_1', count: CALLS, state: 'running' }]]);
  const shown = await cje('batch', 'list');
  expect([shown.exit, shown.stdout]).toEqual([0, expect.stringMatching(/batch_1 .*\n\n?1 batch out with 3 calls; /)]);
  expect((await cje('status')).stdout).toContain('1 batch out with 3 calls');

  const looked = await cje('batch', 'harvest', '--json');
  expect([looked.exit, looked.events]).toMatchObject([
    6,
    [
      { type: 'batch', batch: 'batch_1' },
      { type: 'batches', out: 1, bought: 0, cost: 0, losses: [] },
    ],
  ]);
  expect((await cje('batch', 'harvest')).stdout).toContain('1 batch out with 3 calls');

  // It is back when the first wait is over, not before.
  vi.spyOn(systemClock, 'sleep').mockImplementation(async () => void (await lab.server.tell({ delay: 0 })));
  const waited = await cje('batch', 'wait');
  vi.restoreAllMocks();
  expect([waited.exit, waited.stderr]).toEqual([0, '']);
  expect(waited.stdout).toMatch(/\n3 replies came back, 0 failed for good: \$0\.\d+ billed\.\nNo batch is out\.\n$/);
  expect((await build('responses')).finished).toMatchObject({ exit: 0, calls: { bought: 0, cached: CALLS } });
});

it('batches that are cancelled are billed for what was done; what a provider lost ends the command with 1', async () => {
  await lab.server.tell({ delay: FOREVER, seed: 3 });
  expect((await build()).exit).toBe(6);
  expect(refusal(await cje('batch', 'cancel', 'batch_9'))).toBe('CJE-UNKNOWN-BATCH');
  expect((await lab.bill()).cancelled).toBe(0);
  const cancelled = await cje('batch', 'cancel', '--json');
  const bill = await lab.bill();
  const done = bill.batch.answered - CALLS;
  expect([done > 0, done < CALLS, bill.cancelled]).toEqual([true, true, 1]);
  expect(last(cancelled, 'batches')).toMatchObject({ out: 0, bought: done, failed: 0 });
  expect(cancelled.exit).toBe(0);

  expect((await build()).exit).toBe(6);
  await lab.server.tell({ delay: 0, gone: true });
  const lost = await cje('batch', 'harvest', '--json');
  expect(last(lost, 'batches')).toMatchObject({ out: 0, bought: 0, losses: [expect.any(String)] });
  expect([lost.exit, last(lost, 'problem')]).toMatchObject([1, { problem: { id: 'CJE-BATCH-LOST' } }]);
  await lab.server.tell({ delay: FOREVER });
});

it('a batch that is given up is booked as unknown, and asked again', async () => {
  const again = await build();
  const [out] = batches(await cje('batch', 'list', '--json'));
  expect(again.exit).toBe(6);
  expect((await cje('batch', 'forget')).exit).toBe(2);
  const forgotten = await cje('batch', 'forget', out!.batch, '--json');
  const { out: left, bought, unknown } = forgotten.finished;
  expect([forgotten.exit, left, bought, unknown > 0]).toEqual([0, 0, 0, true]);
  expect((await cje('batch', 'list')).stdout).toBe('No batch is out.\n');
});

it('a batch whose id was never learnt is adopted by the id that it is said to have', async () => {
  await lab.server.tell({ delay: FOREVER, silent: 1, hidden: FOREVER });
  expect((await build()).exit).toBe(6);
  const [out] = batches(await cje('batch', 'list', '--json'));
  expect(out).not.toHaveProperty('batch');
  const id = String(out!.id).slice(0, 8);
  await lab.server.tell({ delay: 0, hidden: FOREVER });
  expect(await cje('batch', 'adopt', id, '--json')).toMatchObject({ exit: 6, finished: { bought: 0 } });
  expect(refusal(await cje('batch', 'adopt', 'ffffffff', 'batch_1'))).toBe('CJE-UNKNOWN-BATCH');
  const { made } = await lab.bill();
  const adopted = await cje('batch', 'adopt', id, `batch_${made}`, '--json');
  expect([adopted.exit, adopted.finished.out, adopted.finished.bought > 0]).toEqual([0, 0, true]);
  expect((await cje('build', '--offline', '--json')).finished).toMatchObject({ exit: 0, calls: { failed: 0 } });
});
