/**
 * Runs heavy transforms on workers, through a queue and a shared cache. What comes back is believed by the worker's signature
 * and the work's own key, and taken as if it had been made here. Whatever goes wrong with that, the build does the work itself.
 */

import type { Seen, WorkerAbout } from '../cluster/roster.ts';
import type { Listener } from '../core/events.ts';
import type { Kinds } from '../core/kind.ts';
import { ProblemError } from '../core/problem.ts';
import type { BlobStore } from '../core/storage.ts';
import type { Executor, TransformResult, TransformTask } from '../engine/executor.ts';
import { nodeKey } from '../engine/keys.ts';
import { createFanOut } from '../providers/abort-fan-out.ts';
import type { Clock } from '../providers/clock.ts';
import type { Exchange, HandOver } from '../remote/exchange.ts';
import { inputRefs, jobKey, jobOf, jobParts, type WorkJob, type WorkOutcome, workKey } from './job.ts';
import type { JobMove, WorkQueue } from './queue.ts';

/** Milliseconds between two looks at who is there. */
const LOOK = 1_000;
/** Jobs that lie on the queue at least, so that whoever comes finds work; and how many for each place of a worker. */
const FEW = 8;
const FOR_EACH_PLACE = 2;

interface QueueExecutorParts {
  /** Opened by the first task. Undefined where that is not possible, which it has told. */
  readonly open: () => Promise<WorkQueue | undefined>;
  readonly exchange: Pick<Exchange, 'giveOutputs' | 'take'>;
  readonly kinds: Kinds;
  /** Of this build's heavy kinds. */
  readonly code: string;
  readonly blobs: BlobStore;
  /** Where work is done that no worker does, and how much of it at once. */
  readonly here: Executor;
  readonly placesHere: number;
  /** Milliseconds without a worker after which work is done here. */
  readonly wait: number;
  /** Milliseconds after which a worker that says nothing counts as dead. */
  readonly lease: number;
  readonly clock: Clock;
  readonly emit: Listener;
  readonly interrupt: AbortSignal;
}

interface Entry {
  readonly task: TransformTask;
  readonly admit: () => boolean;
  readonly resolve: (result: TransformResult | undefined) => void;
  readonly reject: (error: unknown) => void;
  /** Its name on the queue, and whether a worker has it in hand. */
  id: string;
  inHand: boolean;
  /** It is being taken back. */
  isLeaving: boolean;
}

export class QueueExecutor implements Executor {
  readonly #parts: QueueExecutorParts;
  readonly #waiting: Entry[] = [];
  readonly #queued = new Set<Entry>();
  #queue: Promise<WorkQueue | undefined> | undefined;
  #here = 0;
  #done = 0;
  /** Work goes to workers; else it is done here, until there are some. */
  #handsOut = true;
  #isGone = false;
  #lastSeen = 0;
  #workers = 0;
  #places = 0;
  #told = '';
  readonly #notes = new Set<string>();
  readonly #closing = new AbortController();
  readonly #endings = createFanOut();

  constructor(parts: QueueExecutorParts) {
    this.#parts = parts;
  }

  run(task: TransformTask, admit: () => boolean): Promise<TransformResult | undefined> {
    this.#queue ??= this.#open();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, admit, resolve, reject, id: '', inHand: false, isLeaving: false });
      void this.#fill();
    });
  }

  /** Ends what is on the queue; a worker that has some of it in hand finishes it, and the next build finds that. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#drop();
    await (await this.#queue)?.close();
  }

  async #open(): Promise<WorkQueue | undefined> {
    const { open, clock, interrupt } = this.#parts;
    this.#lastSeen = clock.now();
    const queue = await open();
    if (queue === undefined) this.#isGone = true;
    queue?.onMove((move) => this.#moved(move));
    this.#endings.subscribe(interrupt, () => void this.#drop());
    if (queue !== undefined) void this.#watch(queue);
    return queue;
  }

  async #drop(): Promise<void> {
    const dropped = [...this.#waiting.splice(0), ...this.#queued];
    this.#queued.clear();
    for (const { resolve } of dropped) resolve(undefined);
    const queue = await this.#queue;
    await Promise.all(dropped.map(({ id }) => (id === '' ? false : queue?.withdraw(id).catch(() => false))));
  }

  /** Looks who is there, and decides where work goes. */
  async #watch(queue: WorkQueue): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#closing.signal.aborted && !this.#isGone) {
      const seen = await Promise.race([queue.workers().catch(() => []), clock.sleep(5 * LOOK, this.#closing.signal)]);
      this.#judge(seen ?? []);
      await this.#fill();
      await clock.sleep(LOOK, this.#closing.signal);
    }
  }

  #judge(seen: readonly Seen<WorkerAbout>[]): void {
    const { code, clock, wait, lease } = this.#parts;
    const alive = seen.filter((worker) => worker.seconds * 1000 <= lease);
    const ours = alive.filter((worker) => worker.code === code);
    this.#places = ours.reduce((sum, { places }) => sum + places, 0);
    for (const { host, pid, version, code: other } of alive) {
      if (other === code) continue;
      this.#note(
        `the worker on ${host} (pid ${pid}, cje ${version}) is of the code ${other}, and this build of ${code}: it takes none of its work`,
      );
    }
    if (ours.length > 0) {
      if (!this.#handsOut) this.#say('a worker is there: work goes to the queue again');
      this.#handsOut = true;
      this.#lastSeen = clock.now();
    } else if (this.#handsOut && clock.now() - this.#lastSeen >= wait) {
      this.#handsOut = false;
      const seconds = Math.round(wait / 1000);
      this.#say(`no worker was heard of for ${seconds} s (\`cje worker\`): work is done here until there is one`);
    }
    this.#workers = ours.length;
    this.#tell();
  }

  /** Gives work to whoever has a place for it. */
  async #fill(): Promise<void> {
    const queue = await this.#queue;
    if (this.#isGone || queue === undefined || !this.#handsOut) return this.#fillHere(queue);
    const most = Math.max(FEW, FOR_EACH_PLACE * this.#places);
    while (this.#queued.size < most) {
      const entry = this.#next();
      if (entry === undefined) return;
      this.#queued.add(entry);
      void this.#handOut(entry, queue).catch((error: unknown) => {
        if (!(error instanceof ProblemError)) return entry.reject(error);
        const [problem] = error.problems;
        return this.#doHere(
          entry,
          `${problem?.headline}${problem?.facts?.[0] === undefined ? '' : ` (${problem.facts[0][1]})`}`,
        );
      });
    }
  }

  /** What nobody has begun is taken back from the queue, and so is what a dead worker has left. */
  async #fillHere(queue: WorkQueue | undefined): Promise<void> {
    const isFull = () => this.#here >= this.#parts.placesHere;
    while (!isFull()) {
      const entry = this.#next();
      if (entry === undefined) break;
      this.#runHere(entry);
    }
    for (const entry of [...this.#queued]) {
      if (isFull()) return;
      if (entry.id === '' || entry.isLeaving) continue;
      entry.isLeaving = true;
      const withdrawn = await queue?.withdraw(entry.id).catch(() => false);
      entry.isLeaving = false;
      if (withdrawn !== true) continue;
      // Equal work is one job.
      for (const each of [...this.#queued].filter(({ id }) => id === entry.id)) {
        this.#queued.delete(each);
        this.#runHere(each);
      }
    }
  }

  #next(): Entry | undefined {
    for (;;) {
      const entry = this.#waiting.shift();
      if (entry === undefined || entry.admit()) return entry;
      entry.resolve(undefined);
    }
  }

  async #handOut(entry: Entry, queue: WorkQueue): Promise<void> {
    const { exchange, kinds } = this.#parts;
    const { task } = entry;
    const { code } = kinds.get(task.kind)!;
    const unsent = jobOf(task, code, []);
    const job = { ...unsent, segments: await exchange.giveOutputs(inputRefs(unsent)) };
    if (!this.#queued.has(entry)) return;
    entry.id = jobKey(job);
    const end = await queue.run(entry.id, job);
    if (!this.#queued.has(entry)) return;
    switch (end.type) {
      case 'made': {
        const result = await this.#taken(job, end);
        if (typeof result === 'string') {
          await queue.forget(entry.id);
          return this.#doHere(entry, result);
        }
        this.#done++;
        this.#queued.delete(entry);
        this.#tell();
        entry.resolve(result);
        return this.#fill();
      }
      case 'refused':
        await queue.forget(entry.id);
        return this.#doHere(entry, end.reason);
      case 'failed':
        return this.#doHere(entry, end.reason);
      case 'withdrawn':
        // Whoever took it back does it.
        return;
      case 'gone':
        this.#isGone = true;
        return this.#doHere(entry, 'Redis is gone; the rest is done here');
    }
  }

  /** The result, or why it is not believed. */
  async #taken(job: WorkJob, end: Extract<WorkOutcome, { type: 'made' }>): Promise<TransformResult | string> {
    const { exchange, blobs } = this.#parts;
    const block = job.block === undefined ? undefined : { from: job.block.from, to: end.to ?? -1 };
    if (block !== undefined && (block.to <= block.from || block.to > job.block!.to))
      return 'a worker made another block than it was asked for';
    const taken: HandOver = await exchange.take([end.index]);
    if (taken.type === 'refused') return taken.reason;
    const key = workKey(nodeKey(jobParts(job)), block);
    const record = taken.records.find((each) => each.key === key);
    if (record === undefined) return `${end.index}: it holds no result of this work`;
    if (Object.values(record.outputs).some((ref) => blobs.locate(ref) === undefined))
      return `${end.index}: an output is not there`;
    const { outputs, summary } = record;
    return { output: { outputs, summary }, milliseconds: end.milliseconds, ...(block === undefined ? {} : { block }) };
  }

  /** @param why told once for all work that is done here for the same reason */
  #doHere(entry: Entry, why: string): Promise<void> {
    this.#queued.delete(entry);
    if (!this.#notes.has(why)) this.#say(`${entry.task.node} is done here: ${why}`);
    this.#notes.add(why);
    this.#runHere(entry);
    return this.#fill();
  }

  #runHere({ task, resolve, reject }: Entry): void {
    this.#here++;
    // It was admitted when it was put on the queue.
    void this.#parts.here
      .run(task, () => !this.#parts.interrupt.aborted)
      .then(resolve, reject)
      .finally(() => {
        this.#here--;
        void this.#fill();
      });
  }

  #moved(move: JobMove): void {
    const entry = [...this.#queued].find(({ id }) => id === move.id);
    if (entry === undefined) return;
    entry.inHand = move.type === 'taken';
    if (move.type === 'returned') {
      const { node } = entry.task;
      this.#parts.emit({ type: 'work-returned', node, reason: move.reason });
    }
  }

  /** Says where the work is, where that has changed. */
  #tell(): void {
    const queued = [...this.#queued];
    const inHand = queued.filter((entry) => entry.inHand).length;
    const event = {
      type: 'workers' as const,
      workers: this.#workers,
      places: this.#places,
      waiting: this.#waiting.length + queued.length - inHand,
      inHand,
      done: this.#done,
      here: this.#here,
    };
    const text = JSON.stringify(event);
    if (text !== this.#told) this.#parts.emit(event);
    this.#told = text;
  }

  /** Tells what is true of many jobs once. */
  #note(text: string): void {
    if (this.#notes.has(text)) return;
    this.#notes.add(text);
    this.#say(text);
  }

  #say(text: string): void {
    this.#parts.emit({ type: 'note', text });
  }
}
