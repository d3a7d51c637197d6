/** Who works for an account, and who has work: heartbeats in Redis, by Redis' own clock. */

import type { Redis } from 'ioredis';
import { accountPrefix } from '../cluster/ledger.ts';

/** What a worker or a build says of itself. */
export interface WorkerAbout {
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  /** Of its heavy kinds: work goes only to workers of the same code. */
  readonly code: string;
  /** How many jobs it takes at once. */
  readonly places: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** What it has in hand, and since when. */
  readonly jobs: readonly { readonly node: string; readonly since: number }[];
}

export interface WorkerSeen extends WorkerAbout {
  readonly worker: string;
  /** Seconds since it was heard of. */
  readonly seconds: number;
}

/** A build that has work for workers of a code. */
export interface BuildSeen extends Pick<WorkerAbout, 'host' | 'pid' | 'version' | 'code'> {
  readonly seconds: number;
}

/** Seconds after which one that says nothing is forgotten. */
const FORGOTTEN = 3600;

type Who = 'workers' | 'builds';
const keyOf = (account: string, who: Who): string => `${accountPrefix(account)}${who}`;

export class Roster {
  readonly #redis: Redis;
  readonly #account: string;

  constructor(redis: Redis, account: string) {
    this.#redis = redis;
    this.#account = account;
  }

  async beat(who: Who, id: string, about: WorkerAbout | Omit<BuildSeen, 'seconds'>): Promise<void> {
    const at = await this.#now();
    await this.#redis.hset(keyOf(this.#account, who), id, JSON.stringify({ ...about, at }));
  }

  async leave(who: Who, id: string): Promise<void> {
    await this.#redis.hdel(keyOf(this.#account, who), id);
  }

  async workers(): Promise<readonly WorkerSeen[]> {
    return (await this.#read<Omit<WorkerSeen, 'worker'>>('workers')).map(([worker, seen]) => ({ worker, ...seen }));
  }

  async builds(): Promise<readonly BuildSeen[]> {
    return (await this.#read<BuildSeen>('builds')).map(([, seen]) => seen);
  }

  async #read<T>(who: Who): Promise<(readonly [string, T])[]> {
    const key = keyOf(this.#account, who);
    const [now, entries] = await Promise.all([this.#now(), this.#redis.hgetall(key)]);
    const seen: (readonly [string, T])[] = [];
    for (const [id, text] of Object.entries(entries)) {
      const { at, ...about } = JSON.parse(text) as { readonly at: number };
      const seconds = Math.max(0, Math.round((now - at) / 1000));
      if (seconds > FORGOTTEN) await this.#redis.hdel(key, id);
      else seen.push([id, { ...about, seconds } as T]);
    }
    return seen;
  }

  async #now(): Promise<number> {
    const [seconds, micros] = await this.#redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }
}
