/** What people are told of a model while a build waits for it, each thing once. */

import { durationText } from './retry.ts';

/** Shorter silences are not told, milliseconds; a build that waits for longer looks like one that hangs. */
const LONG_SILENCE = 20_000;

export interface Teller {
  /** @param perMinute requests a minute that refusals taught; undefined while that is not sure */
  limit(model: string, perMinute: number | undefined): void;
  /**
   * It answers nothing.
   *
   * @param what whether it refuses everything, or nobody is there
   * @param since milliseconds for which it has been so
   * @param message what the last try came to
   */
  silence(what: 'shut' | 'gone', model: string, since: number, message: string): void;
}

/** @param patience milliseconds that a server is waited for */
export function createTeller(provider: string, note: ((text: string) => void) | undefined, patience: number): Teller {
  const told = new Set<string>();
  const tell = (name: string, text: string): void => {
    if (told.has(name)) return;
    told.add(name);
    note?.(`${provider} ${text}`);
  };
  return {
    limit(model, perMinute) {
      if (perMinute === undefined) return;
      const rate = Math.floor(perMinute);
      tell(
        `limit ${model}`,
        `answers ${model} about ${rate} times a minute, as its refusals show, and is asked no faster; \`requests_per_minute: ${rate}\` would say so from the start`,
      );
    },
    silence(what, model, since, message) {
      if (since < LONG_SILENCE) return;
      const done = what === 'shut' ? `has refused every call of ${model}` : 'has not been reachable';
      const seconds = Math.floor(since / 1_000);
      tell(
        what === 'shut' ? `shut ${model}` : 'gone',
        `${done} for ${seconds} s (${message}); it is asked again for up to ${durationText(patience)}`,
      );
    },
  };
}
