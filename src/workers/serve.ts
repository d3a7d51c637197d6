/** A worker: takes jobs from the queue until it is told to end, or has had none for a while. */

import { type Job, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { queuePrefix } from '../cluster/chunk.ts';
import { losses } from '../cluster/losses.ts';
import { Roster, type WorkerAbout } from '../cluster/roster.ts';
import type { Problem } from '../core/problem.ts';
import { createFanOut } from '../providers/abort-fan-out.ts';
import type { Clock } from '../providers/clock.ts';
import { queueName } from './bull-queue.ts';
import { InHand, untilIdle } from './in-hand.ts';
import { readJob, type WorkJob, type WorkOutcome } from './job.ts';
import type { JobProgress } from './job-progress.ts';
import { strangers } from './strangers.ts';

/** Milliseconds that a worker which was told to end has for what is in hand; then it gives it back. */
const FINISH = 20_000;
/** How often a job may die with its worker before the build does it. */
const DEATHS = 3;

interface ServeParts {
  readonly redis: Redis;
  readonly account: string;
  /** Names this worker among others. */
  readonly id: string;
  readonly about: Omit<WorkerAbout, 'jobs'>;
  /** Milliseconds after which a worker that says nothing counts as dead. */
  readonly lease: number;
  /** Milliseconds without work after which it ends by itself; undefined: never. */
  readonly idle: number | undefined;
  readonly work: (data: unknown) => Promise<WorkOutcome>;
  readonly clock: Clock;
  readonly note: (text: string) => void;
  readonly problem: (problem: Problem) => void;
  /** Aborted: takes nothing new, and finishes what it has. */
  readonly interrupt: AbortSignal;
  /** Aborted: gives back what it has. */
  readonly kill: AbortSignal;
}

export async function serve(parts: ServeParts): Promise<void> {
  const { redis, account, id, about, lease, clock, idle, interrupt, kill, note } = parts;
  const roster = new Roster(redis, account);
  const inHand = new InHand(clock.now());
  const giveBack = new AbortController();
  const endings = createFanOut();
  let done = 0;

  const process = async (job: Job<WorkJob, WorkOutcome>, token: string | undefined): Promise<WorkOutcome> => {
    const node = readJob(job.data)?.node ?? 'work of another kind';
    inHand.take(job.id!, node, clock.now());
    void beat();
    await job.updateProgress({ type: 'taken', worker: `${about.host} (pid ${about.pid})` } satisfies JobProgress);
    let leave: () => void = () => {};
    const ended = new Promise<undefined>((resolve) => {
      leave = endings.subscribe(giveBack.signal, () => resolve(undefined));
    });
    try {
      const outcome = await Promise.race([parts.work(job.data), ended]);
      if (outcome === undefined) {
        await job.updateProgress({ type: 'given-back', worker: id } satisfies JobProgress);
        await job.moveToWait(token!);
        throw new WaitingError();
      }
      if (outcome.type === 'refused') note(`refused ${node}: ${outcome.reason}`);
      else done++;
      return outcome;
    } finally {
      leave();
      inHand.release(job.id!, clock.now());
      void beat();
    }
  };

  // The worker waits on a connection of its own, which it does not end by itself.
  const connection = redis.duplicate();
  const worker = new Worker<WorkJob, WorkOutcome>(queueName(about.code), process, {
    connection,
    prefix: queuePrefix(account),
    name: id,
    concurrency: about.places,
    lockDuration: lease,
    stalledInterval: lease / 2,
    maxStalledCount: DEATHS,
  });
  const { tell, end } = losses({
    note,
    problem: parts.problem,
    without: 'no work is taken',
    takenOver: 'what is done twice is the same bytes',
  });
  worker.on('error', tell);
  connection.on('ready', end);
  worker.on('failed', (_, error) => note(`a job failed: ${error.message}`));
  const beat = async () => {
    if (redis.status === 'ready') await roster.beat('workers', id, { ...about, jobs: inHand.jobs }).catch(tell);
  };
  const others = strangers(about.code, note);
  try {
    await untilIdle(inHand, { idle, lease, clock, interrupt }, () => {
      // Redis may be gone for long; that is told, and no heart waits for it.
      void beat();
      if (redis.status === 'ready') void roster.read('builds').then(others, tell);
    });
    await lastJobs(worker.close(), { giveBack, beat, clock, lease, kill });
  } finally {
    if (redis.status === 'ready') await roster.leave('workers', id).catch(() => {});
    connection.disconnect();
  }
  note(`ended after ${done} ${done === 1 ? 'job' : 'jobs'}`);
}

interface Ending extends Pick<ServeParts, 'clock' | 'lease' | 'kill'> {
  readonly giveBack: AbortController;
  readonly beat: () => Promise<void>;
}

/** What is in hand when nothing new is taken: it is finished, or given back. @param closing resolves when nothing is left */
async function lastJobs(closing: Promise<void>, { giveBack, beat, clock, lease, kill }: Ending): Promise<void> {
  const ended = new AbortController();
  void closing.finally(() => ended.abort());
  const late = AbortSignal.any([kill, ended.signal]);
  const beats = (async () => {
    while (!ended.signal.aborted) {
      void beat();
      await clock.sleep(lease / 4, ended.signal);
    }
  })();
  await clock.sleep(FINISH, late);
  giveBack.abort();
  // Without Redis nothing can be given back; the lease will end.
  await Promise.race([closing, clock.sleep(lease, ended.signal)]);
  ended.abort();
  await beats;
}
