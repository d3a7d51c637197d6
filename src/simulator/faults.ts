/** How the server misbehaves, when asked to: by the call and by how often it came, so that tries later succeed. */

import { chanceOf } from './world/index.ts';

export type ServerFault =
  /** An error reply; 429 and 503 may carry `Retry-After`. */
  | { readonly kind: 'status'; readonly status: 429 | 500 | 503; readonly retryAfterSeconds?: number }
  /** The connection breaks before a byte of the reply. */
  | { readonly kind: 'drop' }
  /** Status 200, and half a JSON text. */
  | { readonly kind: 'malformed' }
  /** The right reply, late. */
  | { readonly kind: 'slow'; readonly milliseconds: number };

interface FaultyRequest {
  readonly path: string;
  /** The `Idempotency-Key`; '' without one. */
  readonly key: string;
  /** How many requests with this key came before. */
  readonly attempt: number;
}

/** Decides whether and how a request goes wrong. */
export type FaultHook = (request: FaultyRequest) => ServerFault | undefined;

/** Shares of requests, in [0, 1], that go wrong in each way. */
export interface FaultRates {
  readonly rate429?: number;
  readonly rate500?: number;
  readonly drop?: number;
  readonly malformed?: number;
  readonly slow?: number;
  readonly retryAfterSeconds?: number;
  readonly slowMilliseconds?: number;
}

export const FAULT_RATE_NAMES = ['rate429', 'rate500', 'drop', 'malformed', 'slow'] as const;

/** A hook that goes wrong at the given rates, by the hash of key and attempt. */
export function faultsByRate(rates: FaultRates): FaultHook {
  const faults: Record<(typeof FAULT_RATE_NAMES)[number], ServerFault> = {
    rate429: { kind: 'status', status: 429, retryAfterSeconds: rates.retryAfterSeconds ?? 0 },
    rate500: { kind: 'status', status: 500 },
    drop: { kind: 'drop' },
    malformed: { kind: 'malformed' },
    slow: { kind: 'slow', milliseconds: rates.slowMilliseconds ?? 1000 },
  };
  return ({ key, attempt }) => {
    let rest = chanceOf(`fault\n${key}\n${attempt}`)();
    for (const name of FAULT_RATE_NAMES) {
      rest -= rates[name] ?? 0;
      if (rest < 0) return faults[name];
    }
    return undefined;
  };
}
