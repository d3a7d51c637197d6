/** `estimates.json`: everything the report shows as numbers, for programs. */

import type { Json, JsonObject } from '../../core/json.ts';
import type { EstimateRow } from '../../datasets/results.ts';
import { totalCost } from '../model/costs.ts';
import type { ReportData } from '../model/data.ts';
import { headlineRanking, truthOf } from '../model/ranking.ts';
import { sensitivityOf } from '../model/sensitivity.ts';

/** Grows by one whenever a field changes its name or its meaning; new fields leave it as it is. */
const ESTIMATES_VERSION = 1;

/**
 * One JSON object, keys sorted, two spaces of indent, a newline at the end:
 *
 * - `version`, `experiment`, `logger`, `policies` (pipeline's order), `samples`
 * - `scale`: `[lowest, highest]` label, where labels were given on another scale than [0, 1]; every estimate, truth,
 *   difference, error, bias and margin here is in these units
 * - `estimates`: rows as `EstimateRow`, each with `truth` (number or null), those with an estimate also with `sensitivity`: by how much the
 *   interval may be widened before it meets another policy's (null without one). Unknown numbers are null
 * - `truth`: `available`, `population`, `values` by policy
 * - `ranking`: null without estimates, else `scorer`, `ablation`, `estimator`, `insteadOf`, `ranked`
 *   (`rank` (null for the judge's scores alone), `policy`, `estimate`, `lower`, `upper`, `truth`, `aboveNext`, `probabilityOfBest`, `tempered`), `refused`
 *   (`policy`, `gate`, `reason`, `collect`), `absent`, `order`; `judgeAlone: true` where these are the judge's scores alone, and claim nothing of labels
 * - `comparisons`: one for each scorer and ablation: `confidence`, `pairs` (`a`, `b`, `difference` of a minus b,
 *   `standardError`, `lower`, `upper`, `simultaneousLower`, `simultaneousUpper`, `pValue`, `discoveryP`, `familyP`) and
 *   `ranks` (`policy`, `rank`, `bestRank`, `worstRank`, `probabilityOfBest`)
 * - `transport`: one for each scorer and target policy: `state`, `labels`, `bias`, `lower`, `upper`, `margin`,
 *   `detectableBias`
 * - `gates`: every gate of every dataset, with its `scorer`
 * - `costs`: `node`, `dollars`, `tally`; `reproduce`: their sum in dollars, null where a price is unknown; `pricesDate`
 */
export function estimatesJson(data: ReportData): string {
  const value = {
    version: ESTIMATES_VERSION,
    experiment: data.experiment,
    logger: data.logger,
    policies: data.policies,
    samples: data.samples,
    scale: data.scale,
    estimates: data.estimates.map((row: EstimateRow) => ({
      ...row,
      ...(row.status === 'ok'
        ? { warnings: row.warnings.map(({ text }) => text), sensitivity: sensitivityOf(row, data.estimates) }
        : {}),
      truth: truthOf(data, row.policy),
    })),
    truth: data.truth,
    ranking: rankingValue(data),
    comparisons: data.comparisons,
    transport: data.quality.flatMap(({ scorer, transport }) => transport.map((audit) => ({ ...audit, scorer }))),
    gates: data.quality.flatMap(({ scorer, gates }) => gates.map((gate) => ({ ...gate, scorer }))),
    costs: data.costs,
    reproduce: totalCost(data).dollars,
    pricesDate: data.pricesDate,
  };
  return `${JSON.stringify(sorted(value), null, 2)}\n`;
}

function rankingValue(data: ReportData) {
  const ranking = headlineRanking(data);
  if (ranking === undefined) return null;
  const { scorer, ablation, estimator, insteadOf, absent, order } = ranking;
  const judgeAlone = ranking.judgeAlone ? { judgeAlone: true } : {};
  const ranked = ranking.ranked.map(({ rank, row, truth, aboveNext, probabilityOfBest }) => {
    const { policy, estimate, lower, upper, tempered } = row;
    return { rank, policy, estimate, lower, upper, truth, aboveNext, probabilityOfBest, tempered };
  });
  const refused = ranking.refused.map(({ policy, gate, reason, collect }) => ({ policy, gate, reason, collect }));
  return { scorer, ablation, estimator, insteadOf, ...judgeAlone, ranked, refused, absent, order };
}

/** The same value with keys in code-unit order, and null for numbers that JSON cannot hold. */
function sorted(value: unknown): Json {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value as Json;
  const object: Record<string, Json> = Object.create(null);
  for (const key of Object.keys(value).sort()) {
    const member = (value as JsonObject)[key];
    if (member !== undefined) object[key] = sorted(member);
  }
  return object;
}
