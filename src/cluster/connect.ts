/** A connection to Redis. The clients are slow to load, so this module is imported where `cluster:` is used. */

import { Redis } from 'ioredis';
import { EXIT, ProblemError } from '../core/problem.ts';

interface RedisAddress {
  /** `redis://HOST:PORT/DB`, or `rediss://` over TLS; no credential stands in it. */
  readonly url: string;
  readonly password: string | undefined;
}

/** Milliseconds in which Redis must answer at first, and after which a lost connection is told. */
const PATIENCE = 5_000;

/** @throws ProblemError where Redis does not answer: nothing is bought then */
export async function connectRedis({ url, password }: RedisAddress): Promise<Redis> {
  const redis = new Redis(url, {
    ...(password === undefined ? {} : { password }),
    lazyConnect: true,
    connectTimeout: PATIENCE,
    // Commands wait for the connection to come back: a script that was sent may be sent again, and changes nothing twice.
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(times * 100, 1_000),
  });
  let reason = '';
  redis.on('error', (error: Error) => {
    reason = error.message;
  });
  try {
    await Promise.race([redis.connect(), tooLate()]);
    await Promise.race([redis.ping(), tooLate()]);
    return redis;
  } catch (error) {
    redis.disconnect();
    throw redisGone(url, reason || (error instanceof Error ? error.message : String(error)));
  }
}

const tooLate = () =>
  new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error(`no answer within ${PATIENCE / 1000} s`)), PATIENCE).unref(),
  );

const redisGone = (url: string, reason: string): ProblemError =>
  new ProblemError(
    {
      id: 'CJE-REDIS-UNREACHABLE',
      headline: `Redis does not answer, so nothing is bought: ${url}`,
      facts: [['reason', reason]],
      hint: 'is it running, and is `cluster.redis` in cje.remote.yaml right? What was bought is kept; the next build goes on',
    },
    EXIT.failed,
  );

/** Calls back once where the connection has been gone for longer than that; returns how to stop watching. */
export function whenGone(redis: Redis, milliseconds: number, tell: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const lost = () => {
    timer ??= setTimeout(tell, milliseconds);
  };
  const back = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  redis.on('close', lost);
  redis.on('ready', back);
  return () => {
    redis.off('close', lost);
    redis.off('ready', back);
    back();
  };
}
