/** The `x-ratelimit-*` headers. */

import type { HeaderReader, LimitReport, RateReport } from '../../core/protocol.ts';
import { durationMilliseconds, numberIn } from '../shared/waits.ts';

export function readRateReport(header: HeaderReader): RateReport {
  return {
    requests: readLimit(header, 'requests'),
    tokens: readLimit(header, 'tokens'),
    overLimit: header('x-ratelimit-over-limit')?.trim().toLowerCase() === 'yes',
  };
}

/** A limit that is not positive is a server's way of saying nothing, and makes the other two numbers worthless. */
function readLimit(header: HeaderReader, unit: 'requests' | 'tokens'): LimitReport {
  const limit = numberIn(header(`x-ratelimit-limit-${unit}`));
  if (limit !== undefined && limit <= 0) return {};
  const remaining = numberIn(header(`x-ratelimit-remaining-${unit}`));
  const resetMilliseconds = durationMilliseconds(header(`x-ratelimit-reset-${unit}`));
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(remaining === undefined || remaining < 0 ? {} : { remaining }),
    ...(resetMilliseconds === undefined ? {} : { resetMilliseconds }),
  };
}
