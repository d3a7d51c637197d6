/** Calls that wait in batches: what is on disk before anything is sent, what comes back, and what it costs. */

import { describe, expect, it } from 'vitest';
import { type BatchRow, ResultsCut } from '../../src/core/batch-port.ts';
import { EXIT } from '../../src/core/problem.ts';
import type { LearntTokens } from '../../src/replies/token-limits.ts';
import { answered, BUSY, batchWorld, online } from './toy-batches.ts';

const LEFT = { exit: EXIT.waiting, totals: { calls: { bought: 0 }, cost: { billed: 0 } } };
/** Three words, asked by two nodes; a reply is 3 tokens in and 2 out: $0.115 in a batch, $0.23 online. */
const CALLS = 6;
const BUILT = { exit: EXIT.built, totals: { calls: { bought: CALLS } } };

/** Milliseconds after which a batch is not waited for any longer. */
const PATIENCE = 1_800_000;

/** Milliseconds after which a batch that is not found is lost. */
const GRACE = 61_000;

describe('a build in batches', () => {
  it('sends what it asks in one batch, waits, and takes it in at the next build, once', async () => {
    const { build, api, store, buyer } = batchWorld();
    api.onUpload = (batch) => {
      expect(store.batches.list()).toMatchObject([{ id: batch.id, state: 'prepared', count: CALLS, dollars: 3 }]);
      expect(batch.calls.map(({ key }) => store.batches.call(key)?.submission)).toEqual(Array(CALLS).fill(batch.id));
    };
    api.onCreate = ({ id }, input) => {
      expect(input).toBe(`file of ${id}`);
      expect(store.batches.list()).toMatchObject([{ state: 'creating', input }]);
      return undefined;
    };
    expect(await build()).toMatchObject(LEFT);
    expect(await build()).toMatchObject(LEFT);
    expect(api.made).toHaveLength(1);
    api.end();
    const outcome = await build();
    expect(outcome).toMatchObject(BUILT);
    expect(outcome.totals.cost.billed).toBeCloseTo(CALLS * 0.115, 9);
    expect([...store.contents.calls.values()].map(({ batch, cost }) => [batch, cost])).toEqual(
      Array(CALLS).fill(['b0', 0.115]),
    );
    expect(store.contents.batches.size + store.contents.batched.size).toBe(0);
    expect(buyer.sent).toEqual([]);
    expect(await build()).toMatchObject({ exit: EXIT.built, totals: { calls: { bought: 0 } } });
  });

  it('may stay until what it sent is back', async () => {
    const { build, api, clock } = batchWorld();
    api.onLook = () => clock.now > 60_000 && api.end();
    expect(await build({ manner: { type: 'stay', until: undefined } })).toMatchObject(BUILT);
    expect(clock.now).toBeGreaterThan(60_000);
  });

  it('cancels at the named time, keeps what is done, and buys the rest online', async () => {
    const { build, api, buyer, store } = batchWorld();
    const cancel = api.cancel.bind(api);
    api.cancel = async (id) => {
      api.made[0]!.rows.splice(2);
      return cancel(id);
    };
    expect(await build({ manner: { type: 'stay', until: 30_000 } })).toMatchObject(BUILT);
    expect(api.cancelled).toEqual(['b0']);
    expect(buyer.sent).toHaveLength(CALLS - 2);
    expect(store.contents.intents.size).toBe(0);
  });

  it('does not ask again and again for the end of a batch that cannot be cancelled any more', async () => {
    const { build, api, clock } = batchWorld();
    api.cancel = async (id) => {
      api.cancelled.push(id);
      return { ok: false, failure: BUSY };
    };
    api.onLook = () => clock.now > 600_000 && api.end();
    expect(await build({ manner: { type: 'stay', until: 30_000 } })).toMatchObject(BUILT);
    expect(api.cancelled.length).toBeGreaterThan(1);
    expect(api.cancelled.length).toBeLessThan(20);
  });

  it('looks at once at a batch that could not be cancelled, since it may have ended', async () => {
    const { build, api, clock, buyer } = batchWorld();
    api.cancel = async () => {
      api.end();
      return { ok: false, failure: BUSY };
    };
    expect(await build({ manner: { type: 'stay', until: 30_000 } })).toMatchObject(BUILT);
    expect(clock.now).toBeLessThan(31_000);
    expect(buyer.sent).toEqual([]);
  });

  it('buys the rest online where a batch is deleted by being cancelled, and books it as unknown', async () => {
    const { build, api, buyer, notes } = batchWorld();
    api.cancel = async (id) => {
      api.cancelled.push(id);
      api.gone = true;
      return { ok: true, value: undefined };
    };
    const outcome = await build({ manner: { type: 'stay', until: 30_000 } });
    expect(outcome).toMatchObject(BUILT);
    expect(outcome.totals.cost.unknown).toBeCloseTo(CALLS * 0.5, 9);
    expect(buyer.sent).toHaveLength(CALLS);
    expect(notes().join('\n')).toContain('booked as unknown');
  });

  it('takes a batch that is gone when it is cancelled for one that was', async () => {
    const { build, api, buyer, notes } = batchWorld();
    api.cancel = async (id) => {
      api.cancelled.push(id);
      api.gone = true;
      return { ok: false, failure: BUSY, gone: true };
    };
    expect(await build({ manner: { type: 'stay', until: 30_000 } })).toMatchObject(BUILT);
    expect(api.cancelled).toEqual(['b0']);
    expect(buyer.sent).toHaveLength(CALLS);
    expect(notes().join('\n')).not.toContain('could not be cancelled');
  });

  it('stays with a simulator of its own, which ends with it', async () => {
    const { build, api } = batchWorld();
    api.ephemeral = true;
    api.onLook = () => api.end();
    expect(await build()).toMatchObject(BUILT);
  });
});

describe('what is out', () => {
  it('is not bought online, unless its batch is cancelled first', async () => {
    const { build, api, buyer } = batchWorld();
    await build();
    expect(await build({ laneOf: online })).toMatchObject(LEFT);
    expect(buyer.sent).toEqual([]);
    api.cancel = async (id) => {
      api.made[0]!.rows.length = 0;
      api.made[0]!.state = { end: 'cancelled' };
      api.cancelled.push(id);
      return { ok: true, value: undefined };
    };
    expect(await build({ laneOf: online, manner: { type: 'take-over' } })).toMatchObject(BUILT);
    expect(api.cancelled).toEqual(['b0']);
    expect(buyer.sent).toHaveLength(CALLS);
  });

  it.each([
    [0.4, 0],
    [1.4, 2],
    [3, CALLS],
  ])('counts under a cap of $%d by its worst case: %i calls', async (maxCost, sent) => {
    const { build, api } = batchWorld();
    expect((await build({ maxCost })).exit).toBe(sent === CALLS ? EXIT.waiting : EXIT.stopped);
    expect(api.made.flatMap(({ batch }) => batch.calls)).toHaveLength(sent);
  });

  it('counts beside what is bought online', async () => {
    const { build, api, buyer } = batchWorld();
    const laneOf = (node: string) => (node === 'answers/a' ? 'batch' : 'online');
    // Three calls of 50 cents and one of $1 fit; online replies cost 23 cents each, so that some room comes back.
    expect((await build({ laneOf, maxCost: 2.6 })).exit).toBe(EXIT.stopped);
    const reserved = 0.5 * api.made.flatMap(({ batch }) => batch.calls).length;
    expect(reserved + 0.23 * buyer.sent.length).toBeLessThanOrEqual(2.6);
    expect(buyer.sent.length).toBeGreaterThan(0);
  });
});

describe('what comes back after its node has ended', () => {
  it('is booked by the build that a cap has stopped', async () => {
    const { build, api, store } = batchWorld();
    api.onLook = () => api.end();
    const outcome = await build({ maxCost: 1.4, manner: { type: 'stay', until: undefined } });
    expect(outcome).toMatchObject({ exit: EXIT.stopped, totals: { calls: { bought: 2 } } });
    expect(outcome.totals.cost.billed).toBeCloseTo(2 * 0.115, 9);
    const [record] = [...store.builds.list()];
    const nodes = Object.values(record!.nodes);
    expect(nodes.reduce((sum, { cost }) => sum + cost, 0)).toBeCloseTo(2 * 0.115, 9);
    expect(nodes.flatMap(({ models = [] }) => models).reduce((sum, { bought }) => sum + bought, 0)).toBe(2);
  });

  it('is booked by a build that does not build the node', async () => {
    const { build, api, store } = batchWorld();
    await build();
    api.end();
    const outcome = await build({ targets: ['answers/a'] });
    expect(outcome).toMatchObject(BUILT);
    const [record] = [...store.builds.list()];
    expect(record!.nodes['answers/b']).toMatchObject({ outcome: 'skipped', bought: 3 });
    expect(record!.nodes['answers/b']!.cost).toBeCloseTo(3 * 0.115, 9);
  });

  it('is booked as unknown where it is lost, by a build that does not build the node', async () => {
    const { build, api, clock } = batchWorld();
    await build();
    api.gone = true;
    clock.now += GRACE;
    expect((await build({ targets: ['answers/a'] })).totals.cost.unknown).toBeCloseTo(CALLS * 0.5, 9);
  });
});

describe('results of which no line is a row', () => {
  it('are read again later where the provider counts answers, and nothing is bought twice', async () => {
    const { build, api, notes } = batchWorld();
    await build();
    const [made] = api.made;
    const { rows } = made!;
    api.end({ answered: CALLS });
    made!.rows = [{ type: 'unreadable', text: '<html>' }];
    expect(await build()).toMatchObject(LEFT);
    expect(notes().join('\n')).toContain('none of its answers');
    made!.rows = rows;
    expect(await build()).toMatchObject(BUILT);
    expect(api.made).toHaveLength(1);
  });

  it('are never lost: a build that stays for them ends when its patience does, and the next one goes on', async () => {
    const { build, api, clock, problems, store } = batchWorld();
    await build();
    const { rows } = api.made[0]!;
    api.end();
    api.made[0]!.rows = [{ type: 'unreadable', text: '<html>' }];
    const begun = clock.now;
    expect(await build({ manner: { type: 'stay', until: undefined } })).toMatchObject(LEFT);
    expect(problems()).toEqual(['CJE-BATCH-UNREACHABLE']);
    expect(clock.now - begun).toBeLessThan(1.2 * PATIENCE);
    expect(store.contents.batched.size).toBe(CALLS);
    api.made[0]!.rows = rows;
    expect(await build()).toMatchObject({ ...BUILT, totals: { cost: { unknown: 0 } } });
  });
});

describe('results that break off', () => {
  it.each([
    ['without a word', undefined],
    ['with an error', new ResultsCut(BUSY)],
  ])('%s are read again, and nothing counts as lost', async (_, error) => {
    const { build, api } = batchWorld();
    await build();
    api.end({ answered: CALLS });
    const whole = api.rows.bind(api);
    let readings = 0;
    api.rows = async function* (state) {
      for await (const rows of whole(state)) yield ++readings < 3 ? rows.slice(0, readings) : rows;
      if (readings < 3 && error !== undefined) throw error;
    };
    expect(await build()).toMatchObject({ ...BUILT, totals: { cost: { unknown: 0 } } });
    expect(readings).toBe(3);
  });

  it('are put together from what comes of each reading', async () => {
    const { build, api } = batchWorld();
    await build();
    api.end();
    const { rows } = api.made[0]!;
    let readings = 0;
    api.rows = async function* () {
      const from = 2 * readings++;
      yield rows.slice(from, from + 2);
    };
    expect(await build()).toMatchObject({ ...BUILT, totals: { cost: { unknown: 0 } } });
    expect(readings).toBe(3);
  });

  it('hold fewer answers than are counted: they are read at another look before any are lost', async () => {
    const { build, api, problems } = batchWorld();
    await build();
    api.end({ answered: CALLS });
    const { rows } = api.made[0]!;
    api.made[0]!.rows = rows.slice(1);
    expect(await build()).toMatchObject({ exit: EXIT.waiting, totals: { cost: { unknown: 0 } } });
    expect(await build()).toMatchObject({ exit: EXIT.failed, totals: { cost: { unknown: 0.5 } } });
    expect(problems()).toEqual(['CJE-BATCH-LOST']);
  });

  it('because some of them are gone are kept as far as they go, and the rest is lost', async () => {
    const { build, api, problems } = batchWorld();
    await build();
    api.end();
    const whole = api.rows.bind(api);
    api.rows = async function* (state) {
      for await (const rows of whole(state)) yield rows.slice(0, 2);
      throw new ResultsCut({ class: 'permanent', reason: 'rejected', message: '404 no such file' });
    };
    const outcome = await build();
    expect(outcome).toMatchObject({ exit: EXIT.failed, totals: { calls: { bought: 2 }, cost: { unknown: 2 } } });
    expect(problems()).toEqual(['CJE-BATCH-LOST']);
    expect(outcome.results.get('answers/b')?.reason).toContain(
      'the results of batch b0 of parrot are not at the provider any more, and with them 4 of its 6 calls: 404 no such file',
    );
  });
});

describe('a build that waits', () => {
  const until = 30_000;

  it.each<[string, (world: ReturnType<typeof batchWorld>) => void]>([
    [
      'for a provider that errs for ever',
      ({ api }) => {
        api.look = async () => ({ ok: false, failure: BUSY });
        api.cancel = async () => ({ ok: false, failure: BUSY });
      },
    ],
    [
      'for a batch that is cancelling for ever',
      ({ api }) => {
        api.cancel = async () => ({ ok: true, value: undefined });
      },
    ],
    [
      'for a batch that cannot be found',
      ({ api }) => {
        api.onCreate = () => 'silent';
        api.find = async () => ({ ok: false, failure: BUSY });
      },
    ],
    [
      'for a batch that may be one of several that run',
      ({ api }) => {
        api.onCreate = () => 'silent';
        api.named = false;
      },
    ],
  ])('%s ends when its patience does, and loses nothing', async (_, spoil) => {
    const world = batchWorld();
    const { api, clock, problems, store, buyer } = world;
    const { look, cancel, find } = api;
    spoil(world);
    expect(await world.build({ manner: { type: 'stay', until } })).toMatchObject(LEFT);
    expect(problems()).toEqual(['CJE-BATCH-UNREACHABLE']);
    expect(clock.now).toBeGreaterThanOrEqual(until + PATIENCE);
    expect(clock.now).toBeLessThan(until + 1.2 * PATIENCE);
    expect([store.contents.batched.size, buyer.sent.length]).toEqual([CALLS, 0]);
    Object.assign(api, { look, cancel, find });
    api.end();
    expect(await world.build()).toMatchObject({ ...BUILT, totals: { cost: { unknown: 0 } } });
    expect(api.made).toHaveLength(1);
  });

  it.each([
    ['of a batch that runs', { ok: true, value: { id: 'b0', end: undefined, status: 'busy', total: 0, answered: 0 } }],
    ['of a look that is refused', { ok: false, failure: BUSY }],
  ] as const)('looks again before a year is over, whatever it is asked %s', async (_, answer) => {
    const { build, api, clock } = batchWorld();
    const year = 31_536_000_000;
    const look = api.look.bind(api);
    api.look = async (id) => {
      if (clock.now > 60_000) api.end();
      if (clock.now > 60_000) return look(id);
      if (!answer.ok) return { ...answer, lookAgain: year };
      return { ok: true, value: { ...answer.value, mistakes: [], results: [], lookAgain: year } };
    };
    expect(await build({ manner: { type: 'stay', until: undefined } })).toMatchObject(BUILT);
    expect(clock.now).toBeLessThan(PATIENCE);
  });

  it('does not wait for a batch of a provider that its profile does not have', async () => {
    const { build, api, lane, problems, clock } = batchWorld();
    await build();
    lane.apis = async () => undefined;
    expect(await build({ manner: { type: 'stay', until: undefined } })).toMatchObject(LEFT);
    expect(problems()).toEqual(['CJE-BATCH-UNREACHABLE']);
    expect(clock.now).toBeLessThan(60_000);
    lane.apis = async () => api;
    api.end();
    expect(await build()).toMatchObject(BUILT);
  });
});

it('does not send again what came back for want of credit', async () => {
  const { build, api, problems } = batchWorld();
  const failure = { class: 'fatal', reason: 'no_credit', message: '402 no credit' } as const;
  api.judge = () => ({ result: { ok: false, failure }, outcome: { billed: 'no' } });
  api.onLook = () => api.end();
  expect((await build({ manner: { type: 'stay', until: undefined } })).exit).toBe(EXIT.failed);
  expect(problems()).toContain('CJE-NO-CREDIT');
  expect(api.made).toHaveLength(1);
});

describe('a server without batches', () => {
  it.each(['404 Not Found', '405 Method Not Allowed'])('is told by what it says: %s', async (message) => {
    const { build, api, problems, buyer } = batchWorld();
    const failure = { class: 'fatal', reason: 'unknown_model', message } as const;
    api.onCreate = () => ({ ok: false, failure });
    expect((await build()).exit).toBe(EXIT.failed);
    expect(problems()).toContain('CJE-BATCH-REFUSED');
    expect(await build({ laneOf: online })).toMatchObject(BUILT);
    expect(buyer.sent).toHaveLength(CALLS);
  });

  it('is not one that lacks the model', async () => {
    const { build, api, problems } = batchWorld();
    const failure = { class: 'fatal', reason: 'unknown_model', message: '404 The model `m` does not exist' } as const;
    api.onCreate = () => ({ ok: false, failure });
    expect((await build()).exit).toBe(EXIT.failed);
    expect(problems()).toContain('CJE-MODEL-NOT-SERVED');
  });
});

describe('a batch whose id was never learnt', () => {
  it('is found by its name and not sent again', async () => {
    const { build, api, notes } = batchWorld();
    api.onCreate = () => 'silent';
    expect(await build()).toMatchObject(LEFT);
    api.end();
    expect(await build()).toMatchObject(BUILT);
    expect(api.made).toHaveLength(1);
    expect(notes().join('\n')).toContain('batch b0 of parrot was found again and is adopted');
  });

  it('is told from others of its size by its ids, once they have ended', async () => {
    const { build, api } = batchWorld();
    api.named = false;
    api.onCreate = () => 'silent';
    await build();
    const others = api.made[0]!.rows.map((row, index) => ({ ...row, id: `other-${index}` }) as BatchRow);
    api.made.unshift({ ...api.made[0]!, id: 'stranger', rows: others, state: { end: 'completed' } });
    expect(await build()).toMatchObject(LEFT);
    api.end();
    expect(await build()).toMatchObject(BUILT);
    expect(api.made).toHaveLength(2);
  });

  it('counts as never made after a while: it is sent again, and what it may have cost is unknown', async () => {
    const { build, api, clock, store } = batchWorld();
    api.onCreate = () => ({ ok: false, failure: BUSY, maybeDone: true });
    await build();
    api.onCreate = () => undefined;
    expect(await build()).toMatchObject(LEFT);
    expect(api.made).toHaveLength(0);
    clock.now += 61_000;
    const outcome = await build();
    expect(outcome).toMatchObject({ exit: EXIT.waiting, totals: { cost: { billed: 0, unknown: 3 } } });
    expect(api.made).toHaveLength(1);
    expect(store.contents.intents.size).toBe(0);
  });

  it('was not made where the provider says so, and fails its nodes', async () => {
    const { build, api, store, problems } = batchWorld();
    api.onCreate = () => ({ ok: false, failure: BUSY });
    expect((await build()).exit).toBe(EXIT.failed);
    expect(problems()).toEqual(['CJE-RETRIES-SPENT']);
    expect(store.contents.batches.size + store.contents.batched.size).toBe(0);
  });
});

describe('the ledger of what comes back', () => {
  it('fails the node by name where rows are lost, keeps the others, and asks again at the next build', async () => {
    const { build, api, problems, store } = batchWorld();
    await build();
    const [lost] = api.made[0]!.rows.splice(0, 1);
    api.end();
    const outcome = await build();
    expect(outcome).toMatchObject({
      exit: EXIT.failed,
      totals: { calls: { bought: CALLS - 1 }, cost: { unknown: 0.5 } },
    });
    expect(problems()).toEqual(['CJE-BATCH-LOST']);
    expect(outcome.results.get('answers/a')?.reason).toContain(
      `without 1 of its 6 calls: ${(lost as { id: string }).id}`,
    );
    expect(store.contents.calls.size).toBe(CALLS - 1);
    await build();
    expect(api.made[1]!.batch.calls).toHaveLength(1);
  });

  it('fails the node by name where the results are gone', async () => {
    const { build, api, buyer, problems, clock } = batchWorld();
    await build();
    api.gone = true;
    // A provider may not know at once what it has made.
    expect(await build()).toMatchObject({ exit: EXIT.waiting, totals: { cost: { unknown: 0 } } });
    expect(buyer.sent).toEqual([]);
    clock.now += GRACE;
    expect(await build()).toMatchObject({ exit: EXIT.failed, totals: { cost: { billed: 0, unknown: 3 } } });
    expect(problems()).toEqual(['CJE-BATCH-LOST']);
  });

  it('books what an earlier look kept as bought, where the rest is gone before it could be read', async () => {
    const { build, api, problems, clock } = batchWorld();
    await build();
    api.end();
    const whole = api.rows.bind(api);
    api.rows = async function* (state) {
      for await (const rows of whole(state)) yield rows.slice(0, 2);
      throw new ResultsCut({ class: 'transient', reason: 'bad_reply', message: 'cut' });
    };
    expect(await build()).toMatchObject({ exit: EXIT.waiting });
    api.gone = true;
    clock.now += GRACE;
    const outcome = await build();
    expect(outcome).toMatchObject({ exit: EXIT.failed, totals: { calls: { bought: 2 }, cost: { unknown: 2 } } });
    expect(outcome.totals.cost.billed).toBeCloseTo(0.23, 9);
    expect(problems()).toEqual(['CJE-BATCH-LOST']);
    expect(outcome.results.get('answers/b')?.reason).toContain('with them 4 of its 6 calls');
  });

  it('tells nothing odd of a batch that came back as it was sent', async () => {
    const { build, api, notes } = batchWorld();
    await build();
    api.end({ usage: { inputTokens: 18, cachedInputTokens: 0, outputTokens: 12 } });
    await build();
    expect(notes().map((note) => note.replace(/^.* is back/, 'it is back'))).toEqual([
      'it is back (completed): 6 answers, $0.6900',
    ]);
  });

  it('takes equal rows for one, and tells of different ones, of foreign ones, and of lines that are none', async () => {
    const { build, api, notes, store } = batchWorld();
    await build();
    const { rows, batch } = api.made[0]!;
    const [first, second] = batch.calls as [(typeof batch.calls)[0], (typeof batch.calls)[0]];
    rows.push(answered(first), { type: 'response', id: second.key, status: 200, body: '{"text":"another"}' });
    rows.push({ type: 'response', id: 'stranger', status: 200, body: '{}' }, { type: 'unreadable', text: '<html>' });
    api.end();
    const outcome = await build();
    expect(outcome).toMatchObject({ ...BUILT, totals: { cost: { unknown: 0.5 } } });
    const told = notes().join('\n');
    expect(told).toContain(`1 call came twice with different answers, the first is kept: ${second.key}`);
    expect(told).toContain('1 row of ids that were not in it: stranger');
    expect(told).toContain('1 line could not be read');
    expect(store.contents.calls.get(second.key)?.raw).not.toContain('another');
  });

  it('tells of an error that comes after an answer, though it holds the same words', async () => {
    const { build, api, notes } = batchWorld();
    await build();
    const { rows, batch } = api.made[0]!;
    const [first] = batch.calls as [(typeof batch.calls)[0]];
    const answer = rows.find((row) => row.type === 'response' && row.id === first.key);
    rows.push({ ...(answer as Extract<BatchRow, { type: 'response' }>), status: 500 });
    api.end();
    expect(await build()).toMatchObject(BUILT);
    expect(notes().join('\n')).toContain(`1 call came twice with different answers, the first is kept: ${first.key}`);
  });

  it('takes ids that come in another case', async () => {
    const { build, api } = batchWorld();
    await build();
    api.made[0]!.rows = api.made[0]!.rows.map(
      (row) => ({ ...row, id: (row as { id: string }).id.toUpperCase() }) as BatchRow,
    );
    api.end();
    expect(await build()).toMatchObject(BUILT);
  });

  it('looks twice at a batch that is said to have done nothing', async () => {
    const { build, api } = batchWorld();
    await build();
    const { rows } = api.made[0]!;
    api.made[0]!.rows = [];
    api.end({ end: 'expired' });
    expect(await build()).toMatchObject({ ...LEFT, totals: { cost: { unknown: 0 } } });
    api.made[0]!.rows = rows;
    expect(await build()).toMatchObject(BUILT);
    expect(api.made).toHaveLength(1);
  });

  it('waits for a batch that has ended and then runs again', async () => {
    const { build, api } = batchWorld();
    await build();
    const { rows } = api.made[0]!;
    api.made[0]!.rows = rows.slice(1);
    let looks = 0;
    api.onLook = (made) => {
      made.state = ++looks === 1 ? { end: 'completed' } : undefined;
    };
    expect(await build()).toMatchObject({ exit: EXIT.waiting, totals: { cost: { unknown: 0 } } });
    expect(looks).toBeGreaterThan(1);
    api.onLook = () => {};
    api.made[0]!.rows = rows;
    api.end();
    expect(await build()).toMatchObject({ exit: EXIT.built, totals: { cost: { unknown: 0 } } });
    expect(api.made).toHaveLength(1);
  });

  it('keeps what an expired batch has done, and sends the rest again', async () => {
    const { build, api } = batchWorld();
    await build();
    const { rows } = api.made[0]!;
    for (let index = 0; index < 4; index++) rows[index] = { type: 'expired', id: (rows[index] as { id: string }).id };
    api.end({ end: 'expired' });
    expect(await build()).toMatchObject({ exit: EXIT.waiting, totals: { cost: { unknown: 0 } } });
    expect(api.made[1]!.batch.calls).toHaveLength(4);
    api.end();
    expect(await build()).toMatchObject({ exit: EXIT.built });
  });

  it('fails a call that comes back unanswered again and again', async () => {
    const { build, api, problems } = batchWorld();
    api.onLook = (made) => {
      made.rows = made.batch.calls.map(({ key }) => ({ type: 'response', id: key, status: 500, body: '{}' }));
      api.end();
    };
    expect((await build({ manner: { type: 'stay', until: undefined } })).exit).toBe(EXIT.failed);
    expect(api.made).toHaveLength(3);
    expect(new Set(problems())).toEqual(new Set(['CJE-RETRIES-SPENT']));
  });

  it('keeps a failure for good as one', async () => {
    const { build, api, store } = batchWorld();
    await build();
    const { rows } = api.made[0]!;
    rows[0] = { type: 'response', id: (rows[0] as { id: string }).id, status: 400, body: 'no' };
    api.end();
    expect((await build()).totals.calls).toMatchObject({ bought: CALLS - 1, failed: 1 });
    expect([...store.contents.failures.values()]).toMatchObject([{ failure: { reason: 'rejected', message: 'no' } }]);
  });

  it('says where the provider counts other tokens than its answers have', async () => {
    const { build, api, notes } = batchWorld();
    await build();
    api.end({ usage: { inputTokens: 99, cachedInputTokens: 0, outputTokens: 12 } });
    await build();
    expect(notes().join('\n')).toContain('it counts 99 tokens in, 12 out, and its answers sum to 18 tokens in, 12 out');
  });

  it('sums what failed for good and was billed beside the answers', async () => {
    const { build, api, notes } = batchWorld();
    await build();
    const { judge } = api;
    const usage = { inputTokens: 3, cachedInputTokens: 0, outputTokens: 0 };
    api.judge = (batch, row) => {
      const judged = judge(batch, row);
      return judged.result.ok ? judged : { ...judged, outcome: { billed: usage } };
    };
    const { rows, batch } = api.made[0]!;
    const [first] = batch.calls as [(typeof batch.calls)[0]];
    rows.splice(0, 1, { type: 'response', id: first.key, status: 400, body: '{"error":{}}' });
    // Five answers of 3 in and 2 out, and one failure of 3 in.
    api.end({ usage: { inputTokens: 18, cachedInputTokens: 0, outputTokens: 10 } });
    const outcome = await build({ tolerate: 1 });
    expect(outcome.totals.cost.billed).toBeCloseTo(5 * 0.115 + 0.015, 9);
    expect(notes().join('\n')).not.toContain('it counts');
  });
});

describe('what a batch spared', () => {
  it('is told as the discount of the build that it came in, and no later build says that the cache saved it', async () => {
    const { build, api } = batchWorld();
    await build();
    api.end();
    const { discount = 0, billed } = (await build({ targets: ['answers/a'] })).totals.cost;
    expect(discount).toBeGreaterThan(0);
    // All that the cache spares the next one is what the other half of the answers cost in the batch.
    const { totals } = await build();
    expect(totals.calls.bought).toBe(0);
    expect(totals.cost.saved).toBeCloseTo(billed / 2, 9);
  });
});

describe('a batch that is refused as a whole', () => {
  it('fails the row that is named, and the others are sent again', async () => {
    const { build, api, store } = batchWorld();
    await build();
    api.end({ end: 'refused', mistakes: [{ line: 1, code: 'invalid', message: 'no such role' }] });
    await build({ tolerate: 0.5 });
    expect([...store.contents.failures.keys()]).toEqual([api.made[0]!.batch.calls[1]!.key]);
    expect(api.made[1]!.batch.calls).toHaveLength(CALLS - 1);
  });

  it('fails its nodes by name where no row is named', async () => {
    const { build, api, problems } = batchWorld();
    await build();
    api.end({ end: 'refused', mistakes: [{ line: undefined, code: '', message: 'a syntax error' }] });
    const outcome = await build();
    expect(problems()).toEqual(['CJE-BATCH-REFUSED']);
    expect(outcome.results.get('answers/a')?.reason).toContain(
      'batch b0 of parrot was refused as a whole: a syntax error',
    );
    expect(outcome.totals.cost).toMatchObject({ billed: 0, unknown: 0 });
  });

  it('for what is wrong with the account fails its nodes by that', async () => {
    const { build, api, problems } = batchWorld();
    await build();
    // By words alone a quota is told from another mistake where a server that is asked too much says them.
    const failure = (status: number) =>
      status === 429
        ? ({ class: 'fatal', reason: 'no_credit', message: 'no credit' } as const)
        : ({ class: 'permanent', reason: 'rejected', message: 'no' } as const);
    api.judge = (_, { status }) => ({ result: { ok: false, failure: failure(status) }, outcome: { billed: 'no' } });
    api.end({ end: 'refused', mistakes: [{ line: undefined, code: 'insufficient_quota', message: 'your quota' }] });
    expect(await build()).toMatchObject({ exit: EXIT.failed });
    expect(problems()).toEqual(['CJE-NO-CREDIT']);
  });

  it('for having too much waiting is put back, and sent again after a rest', async () => {
    const { build, api, clock } = batchWorld();
    const full = { line: undefined, code: 'token_limit_exceeded', message: 'enqueued token limit' };
    api.onLook = (made) => {
      made.state = clock.now < 20_000 ? { end: 'refused', mistakes: [full] } : { end: 'completed' };
    };
    expect(await build({ manner: { type: 'stay', until: undefined } })).toMatchObject(BUILT);
    expect(api.made.length).toBeGreaterThan(1);
    expect(api.made.length).toBeLessThan(15);
  });
});

describe('a batch that is too much with nothing else waiting', () => {
  const full = { line: undefined, code: 'token_limit_exceeded', message: 'enqueued token limit' };

  it('is sent in halves until they are taken', async () => {
    const { build, api } = batchWorld();
    api.onLook = (made) => {
      made.state = made.batch.calls.length > 2 ? { end: 'refused', mistakes: [full] } : { end: 'completed' };
    };
    expect(await build({ manner: { type: 'stay', until: undefined } })).toMatchObject(BUILT);
    const sizes = api.made.map(({ batch }) => batch.calls.length);
    expect(sizes.slice(0, 3)).toEqual([CALLS, CALLS / 2, 1]);
    expect(sizes.length).toBeLessThanOrEqual(CALLS + 2);
  });

  it('teaches how much is taken: nothing as large is sent again, by the next builds neither', async () => {
    const { build, api, lane } = batchWorld();
    api.onLook = (made) => {
      made.state = made.batch.calls.length > 1 ? { end: 'refused', mistakes: [full] } : { end: 'completed' };
    };
    const kept = new Map<string, LearntTokens>();
    lane.memory = {
      recall: (identity, name) => kept.get(identity + name),
      keep: (identity, name, value) => void kept.set(identity + name, value),
    };
    expect(await build({ manner: { type: 'stay', until: undefined } })).toMatchObject(BUILT);
    const refused = () => api.made.filter(({ batch }) => batch.calls.length > 1).length;
    expect(refused()).toBeLessThanOrEqual(3);
    const before = refused();
    const more = await build({ manner: { type: 'stay', until: undefined } }, ['four', 'five']);
    expect(more).toMatchObject({ exit: EXIT.built, totals: { calls: { bought: 4 } } });
    expect(refused()).toBeLessThanOrEqual(before + 1);
  });

  it('is sent in halves by builds that do not stay, too', async () => {
    const { build, api } = batchWorld();
    api.onLook = (made) => {
      made.state = made.batch.calls.length > 2 ? { end: 'refused', mistakes: [full] } : { end: 'completed' };
    };
    let builds = 0;
    while ((await build()).exit !== EXIT.built) expect(++builds).toBeLessThan(12);
    expect(api.made.map(({ batch }) => batch.calls.length).slice(0, 2)).toEqual([CALLS, CALLS / 2]);
  });

  it('fails its nodes by name where single calls are refused for it until patience ends', async () => {
    const { build, api, problems } = batchWorld();
    api.onLook = (made) => {
      made.state = { end: 'refused', mistakes: [full] };
    };
    const outcome = await build({ manner: { type: 'stay', until: undefined }, tolerate: 0 });
    expect(outcome.exit).toBe(EXIT.failed);
    expect(problems()).toEqual(['CJE-BATCH-LIMIT']);
    expect(api.made.length).toBeLessThan(60);
    // The call that failed was the last to be sent: the other node asks for the same model, and is told the same.
    const [last] = api.made.slice(-1);
    expect(outcome.results.get('answers/a')?.reason).toContain(last?.id);
    expect(outcome.results.get('answers/b')?.reason).toContain(last?.id);
    expect(outcome.totals.cost).toMatchObject({ billed: 0, unknown: 0 });
  });
});

describe('a batch that is refused when it is sent', () => {
  it('for being too large is sent in halves', async () => {
    const { build, api } = batchWorld();
    api.onCreate = ({ calls }) => (calls.length > 2 ? { ok: false, failure: BUSY, tooLarge: true } : undefined);
    expect(await build()).toMatchObject(LEFT);
    expect(api.made.map(({ batch }) => batch.calls.length)).toEqual([2, 1, 2, 1]);
    api.end();
    expect(await build()).toMatchObject(BUILT);
  });

  it.each([{ tooLarge: true as const }, {}])('fails its nodes by name, and is not sent for ever (%o)', async (how) => {
    const { build, api, problems, store } = batchWorld();
    let tries = 0;
    api.onCreate = () => {
      tries++;
      return { ok: false, failure: { class: 'permanent', reason: 'rejected', message: '413 too large' }, ...how };
    };
    expect((await build({ tolerate: 0 })).exit).toBe(EXIT.failed);
    expect(problems()).toEqual(['CJE-BATCH-REFUSED']);
    expect(tries).toBeLessThanOrEqual(2 * CALLS);
    expect(store.contents.batched.size).toBe(0);
  });
});

describe('batches are cut', () => {
  it.each([
    ['rows', { rows: 4 }, [4, 2]],
    ['bytes', { bytes: 700 }, [3, 3]],
    ['nothing', {}, [6]],
  ])('by %s', async (_, limits, sizes) => {
    const { build, api } = batchWorld();
    api.settings = { ...api.settings, ...limits };
    await build();
    expect(api.made.map(({ batch }) => batch.calls.length)).toEqual(sizes);
  });

  it('by the tokens that may wait, and the rest is sent when some are back', async () => {
    const { build, api } = batchWorld();
    api.settings = { ...api.settings, enqueuedTokens: 30 };
    expect((await build()).exit).toBe(EXIT.waiting);
    expect(api.made).toHaveLength(1);
    const [{ batch }] = api.made as [(typeof api.made)[0]];
    expect(batch.calls.length).toBeLessThan(CALLS);
    api.onLook = () => api.end();
    expect(await build({ manner: { type: 'stay', until: undefined } })).toMatchObject({ exit: EXIT.built });
    expect(api.made.flatMap((made) => made.batch.calls)).toHaveLength(CALLS);
  });
});
