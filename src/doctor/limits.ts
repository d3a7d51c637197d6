/** What a provider's headers say of its limits, beside what the provider file says. */

import type { Provider } from '../core/graph.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { SeenExchange } from '../providers/client-options.ts';
import { count } from '../text/numbers.ts';
import { type Check, check } from './probe.ts';

interface LimitFindings {
  readonly checks: readonly Check[];
  readonly settings: JsonObject;
}

/** @param seen the provider's exchanges. */
export function limitFindings({ limits }: Provider, seen: readonly SeenExchange[]): LimitFindings {
  if (seen.length === 0) return { checks: [], settings: {} };
  const checks: Check[] = [];
  const settings: Record<string, Json> = {};
  const pairs = [
    ['requests', 'requests_per_minute', limits.requestsPerMinute],
    ['tokens', 'tokens_per_minute', limits.tokensPerMinute],
  ] as const;
  for (const [unit, setting, written] of pairs) {
    // The file has one line for all models; the stricter limits of some are obeyed as they are reported.
    const reported = seen.flatMap(({ report }) => report[unit].limit ?? []);
    if (reported.length === 0) continue;
    const most = Math.max(...reported);
    const told = `${count(most)} ${unit} a minute`;
    if (written === most) checks.push(check('limits', 'ok', `${told}, as the file says`));
    else {
      settings[setting] = most;
      const file = written === undefined ? 'nothing' : count(written);
      checks.push(check('limits', 'note', `${told} by the headers; the file says ${file}`));
    }
  }
  if (checks.length === 0) checks.push(check('limits', 'note', 'the headers tell none'));
  const turnedAway = seen.filter(({ status }) => status === 429).length;
  if (turnedAway > 0) {
    const detail = `${count(turnedAway)} of ${count(seen.length)} asks were turned away at first (429)`;
    checks.push(
      check('limits', 'warning', detail, 'lower requests_per_minute: or concurrency:, or find out who else is asking'),
    );
  }
  return { checks, settings };
}
