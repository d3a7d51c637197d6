/** One batch in which each call ends in another way: every answer, failure, dollar and reservation, by hand. */

import { describe, expect, it } from 'vitest';
import type { Submission } from '../../src/core/batch.ts';
import {
  type BatchApi,
  type BatchRow,
  type BatchState,
  type JudgedRow,
  ResultsCut,
} from '../../src/core/batch-port.ts';
import type { CallFailure } from '../../src/core/call.ts';
import { type Digest, digestText } from '../../src/core/digest.ts';
import type { PriceBook, TryOutcome } from '../../src/core/provider-port.ts';
import { harvest } from '../../src/replies/batch-harvest.ts';
import type { CallMeter } from '../../src/replies/source.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { SUBMISSION, ToyBatches } from './toy-batches.ts';

const USAGE = { inputTokens: 30, cachedInputTokens: 10, outputTokens: 2 };
/** It had eight calls. */
const LARGE: Submission = { ...SUBMISSION, count: 8, dollars: 8 };
/** A cent for a token that is not cached, and half of that in a batch: the usage above is 22 tokens, $0.11. */
const PRICES: Pick<PriceBook, 'cost'> = {
  cost: (_, __, { inputTokens, cachedInputTokens, outputTokens }, lane) =>
    (inputTokens - cachedInputTokens + outputTokens) * 0.01 * (lane === 'batch' ? 0.5 : 1),
};
const REFUSED: CallFailure = { class: 'permanent', reason: 'refused', message: 'no' };
const BUSY: CallFailure = { class: 'transient', reason: 'overloaded', message: 'busy' };

/** How a call ends, by the body of its row. */
const JUDGED: Readonly<Record<string, JudgedRow>> = {
  answer: { result: { ok: true, raw: 'answer', usage: USAGE }, outcome: { billed: USAGE } },
  other: { result: { ok: true, raw: 'other', usage: USAGE }, outcome: { billed: USAGE } },
  doubt: { result: { ok: true, raw: 'doubt', usage: USAGE }, outcome: { billed: 'maybe' } },
  'refused and billed': { result: { ok: false, failure: REFUSED, raw: 'words' }, outcome: { billed: USAGE } },
  refused: { result: { ok: false, failure: REFUSED }, outcome: { billed: 'no' } },
  'busy and perhaps billed': { result: { ok: false, failure: BUSY }, outcome: { billed: 'maybe' } },
};

const NAMES = ['answered', 'doubted', 'refused-billed', 'refused', 'busy', 'expired', 'twice', 'lost'] as const;
type Name = (typeof NAMES)[number];
const KEYS = Object.fromEntries(NAMES.map((name) => [name, digestText(name)])) as Record<Name, Digest>;
const nameOf = (key: Digest): Name => NAMES.find((name) => KEYS[name] === key)!;
const response = (name: Name, status: number, body: string): BatchRow => ({
  type: 'response',
  id: KEYS[name],
  status,
  body,
});
const ROWS: readonly BatchRow[] = [
  response('answered', 200, 'answer'),
  response('doubted', 200, 'doubt'),
  response('refused-billed', 400, 'refused and billed'),
  response('refused', 400, 'refused'),
  response('busy', 503, 'busy and perhaps billed'),
  { type: 'expired', id: KEYS.expired },
  { ...response('twice', 200, 'answer'), id: KEYS.twice.toUpperCase() } as BatchRow,
  response('twice', 200, 'other'),
];

interface Given {
  readonly end?: BatchState['end'];
  /** Answers as the provider counts them. */
  readonly answered?: number;
  readonly doubted?: true;
  readonly rows?: readonly BatchRow[];
  /** Thrown when the rows have been given. */
  readonly cut?: ResultsCut;
}

async function taken({ end = 'completed', answered = 3, doubted, rows = ROWS, cut }: Given = {}) {
  const store = memoryStore();
  const submission = { ...LARGE, ...(doubted === undefined ? {} : { doubted }) };
  await store.batches.open(
    submission,
    NAMES.map((name, index) => [
      KEYS[name],
      { submission: submission.id, node: index % 2 === 0 ? 'even' : 'odd', request: `request of ${name}`, dollars: 1 },
    ]),
  );
  const state: BatchState = { id: 'b1', end, status: String(end), total: 8, answered, mistakes: [], results: [] };
  const toy = new ToyBatches();
  const api: BatchApi = {
    settings: toy.settings,
    ephemeral: false,
    named: true,
    upload: toy.upload.bind(toy),
    create: toy.create.bind(toy),
    find: toy.find.bind(toy),
    cancel: toy.cancel.bind(toy),
    look: async () => ({ ok: true, value: state }),
    async *rows() {
      yield rows;
      if (cut !== undefined) throw cut;
    },
    judge: (_, { body }) => JUDGED[body]!,
  };
  const settled: [Name, TryOutcome['billed']][] = [];
  const unknown: [Name, number][] = [];
  const slept: number[] = [];
  const found = await harvest(submission, state, api, {
    batches: store.batches,
    calls: store.calls,
    prices: PRICES as PriceBook,
    now: () => 77,
    settle: (key, { billed }) => void settled.push([nameOf(key), billed]),
    keepUnknown: async (key, { dollars }) => void unknown.push([nameOf(key), dollars]),
    sleep: async (milliseconds) => void slept.push(milliseconds),
  });
  return { found, settled, unknown, slept, store };
}

const meter = (
  given: Partial<CallMeter>,
  models: Omit<CallMeter['models'][number], 'identity' | 'model'>,
): CallMeter => ({
  bought: 0,
  failed: 0,
  inFlight: 0,
  cost: 0,
  unknown: 0,
  doubted: 0,
  discount: 0,
  ...given,
  models: [{ identity: 'i', model: 'm', ...models }],
});

describe('a batch in which each call ends in another way', () => {
  it('comes to this, of its calls, its nodes and its money', async () => {
    const { found, settled, unknown, slept } = await taken();
    const { meters, again, ...rest } = found!;
    expect(rest).toEqual({
      answers: 3,
      failures: 2,
      lost: [KEYS.lost],
      gone: undefined,
      foreign: [],
      unreadable: 0,
      conflicts: [KEYS.twice],
      usage: { inputTokens: 90, cachedInputTokens: 30, outputTokens: 6 },
    });
    expect([...again].map(([key, failure]) => [nameOf(key), failure])).toEqual([
      ['busy', BUSY],
      ['expired', undefined],
    ]);
    // Even: answered, refused and billed, busy, twice. Odd: doubted, refused, expired, lost.
    const even = { bought: 2, cost: 0.33, unknown: 2 };
    const odd = { bought: 1, cost: 0, unknown: 2 };
    expect(meters.get('even')).toEqual(meter({ ...even, failed: 1, discount: 0.22 }, even));
    expect(meters.get('odd')).toEqual(meter({ ...odd, failed: 1, doubted: 1 }, odd));
    expect(settled.sort()).toEqual([
      ['answered', USAGE],
      ['busy', 'maybe'],
      ['doubted', 'maybe'],
      ['expired', 'no'],
      ['lost', 'maybe'],
      ['refused', 'no'],
      ['refused-billed', USAGE],
      ['twice', USAGE],
    ]);
    // Two different answers may be two that were billed; what is kept with an answer needs no intent.
    expect(unknown.sort()).toEqual([
      ['busy', 1],
      ['lost', 1],
      ['twice', 1],
    ]);
    expect(slept).toEqual([500, 2_000]);
  });

  it('leaves answers and failures for good, with what is known of their cost', async () => {
    const { store } = await taken();
    const common = { model: 'm', identity: 'i', usage: USAGE, boughtAt: 77, batch: 'b1' };
    const kept = (name: Name) => store.calls.get(KEYS[name]);
    const even = { ...common, node: 'even', cost: 0.11 };
    expect(kept('answered')).toEqual({ ...even, raw: 'answer', request: 'request of answered' });
    expect(kept('twice')).toEqual({ ...even, raw: 'answer', request: 'request of twice' });
    const doubted = { raw: 'doubt', request: 'request of doubted', node: 'odd', cost: null, reserved: 1 };
    expect(kept('doubted')).toEqual({ ...common, ...doubted });
    expect(['refused', 'busy', 'expired', 'lost'].map((name) => kept(name as Name))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    const failed = { failure: REFUSED, failedAt: 77 };
    expect(store.calls.failure(KEYS['refused-billed'])).toEqual({
      ...failed,
      request: 'request of refused-billed',
      node: 'even',
      raw: 'words',
      cost: 0.11,
    });
    expect(store.calls.failure(KEYS.refused)).toEqual({
      ...failed,
      request: 'request of refused',
      node: 'odd',
      cost: 0,
    });
  });

  it.each<BatchState['end']>(['expired', 'cancelled'])(
    'need not name what it has not done where it %s',
    async (end) => {
      const { found, settled, slept } = await taken({ end });
      expect([found!.lost, [...found!.again.keys()].map(nameOf)]).toEqual([[], ['busy', 'expired', 'lost']]);
      expect(settled).toContainEqual(['lost', 'no']);
      expect(slept).toEqual([]);
    },
  );

  it('is doubted once where the provider counts more answers than came, and then taken at its word', async () => {
    expect((await taken({ end: 'expired', answered: 4 })).found).toBeUndefined();
    expect((await taken({ answered: 4 })).found).toBeUndefined();
    const { found, settled } = await taken({ end: 'expired', answered: 4, doubted: true });
    expect(found!.lost).toEqual([KEYS.lost]);
    expect(settled).toContainEqual(['lost', 'maybe']);
  });

  it('has lost what was not read where its results are gone, though it was cut short', async () => {
    const cut = new ResultsCut({ class: 'permanent', reason: 'rejected', message: 'deleted' });
    const { found, unknown } = await taken({ end: 'expired', cut });
    expect([found!.lost, found!.gone]).toEqual([[KEYS.lost], 'deleted']);
    expect(unknown).toContainEqual(['lost', 1]);
  });

  it('tells of rows that are none of it, and of lines that are no rows', async () => {
    const foreign: BatchRow = { type: 'response', id: 'f'.repeat(32), status: 200, body: 'answer' };
    const rows: BatchRow[] = [
      ...ROWS,
      response('lost', 200, 'answer'),
      foreign,
      { type: 'unreadable', text: '<html>' },
    ];
    const { found } = await taken({ rows, answered: 4 });
    expect(found).toMatchObject({ answers: 4, foreign: ['f'.repeat(32)], unreadable: 1, lost: [] });
  });

  it('is read again later where not one line is a row of it', async () => {
    const rows: BatchRow[] = [{ type: 'unreadable', text: '<html>' }];
    await expect(taken({ rows, end: 'expired', answered: 0 })).rejects.toThrow('holds none of its answers');
    await expect(taken({ rows: [], answered: 0 })).rejects.toThrow('holds none of its answers');
    // A batch that was cut short may have done nothing.
    expect((await taken({ rows: [], end: 'cancelled', answered: 0, doubted: true })).found).toMatchObject({
      answers: 0,
      lost: [],
    });
  });
});
