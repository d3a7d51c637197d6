/** What a ranking by a calibration takes for granted of the judge, and how far labels have checked it. */

import { decimal } from '../../text/numbers.ts';
import type { OrderedPair } from './comparisons.ts';
import type { ReportData } from './data.ts';
import type { Ranking } from './ranking.ts';

interface Assumption {
  /** One sentence for who reads on; it is true of nearly every ranking, so it is no warning. Undefined where the warning says as much. */
  readonly quiet: string | undefined;
  /** Where own labels leave open an error that would turn what the headline claims, or none have looked for one; undefined elsewhere. */
  readonly warning: string | undefined;
}

/** Undefined where the leading estimates do not rest on it, or own labels have shown it. */
export function assumptionOf(
  data: ReportData,
  { scorer, ranked }: Ranking,
  pair: OrderedPair | undefined,
  name: (policy: string) => string = (policy) => policy,
): Assumption | undefined {
  const resting = ranked
    .filter(({ row }) => row.warnings.some(({ gate, open }) => open && gate === 'transport'))
    .map(({ row }) => row.policy);
  if (resting.length === 0) return undefined;
  const audits = data.quality.find((quality) => quality.scorer === scorer)?.transport ?? [];
  const open = new Map(
    audits.flatMap(({ policy, lower, upper }) =>
      lower === null || upper === null
        ? []
        : [[policy, { middle: (lower + upper) / 2, half: (upper - lower) / 2 }] as const],
    ),
  );
  const unchecked = resting.filter((policy) => !open.has(policy));
  if (pair?.separated === true) {
    const taken = [pair.better, pair.worse].filter((policy) => unchecked.includes(policy));
    // What nobody has looked for may be of any size.
    if (taken.length > 0) {
      const warning = `too few own labels check the judge on ${taken.map(name).join(', ')} (transport)`;
      return { quiet: undefined, warning };
    }
  }
  const checked = resting.filter((policy) => open.has(policy));
  const largest = Math.max(...checked.map((policy) => largestOf(open.get(policy)!)));
  const says = [
    checked.length === 0 ? '' : `own labels leave open errors of up to ${decimal(largest)}`,
    unchecked.length === 0
      ? ''
      : unchecked.length === ranked.length
        ? 'no own labels say so, or too few'
        : `no own labels, or too few, of ${unchecked.map(name).join(', ')}`,
  ];
  return {
    quiet: `Taken for granted: the judge means the same on every policy; ${says.filter((text) => text !== '').join(', and ')} (transport).`,
    warning: pair === undefined ? undefined : overturned(pair, open, name),
  };
}

/** What own labels say of the calibration's error on a policy: its middle, and half the width of its interval. */
interface OpenError {
  readonly middle: number;
  readonly half: number;
}

const largestOf = ({ middle, half }: OpenError): number => Math.abs(middle) + half;

/**
 * A claimed difference that the open errors of its two policies are large enough to take away: labels of the one are independent of the
 * other's, so that their half widths add up as squares. A policy that no own labels check is not among those that rest on them here.
 */
function overturned(
  { better, worse, separated, lower }: OrderedPair,
  open: ReadonlyMap<string, OpenError>,
  name: (policy: string) => string,
): string | undefined {
  if (!separated) return undefined;
  const [a, b] = [open.get(better), open.get(worse)];
  const error = Math.abs((a?.middle ?? 0) - (b?.middle ?? 0)) + Math.hypot(a?.half ?? 0, b?.half ?? 0);
  if (error <= lower) return undefined;
  const [policies, off] =
    a === undefined || b === undefined
      ? [name(a === undefined ? worse : better), `is off by up to ${decimal(error)}`]
      : [`${name(better)} and ${name(worse)}`, `are off by up to ${decimal(error)} from each other`];
  return `own labels leave open that ${policies} ${off}, and the difference may be no more than ${decimal(lower)} (transport)`;
}
