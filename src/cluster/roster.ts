/** Who was heard of lately for an account: heartbeats in Redis, by Redis' own clock. */

import type { Redis } from 'ioredis';
import { z } from 'zod';
import { accountPrefix } from './ledger.ts';

/** What a till says of itself. */
export interface TillAbout {
  readonly host: string;
  readonly pid: number;
  readonly version: string;
}

/** What a build says of itself that has work for workers of a code. */
export interface BuildAbout extends TillAbout {
  /** Of its heavy kinds: work goes only to workers of the same code. */
  readonly code: string;
}

export interface WorkerAbout extends BuildAbout {
  /** How many jobs it takes at once. */
  readonly places: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** What it has in hand, and since when. */
  readonly jobs: readonly { readonly node: string; readonly since: number }[];
}

interface About {
  readonly tills: TillAbout;
  readonly workers: WorkerAbout;
  readonly builds: BuildAbout;
}
type Who = keyof About;

const count = z.number().min(0);
const till = z.object({ host: z.string(), pid: count, version: z.string() });
const build = till.extend({ code: z.string() });
const job = z.object({ node: z.string(), since: count });

/** A value of another shape was written by somebody else, and is passed over. */
const SHAPES: { readonly [W in Who]: z.ZodType<About[W]> } = {
  tills: till,
  builds: build,
  workers: build.extend({ places: count, since: count, jobs: z.array(job) }),
};
const HEARD = z.object({ at: count });

/** Seconds since it was heard of, and the name under which it beats. */
export type Seen<T> = T & { readonly id: string; readonly seconds: number };

/** Seconds after which one that says nothing is forgotten. */
const FORGOTTEN = 3600;

export type RosterRedis = Pick<Redis, 'hset' | 'hdel' | 'hgetall' | 'time'>;

export class Roster {
  readonly #redis: RosterRedis;
  readonly #account: string;

  constructor(redis: RosterRedis, account: string) {
    this.#redis = redis;
    this.#account = account;
  }

  async beat<W extends Who>(who: W, id: string, about: About[W]): Promise<void> {
    const at = await this.#now();
    await this.#redis.hset(this.#key(who), id, JSON.stringify({ ...about, at }));
  }

  async leave(who: Who, id: string): Promise<void> {
    await this.#redis.hdel(this.#key(who), id);
  }

  async read<W extends Who>(who: W): Promise<readonly Seen<About[W]>[]> {
    const [now, entries] = await Promise.all([this.#now(), this.#redis.hgetall(this.#key(who))]);
    const seen: Seen<About[W]>[] = [];
    for (const [id, text] of Object.entries(entries)) {
      const value = jsonOf(text);
      const at = HEARD.safeParse(value).data?.at;
      const about = SHAPES[who].safeParse(value).data;
      if (at === undefined || about === undefined) continue;
      const seconds = Math.max(0, Math.round((now - at) / 1000));
      if (seconds > FORGOTTEN) await this.leave(who, id);
      else seen.push({ ...about, id, seconds });
    }
    return seen;
  }

  #key(who: Who): string {
    return `${accountPrefix(this.#account)}${who}`;
  }

  async #now(): Promise<number> {
    const [seconds, micros] = await this.#redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
