/** The ledger of an account: who may send which call, and what everything has come to. */

import type { Redis } from 'ioredis';
import type { Digest } from '../core/digest.ts';
import {
  BEAT,
  CLAIM,
  CLOSE_TILL,
  GIVE_UP,
  LAPSE,
  OPEN_BOOKS,
  OPEN_TILL,
  RELEASE,
  RESOLVE,
  SETTLE,
} from './ledger-scripts.ts';

/** Billionths of a dollar: whole numbers, which sum without dust. */
const NANO = 1e9;
const nanosAtLeast = (dollars: number): number => Math.ceil(dollars * NANO - 1e-6);
/** Bytes of answers that Redis holds for tills elsewhere, at most. */
const MOST_HELD = 64 << 20;
const dollarsOf = (nanos: number): number => nanos / NANO;

/** What one build may spend. */
export interface BuildLimits {
  readonly build: string;
  /** Dollars, and requests; undefined: no cap of its own. */
  readonly maxCost: number | undefined;
  readonly maxCalls: number | undefined;
}

/** One try of one call, as its till names it. */
interface TryName {
  readonly call: Digest;
  readonly owner: string;
  readonly number: number;
}

interface ClaimRequest extends TryName {
  readonly model: string;
  /** Dollars to set aside: the most that the try can cost. */
  readonly reserve: number;
  readonly tokens: number;
  readonly limits: BuildLimits;
  /** Digest of the answer that is asked for anew; absent where any will do. */
  readonly superseding?: string | undefined;
}

interface AccountSettings {
  /** Dollars that the account may spend; undefined: no cap. */
  readonly cap: number | undefined;
  /** Milliseconds after which a till that says nothing counts as dead. */
  readonly lease: number;
  /** How often a call may be bought again after a till died with it. */
  readonly mostAgain: number;
  readonly rates: (model: string) => { readonly requestsPerMinute: number; readonly tokensPerMinute: number };
}

export type Claim =
  /** To be sent, in so many milliseconds. */
  | { readonly type: 'go'; readonly milliseconds: number }
  /** Some till has the answer, of this digest. */
  | { readonly type: 'have'; readonly digest: string }
  /** Another try may be under way for so many milliseconds more. */
  | { readonly type: 'flying' | 'wait'; readonly milliseconds: number }
  /** What is reserved may make room. */
  | { readonly type: 'full' }
  | { readonly type: 'broke'; readonly by: 'account' | 'build' | 'calls'; readonly spent: number }
  | { readonly type: 'unresolved' };

/** Whether a till is the one that is open, and who else is. */
type Place = { readonly isOpen: true } | { readonly isOpen: false; readonly by: string };

export type SettledAs = 'billed' | 'free' | 'unsent' | 'unknown';

export interface Books {
  readonly spent: number;
  readonly reserved: number;
  readonly unknown: number;
  readonly calls: number;
  readonly unknowns: number;
  /** Answers that were bought, were nowhere in reach and may be bought again. */
  readonly givenUp: number;
}

/** The scripts as methods of a connection: it sends a digest, and the text where Redis does not know that. */
interface LedgerCommands {
  cjeClaim(prefix: string, ...args: (string | number)[]): Promise<[string, ...(string | number)[]]>;
  cjeSettle(prefix: string, ...args: (string | number)[]): Promise<'booked' | 'late'>;
  cjeLapse(prefix: string): Promise<number>;
  cjeBeat(prefix: string, ...args: (string | number)[]): Promise<[isOpen: number, held: number]>;
  cjeOpenTill(prefix: string, owner: string, lease: number): Promise<string | null>;
  cjeCloseTill(prefix: string, owner: string): Promise<number>;
  cjeOpenBooks(prefix: string, ...args: (string | number)[]): Promise<number>;
  cjeResolve(prefix: string): Promise<number>;
  cjeRelease(prefix: string, ...args: string[]): Promise<number>;
  cjeGiveUp(prefix: string): Promise<number>;
}

const SCRIPTS = {
  cjeClaim: CLAIM,
  cjeSettle: SETTLE,
  cjeLapse: LAPSE,
  cjeBeat: BEAT,
  cjeOpenTill: OPEN_TILL,
  cjeCloseTill: CLOSE_TILL,
  cjeOpenBooks: OPEN_BOOKS,
  cjeResolve: RESOLVE,
  cjeRelease: RELEASE,
  cjeGiveUp: GIVE_UP,
} as const satisfies Record<keyof LedgerCommands, string>;

/** What else is asked of Redis: what is held for other tills. */
type LedgerRedis = Pick<Redis, 'defineCommand' | 'hget' | 'hset' | 'hdel' | 'hkeys' | 'hvals'>;

export class Ledger {
  readonly #redis: LedgerRedis & LedgerCommands;
  readonly #prefix: string;
  readonly #settings: AccountSettings;

  constructor(redis: LedgerRedis, account: string, settings: AccountSettings) {
    for (const [name, lua] of Object.entries(SCRIPTS)) redis.defineCommand(name, { numberOfKeys: 1, lua });
    this.#redis = redis as typeof redis & LedgerCommands;
    this.#prefix = accountPrefix(account);
    this.#settings = settings;
  }

  async claim({ call, owner, number, model, reserve, tokens, limits, superseding }: ClaimRequest): Promise<Claim> {
    const { cap, lease, mostAgain, rates } = this.#settings;
    const { requestsPerMinute, tokensPerMinute } = rates(model);
    const most = (dollars: number | undefined) => (dollars === undefined ? -1 : Math.floor(dollars * NANO + 1e-6));
    const [type, ...rest] = await this.#redis.cjeClaim(
      this.#prefix,
      call,
      owner,
      number,
      limits.build,
      model,
      lease,
      nanosAtLeast(reserve),
      most(cap),
      most(limits.maxCost),
      limits.maxCalls ?? -1,
      requestsPerMinute,
      tokensPerMinute,
      tokens,
      mostAgain,
      superseding ?? '',
    );
    switch (type) {
      case 'go':
      case 'flying':
      case 'wait':
        return { type, milliseconds: Number(rest[0]) };
      case 'broke':
        return { type, by: rest[0] as 'account' | 'build' | 'calls', spent: dollarsOf(Number(rest[1])) };
      case 'have':
        return { type, digest: String(rest[0]) };
      case 'full':
      case 'unresolved':
        return { type };
      default:
        throw new Error(`Internal error: the ledger answered ${type}`);
    }
  }

  /** Requests a minute of a model, as the ledger names it; 0: no limit. */
  requestsPerMinute(model: string): number {
    return this.#settings.rates(model).requestsPerMinute;
  }

  /**
   * @param answer digest of the answer that the till has kept, where one came
   * @param held the answer itself, where other tills could not have it otherwise
   */
  settle(
    { call, owner, number }: TryName,
    outcome: SettledAs,
    dollars: number,
    answer: string | undefined,
    held?: string,
  ): Promise<'booked' | 'late'> {
    const nanos = nanosAtLeast(dollars);
    return this.#redis.cjeSettle(
      this.#prefix,
      call,
      owner,
      number,
      outcome,
      nanos,
      answer ?? '',
      held ?? '',
      MOST_HELD,
    );
  }

  /** An answer that is in no shared cache yet. */
  async held(call: Digest): Promise<string | undefined> {
    return (await this.#redis.hget(`${this.#prefix}held`, call)) ?? undefined;
  }

  /** All of them. */
  async allHeld(): Promise<readonly string[]> {
    return this.#redis.hvals(`${this.#prefix}held`);
  }

  /** These are in the shared cache now. */
  async release(answers: ReadonlyMap<Digest, string>): Promise<void> {
    if (answers.size > 0) await this.#redis.cjeRelease(this.#prefix, ...[...answers].flat());
  }

  /** Writes down an answer that is nowhere in reach, for a person to decide; or that it was found. */
  async missing(call: Digest, digest: string | undefined): Promise<void> {
    const key = `${this.#prefix}missing`;
    if (digest === undefined) await this.#redis.hdel(key, call);
    else await this.#redis.hset(key, call, digest);
  }

  /** Calls whose answers were nowhere in reach. */
  async allMissing(): Promise<readonly Digest[]> {
    return (await this.#redis.hkeys(`${this.#prefix}missing`)) as Digest[];
  }

  /** Lets calls be bought again whose answers are nowhere in reach. */
  giveUp(): Promise<number> {
    return this.#redis.cjeGiveUp(this.#prefix);
  }

  /** Books what dead tills have left; returns how many calls that were. */
  lapse(): Promise<number> {
    return this.#redis.cjeLapse(this.#prefix);
  }

  /** Says that a till lives and that these calls are under way. */
  async beat(owner: string, calls: readonly Digest[]): Promise<{ readonly isOpen: boolean; readonly held: number }> {
    const [isOpen, held] = await this.#redis.cjeBeat(this.#prefix, owner, this.#settings.lease, ...calls);
    return { isOpen: isOpen === 1, held };
  }

  /** Opens a till, where none is open that was heard of within the last lease. */
  async open(owner: string): Promise<Place> {
    const other = await this.#redis.cjeOpenTill(this.#prefix, owner, this.#settings.lease);
    return other === null ? { isOpen: true } : { isOpen: false, by: other };
  }

  /** Of an account that has no books: what was spent before. */
  openBooks(before: { readonly spent: number; readonly unknown: number }): Promise<number> {
    return this.#redis.cjeOpenBooks(this.#prefix, nanosAtLeast(before.spent), nanosAtLeast(before.unknown));
  }

  /** Lets calls be bought once more that tills died with. */
  resolve(): Promise<number> {
    return this.#redis.cjeResolve(this.#prefix);
  }

  /** Another till may be open from now on. */
  async leave(owner: string): Promise<void> {
    await this.#redis.cjeCloseTill(this.#prefix, owner);
  }
}

/** One slot for all keys of an account, so that a script may touch them together. */
export const accountPrefix = (account: string): string => `cje:{${account}}:`;

/** The books of the account, or of one build. */
export async function readBooks(redis: Pick<Redis, 'hgetall'>, account: string, build?: string): Promise<Books> {
  const book = await redis.hgetall(`${accountPrefix(account)}${build === undefined ? 'books' : `build:${build}`}`);
  const number = (name: string) => Number(book[name] ?? 0);
  return {
    spent: dollarsOf(number('spent')),
    reserved: dollarsOf(number('reserved')),
    unknown: dollarsOf(number('unknown')),
    calls: number('calls'),
    unknowns: number('unknowns'),
    givenUp: number('given-up'),
  };
}
