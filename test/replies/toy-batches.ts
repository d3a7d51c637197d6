/** A provider of batches in memory, under the test's hands: what it has made, and how each batch comes back. */

import type { Submission } from '../../src/core/batch.ts';
import type { BatchApi, BatchRow, BatchState, BatchStep, NewBatch } from '../../src/core/batch-port.ts';
import type { CallFailure, KeyedCall } from '../../src/core/call.ts';
import { digestText } from '../../src/core/digest.ts';
import type { BuildOutcome } from '../../src/engine/build/build.ts';
import { build } from '../../src/engine/build/build.ts';
import type { BatchOptions, Ports } from '../../src/engine/ports.ts';
import type { TokenLimitMemory } from '../../src/replies/token-limits.ts';
import { type ToyWorld, toyGraph, toyWorld } from '../helpers/toy.ts';

/** A batch of one call that is out. */
export const SUBMISSION: Submission = {
  id: digestText('batch'),
  identity: 'i',
  model: 'm',
  path: '/completions',
  state: 'running',
  count: 1,
  dollars: 1,
  tokens: 0,
  at: 0,
  batch: 'b1',
};

export interface MadeBatch {
  readonly id: string;
  readonly name: string;
  readonly batch: NewBatch;
  /** How it ended; undefined while it runs. */
  state: Partial<BatchState> | undefined;
  rows: BatchRow[];
}

const USAGE = { inputTokens: 3, cachedInputTokens: 0, outputTokens: 2 };
export const BUSY: CallFailure = { class: 'transient', reason: 'overloaded', message: 'busy' };

/** The row of a call that was answered with its own prompt. */
export const answered = ({ key, body }: Pick<NewBatch['calls'][number], 'key' | 'body'>): BatchRow => {
  const { prompt } = JSON.parse(body) as { prompt: string };
  return { type: 'response', id: key, status: 200, body: JSON.stringify({ text: prompt }) };
};

export class ToyBatches implements BatchApi {
  settings = {
    api: 'openai' as const,
    rows: 100,
    bytes: 1e6,
    echo: false,
    price: 0.5,
    pollSeconds: 1,
    graceSeconds: 60,
    patienceSeconds: 1800,
  } as BatchApi['settings'];
  ephemeral = false;
  named = true;
  readonly made: MadeBatch[] = [];
  readonly cancelled: string[] = [];
  /** Called for each batch before it is made; a failure refuses it, 'silent' makes it without an answer. */
  onCreate: (batch: NewBatch, input: string | undefined) => BatchStep<never> | 'silent' | undefined = () => undefined;
  onUpload: (batch: NewBatch) => void = () => {};
  /** Called at each look, to end what should have ended. */
  onLook: (batch: MadeBatch) => void = () => {};
  gone = false;

  async upload(batch: NewBatch): Promise<BatchStep<string | undefined>> {
    this.onUpload(batch);
    return { ok: true, value: `file of ${batch.id}` };
  }

  async create(batch: NewBatch, input?: string): Promise<BatchStep<BatchState>> {
    const how = this.onCreate(batch, input);
    if (how !== undefined && how !== 'silent') return how;
    const made: MadeBatch = {
      id: `b${this.made.length}`,
      name: batch.id,
      batch,
      state: undefined,
      rows: batch.calls.map(answered),
    };
    this.made.push(made);
    return how === 'silent' ? { ok: false, failure: BUSY, maybeDone: true } : { ok: true, value: this.#shown(made) };
  }

  async find(submission: Submission): Promise<BatchStep<readonly BatchState[]>> {
    const found = this.made.filter(({ name, batch }) =>
      this.named ? name === submission.id : batch.calls.length === submission.count,
    );
    return { ok: true, value: found.map((made) => this.#shown(made)) };
  }

  async look(id: string): Promise<BatchStep<BatchState>> {
    const made = this.made.find((each) => each.id === id);
    if (made === undefined || this.gone) return { ok: false, failure: BUSY, gone: true };
    this.onLook(made);
    return { ok: true, value: this.#shown(made) };
  }

  async cancel(id: string): Promise<BatchStep<void>> {
    this.cancelled.push(id);
    const made = this.made.find((each) => each.id === id)!;
    made.state ??= { end: 'cancelled' };
    return { ok: true, value: undefined };
  }

  async *rows({ id }: BatchState): AsyncGenerator<readonly BatchRow[]> {
    yield this.made.find((each) => each.id === id)!.rows;
  }

  judge: BatchApi['judge'] = (_, { status, body }) => {
    if (status === 200) return { result: { ok: true, raw: body, usage: USAGE }, outcome: { billed: USAGE } };
    const failure: CallFailure =
      status === 400 ? { class: 'permanent', reason: 'rejected', message: body } : { ...BUSY, message: `${status}` };
    return { result: { ok: false, failure }, outcome: { billed: 'no' } };
  };

  /** Ends every batch that runs. */
  end(state: Partial<BatchState> = {}): void {
    for (const made of this.made) made.state ??= { end: 'completed', ...state };
  }

  #shown({ id, state }: MadeBatch): BatchState {
    const end = state?.end;
    return { id, end, status: end ?? 'running', total: 0, answered: 0, mistakes: [], results: [], ...state };
  }
}

export interface BatchWorld extends Omit<ToyWorld, 'build'> {
  readonly api: ToyBatches;
  /** Moves with each wait. */
  readonly clock: { now: number };
  /** What a build finds its providers by. */
  readonly lane: { apis: NonNullable<Ports['batches']>['apis']; memory?: TokenLimitMemory };
  build(
    options?: Partial<BatchOptions> & {
      readonly maxCost?: number;
      readonly tolerate?: number;
      readonly targets?: readonly string[];
    },
    words?: readonly string[],
  ): Promise<BuildOutcome>;
  notes(): string[];
  /** Ids of the problems that the last build told. */
  problems(): string[];
}

/** Moves a clock at each wait. Who waits for ever is told so, where a test would hang. */
export function waiting(clock: { now: number }): (milliseconds: number) => Promise<void> {
  let waits = 0;
  return async (milliseconds) => {
    if (++waits > MOST_WAITS) throw new Error(`still waiting after ${MOST_WAITS} waits`);
    clock.now += milliseconds;
  };
}

const MOST_WAITS = 10_000;

/** A token costs 1 or 10 cents online and half of it in batches; the worst case of a call is $1 and 50 cents. */
const PRICES: Ports['prices'] = {
  cost: (_, __, usage, lane) => (usage.inputTokens * 0.01 + usage.outputTokens * 0.1) * (lane === 'batch' ? 0.5 : 1),
  worstCase: (_, __, ___, lane) => (lane === 'batch' ? 0.5 : 1),
  simulated: () => true,
};

/** The toy experiment, whose calls go in batches unless told otherwise. */
export function batchWorld(): BatchWorld {
  const world = toyWorld();
  const api = new ToyBatches();
  const clock = { now: 1_000 };
  const lane: BatchWorld['lane'] = { apis: async () => api };
  const { events } = world;
  return {
    ...world,
    api,
    clock,
    lane,
    notes: () => events.flatMap((event) => (event.type === 'note' ? [event.text] : [])),
    problems: () => events.flatMap((event) => (event.type === 'problem' ? [event.problem.id] : [])),
    build(options = {}, words = ['one', 'two', 'three']) {
      events.length = 0;
      world.buyer.sent.length = 0;
      const { maxCost, tolerate = 0, targets = ['last'], ...batches } = options;
      const signal = new AbortController().signal;
      return build(
        toyGraph({ words, tolerate }),
        targets,
        {
          jobs: 8,
          onFailure: 'stop-new',
          force: new Set(),
          offline: false,
          retryFailed: false,
          limits: { maxCost, unapprovedCost: undefined, maxCalls: undefined },
          batches: { laneOf: () => 'batch', manner: { type: 'leave' }, ...batches },
          command: 'cje build',
          interrupt: signal,
          kill: signal,
          named: new Set(),
        },
        {
          ...world.ports(),
          prices: PRICES,
          now: () => clock.now,
          batches: {
            ...lane,
            sleep: waiting(clock),
          },
        },
      );
    },
  };
}

export const online = (_: string, __: KeyedCall) => 'online' as const;
