/** The `anthropic-ratelimit-*` headers, whose windows end at a time of day instead of after a while. */

import type { HeaderReader, LimitReport, RateReport } from '../../core/protocol.ts';
import { numberIn } from '../shared/waits.ts';

export function rateReport(header: HeaderReader, now: number): RateReport {
  return { requests: limitOf(header, 'requests', now), tokens: limitOf(header, 'tokens', now), overLimit: false };
}

/** `tokens` is the tightest of the limits on input, output and both, as the API itself sums them up. */
function limitOf(header: HeaderReader, unit: 'requests' | 'tokens', now: number): LimitReport {
  const limit = numberIn(header(`anthropic-ratelimit-${unit}-limit`));
  if (limit !== undefined && limit <= 0) return {};
  const remaining = numberIn(header(`anthropic-ratelimit-${unit}-remaining`));
  const reset = Date.parse(header(`anthropic-ratelimit-${unit}-reset`) ?? '');
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(remaining === undefined || remaining < 0 ? {} : { remaining }),
    ...(Number.isNaN(reset) ? {} : { resetMilliseconds: Math.max(0, reset - now) }),
  };
}
