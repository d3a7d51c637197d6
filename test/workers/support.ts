/** A queue in memory, and machines around it: a build, and workers that share a folder with it. */

import { afterEach, beforeEach } from 'vitest';
import { z } from 'zod';
import type { Seen, WorkerAbout } from '../../src/cluster/roster.ts';
import type { BuildEvent } from '../../src/core/events.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { type Inputs, ROWS, type TransformKind } from '../../src/core/kind.ts';
import type { BlobStore } from '../../src/core/storage.ts';
import { evaluateTask } from '../../src/engine/blocks.ts';
import { withSummary } from '../../src/engine/evaluate.ts';
import type { Executor, TransformTask } from '../../src/engine/executor.ts';
import type { NodeOutput } from '../../src/engine/inputs.ts';
import { Exchange } from '../../src/remote/exchange.ts';
import { doJob } from '../../src/workers/do-job.ts';
import { codeOf, type WorkJob } from '../../src/workers/job.ts';
import type { JobEnd, JobMove, WorkQueue } from '../../src/workers/queue.ts';
import { QueueExecutor } from '../../src/workers/queue-executor.ts';
import { kindsWith } from '../helpers/kinds.ts';
import { virtualClock } from '../providers/support.ts';
import { type Machine, newKey, team } from '../remote/support.ts';

const params = z.strictObject({ units: z.number(), factor: z.number() });
type CountParams = z.infer<typeof params>;

function* unitsFrom({ units, factor }: CountParams, inputs: Inputs, from: number): Generator<readonly JsonObject[]> {
  const base = [...inputs.one('numbers').rows()].reduce((sum, row) => sum + Number(row.n), 0);
  for (let unit = from; unit < units; unit++) {
    yield [0, 1].map((half) => ({ status: 'ok', unit, value: base * factor + unit + half / 3 }));
  }
}

/** Two rows for each unit; a factor below zero is a mistake of its own. */
const count: TransformKind<CountParams> = {
  name: 'count',
  about: 'counts',
  shape: 'transform',
  params,
  inputs: { numbers: { arity: 'one' } },
  outputs: { [ROWS]: 'text' },
  expect: () => ({ items: 0, calls: [] }),
  heavy: () => true,
  blocks: {
    units: ({ units }) => units,
    rows: unitsFrom,
    join: (_, __, rows) => ({ files: { [ROWS]: rows } }),
  },
  run: (all, inputs) => ({ files: { [ROWS]: [...unitsFrom(all, inputs, 0)].flat() } }),
};

export const KINDS = kindsWith(count);
export const countKind = count as TransformKind<unknown>;

/** The output of a node that others read. */
export async function numbers(blobs: BlobStore, values: readonly number[]): Promise<NodeOutput> {
  const rows = await blobs.put(values.map((n) => `${JSON.stringify({ n })}\n`).join(''));
  return withSummary({ [ROWS]: rows }, { items: values.length, statuses: {}, calls: [] }, blobs);
}

export const taskOn = (input: NodeOutput, given: Partial<CountParams> = {}, node = 'count/a'): TransformTask => ({
  node,
  kind: 'count',
  params: { units: 5, factor: 2, ...given },
  upstream: new Map([['numbers', new Map([['', input]])]]),
});

interface Held {
  readonly id: string;
  readonly job: WorkJob;
  readonly ends: ((how: JobEnd) => void)[];
  inHand: boolean;
}

export class MemoryQueue implements WorkQueue {
  readonly jobs = new Map<string, Held>();
  readonly forgotten: string[] = [];
  seen: Seen<WorkerAbout>[] = [];
  closed = false;
  #tell: (move: JobMove) => void = () => {};
  #added: () => void = () => {};

  run(id: string, job: WorkJob): Promise<JobEnd> {
    return new Promise((resolve) => {
      // What travels is text.
      const copy = JSON.parse(JSON.stringify(job)) as WorkJob;
      const held = this.jobs.get(id) ?? { id, job: copy, ends: [], inHand: false };
      held.ends.push(resolve);
      this.jobs.set(id, held);
      this.#added();
    });
  }
  async withdraw(id: string) {
    const held = this.jobs.get(id);
    if (held === undefined || held.inHand) return false;
    this.end(id, { type: 'withdrawn' });
    return true;
  }
  async forget(id: string) {
    this.forgotten.push(id);
    this.jobs.delete(id);
  }
  async workers() {
    return this.seen;
  }
  onMove(listener: (move: JobMove) => void) {
    this.#tell = listener;
  }
  async close() {
    this.closed = true;
  }

  /** A job that nobody has taken, as soon as there is one. */
  async untaken(): Promise<Held> {
    for (;;) {
      const held = [...this.jobs.values()].find((each) => !each.inHand);
      if (held !== undefined) return held;
      await new Promise<void>((resolve) => {
        this.#added = resolve;
      });
    }
  }
  async take(): Promise<Held> {
    const held = await this.untaken();
    held.inHand = true;
    this.#tell({ type: 'taken', id: held.id, worker: 'w' });
    return held;
  }
  /** What the stalled check does for a worker that was killed. */
  giveBack(id: string): void {
    this.jobs.get(id)!.inHand = false;
    this.#tell({ type: 'returned', id, reason: 'worker-gone' });
  }
  end(id: string, how: JobEnd): void {
    const { ends } = this.jobs.get(id)!;
    this.jobs.delete(id);
    for (const end of ends) end(how);
  }
}

const worker = (code: string): Seen<WorkerAbout> => ({
  id: 'w',
  host: 'node7',
  pid: 7,
  version: '1',
  code,
  places: 2,
  since: 0,
  jobs: [],
  seconds: 0,
});

export function lab() {
  const { folder, machine } = team();
  let place = '';
  beforeEach(() => {
    place = folder();
  });
  const keys = { build: newKey(), worker: newKey() };
  const trusted = Object.values(keys);
  const open: QueueExecutor[] = [];
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });
  const here = (on: Machine): Executor & { readonly ran: TransformTask[]; most: number } => {
    let running = 0;
    return {
      ran: [],
      /** At once. */
      most: 0,
      async run(task, admit) {
        if (!admit()) return undefined;
        this.ran.push(task);
        this.most = Math.max(this.most, ++running);
        return evaluateTask(task, countKind, on.store.blobs, () => 0).finally(() => running--);
      },
    };
  };
  return {
    place: () => place,
    keys,
    machine,
    here,
    /** A build that hands out its work. */
    build({
      wait = 1000,
      seen = [worker(codeOf(KINDS))] as Seen<WorkerAbout>[],
      on = machine(place, trusted, keys.build),
    } = {}) {
      const queue = new MemoryQueue();
      queue.seen = seen;
      const events: BuildEvent[] = [];
      const clock = virtualClock();
      const interrupt = new AbortController();
      const local = here(on);
      const executor = new QueueExecutor({
        open: async () => queue,
        exchange: new Exchange(on.store, on.remote),
        kinds: KINDS,
        code: codeOf(KINDS),
        blobs: on.store.blobs,
        here: local,
        placesHere: 2,
        wait,
        lease: 3000,
        clock,
        emit: (event) => events.push(event),
        interrupt: interrupt.signal,
      });
      open.push(executor);
      const notes = () => events.flatMap((event) => (event.type === 'note' ? [event.text] : []));
      return { store: on.store, queue, events, notes, clock, interrupt, here: local, executor };
    },
    /** A worker's side: does a job with a store of its own, under a key that may not be trusted by others. */
    worker(key = keys.worker, trusts = [...trusted, key], kinds = KINDS) {
      const on = machine(place, trusts, key);
      const parts = {
        kinds,
        store: on.store,
        exchange: new Exchange(on.store, on.remote),
        executor: here(on),
        now: () => 1,
      };
      return { on, do: (job: unknown) => doJob(job, parts) };
    },
  };
}
