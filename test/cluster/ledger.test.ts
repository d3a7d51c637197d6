/** What is said to the ledger's scripts and how their answers are read; what they do is tested with a Redis. */

import { describe, expect, it } from 'vitest';
import { type Claim, Ledger, readBooks } from '../../src/cluster/ledger.ts';
import { digestText } from '../../src/core/digest.ts';

const CALL = digestText('a call');
const ANSWERED: Readonly<Record<string, unknown>> = {
  cjeSettle: 'booked',
  cjeLapse: 3,
  cjeBeat: [1, 2],
  cjeOpenTill: null,
  cjeCloseTill: 1,
  cjeOpenBooks: 1,
  cjeResolve: 4,
};

/** A connection that notes each script with what it is given, and answers as it is told to. */
function ledgerOn(answers: Readonly<Record<string, unknown>> = {}, cap: number | undefined = undefined) {
  const hashes = new Map<string, Map<string, string>>();
  const hash = (key: string) => hashes.get(key) ?? new Map<string, string>();
  const sent: unknown[][] = [];
  const noting =
    (name: string) =>
    async (...given: unknown[]) => {
      sent.push([name, ...given]);
      return answers[name] ?? ANSWERED[name];
    };
  const scripts: Record<string, ReturnType<typeof noting>> = {};
  const redis = Object.assign(scripts, {
    defineCommand: (name: string) => void Object.assign(scripts, { [name]: noting(name) }),
    hget: async (key: string, field: string) => hash(key).get(field) ?? null,
    hset: async (key: string, field: string, value: string) => {
      hashes.set(key, hash(key).set(field, value));
      return 1;
    },
    hdel: async (key: string, field: string) => Number(hash(key).delete(field)),
    hkeys: async (key: string) => [...hash(key).keys()],
    hvals: async (key: string) => [...hash(key).values()],
  });
  const settings = {
    cap,
    lease: 60_000,
    mostAgain: 2,
    rates: (model: string) =>
      model === 'toy m'
        ? { requestsPerMinute: 30, tokensPerMinute: 900 }
        : { requestsPerMinute: 0, tokensPerMinute: 0 },
  };
  return { ledger: new Ledger(redis as never, 'acme', settings), sent, redis };
}

const REQUEST = {
  call: CALL,
  owner: 'till-1',
  number: 7,
  model: 'toy m',
  reserve: 0.0000000011,
  tokens: 55,
  limits: { build: 'b1', maxCost: undefined, maxCalls: undefined },
};

describe('a claim', () => {
  it('names caps as billionths of a dollar, rounded so that none is passed; -1 is no cap', async () => {
    const open = ledgerOn({ cjeClaim: ['go', 5] });
    await open.ledger.claim(REQUEST);
    expect(open.sent).toEqual([
      ['cjeClaim', 'cje:{acme}:', CALL, 'till-1', 7, 'b1', 'toy m', 60_000, 2, -1, -1, -1, 30, 900, 55, 2, ''],
    ]);
    const capped = ledgerOn({ cjeClaim: ['go', 5] }, 0.0000000019);
    const limits = { build: 'b1', maxCost: 1.0000000019, maxCalls: 0 };
    await capped.ledger.claim({ ...REQUEST, reserve: 0.3, limits, superseding: 'old' });
    expect(capped.sent[0]!.slice(8)).toEqual([300_000_000, 1, 1_000_000_001, 0, 30, 900, 55, 2, 'old']);
  });

  it.each<[readonly (string | number)[], Claim]>([
    [['go', '40'], { type: 'go', milliseconds: 40 }],
    [['wait', 30], { type: 'wait', milliseconds: 30 }],
    [['flying', 20], { type: 'flying', milliseconds: 20 }],
    [['have', 'd'], { type: 'have', digest: 'd' }],
    [['full'], { type: 'full' }],
    [['unresolved'], { type: 'unresolved' }],
    [['broke', 'account', '2500000000'], { type: 'broke', by: 'account', spent: 2.5 }],
    [['broke', 'build', 250_000_000], { type: 'broke', by: 'build', spent: 0.25 }],
  ])('is answered by %j', async (answer, claim) => {
    expect(await ledgerOn({ cjeClaim: answer }).ledger.claim(REQUEST)).toEqual(claim);
  });

  it('has no other answer', async () => {
    await expect(ledgerOn({ cjeClaim: ['gift'] }).ledger.claim(REQUEST)).rejects.toThrow('the ledger answered gift');
  });
});

describe('a ledger', () => {
  it('books what a try came to, never less than it was', async () => {
    const { ledger, sent } = ledgerOn();
    await ledger.settle(REQUEST, 'billed', 0.1 + 0.2, 'answer', 'held');
    await ledger.settle(REQUEST, 'unknown', 0.0000000011, undefined);
    await ledger.openBooks({ spent: 1.5, unknown: 0.0000000011 });
    expect(sent).toEqual([
      ['cjeSettle', 'cje:{acme}:', CALL, 'till-1', 7, 'billed', 300_000_000, 'answer', 'held', 64 << 20],
      ['cjeSettle', 'cje:{acme}:', CALL, 'till-1', 7, 'unknown', 2, '', '', 64 << 20],
      ['cjeOpenBooks', 'cje:{acme}:', 1_500_000_000, 2],
    ]);
  });

  it('is opened by one till, which beats with what it holds', async () => {
    const { ledger, sent } = ledgerOn();
    expect(await ledger.open('till-1')).toEqual({ isOpen: true });
    expect(await ledgerOn({ cjeOpenTill: 'till-2' }).ledger.open('till-1')).toEqual({ isOpen: false, by: 'till-2' });
    expect(await ledger.beat('till-1', [CALL])).toEqual({ isOpen: true, held: 2 });
    expect(await ledgerOn({ cjeBeat: [0, 0] }).ledger.beat('till-1', [])).toEqual({ isOpen: false, held: 0 });
    expect([await ledger.lapse(), await ledger.resolve()]).toEqual([3, 4]);
    await ledger.leave('till-1');
    expect(sent).toEqual([
      ['cjeOpenTill', 'cje:{acme}:', 'till-1', 60_000],
      ['cjeBeat', 'cje:{acme}:', 'till-1', 60_000, CALL],
      ['cjeLapse', 'cje:{acme}:'],
      ['cjeResolve', 'cje:{acme}:'],
      ['cjeCloseTill', 'cje:{acme}:', 'till-1'],
    ]);
    expect([ledger.requestsPerMinute('toy m'), ledger.requestsPerMinute('other')]).toEqual([30, 0]);
  });

  it('has the answers that Redis holds, and the calls whose answers are nowhere in reach', async () => {
    const { ledger, redis, sent } = ledgerOn();
    await redis.hset('cje:{acme}:held', CALL, 'an answer');
    const other = digestText('another');
    expect([await ledger.held(CALL), await ledger.held(other)]).toEqual(['an answer', undefined]);
    expect(await ledger.allHeld()).toEqual(['an answer']);
    await ledger.missing(CALL, digestText('its answer'));
    await ledger.missing(other, digestText('its answer'));
    await ledger.missing(CALL, undefined);
    expect(await ledger.allMissing()).toEqual([other]);
    await ledger.release(new Map());
    await ledger.release(new Map([[CALL, 'its digest']]));
    expect(sent).toEqual([['cjeRelease', 'cje:{acme}:', CALL, 'its digest']]);
  });

  it('is read in dollars, of the account or of a build', async () => {
    const read: string[] = [];
    const hgetall = async (key: unknown): Promise<Record<string, string>> => {
      read.push(String(key));
      return { spent: '1500000000', reserved: '250000000', unknown: '5000000', calls: '12', unknowns: '1' };
    };
    const books = { spent: 1.5, reserved: 0.25, unknown: 0.005, calls: 12, unknowns: 1, givenUp: 0 };
    expect(await readBooks({ hgetall }, 'acme')).toEqual(books);
    expect(await readBooks({ hgetall }, 'acme', 'b1')).toEqual(books);
    expect(read).toEqual(['cje:{acme}:books', 'cje:{acme}:build:b1']);
    const none = { spent: 0, reserved: 0, unknown: 0, calls: 0, unknowns: 0, givenUp: 0 };
    expect(await readBooks({ hgetall: async () => ({}) }, 'acme')).toEqual(none);
  });
});
