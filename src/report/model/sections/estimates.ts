/** Every estimate: a forest plot a policy, a table a scorer, and all columns for who wants them. */

import { count, percent, significant } from '../../../text/numbers.ts';
import { counted } from '../../../text/plural.ts';
import { cellsOf } from '../cells.ts';
import type { ReportData } from '../data.ts';
import { truthOf } from '../ranking.ts';
import { type Figure, heading, only, prose, type Section, sectionOf } from '../section.ts';
import { allColumnsTable, estimatesTable } from '../tables/estimates.ts';
import { REFUSED_NOTE, TEMPERED_MARK } from '../words.ts';

export function estimatesSection(data: ReportData): Section | undefined {
  if (data.estimates.length === 0) return undefined;
  const { scorers } = cellsOf(data.estimates);
  const truth = data.policies.some((policy) => truthOf(data, policy) !== null);
  const remark = truth ? { remark: 'Dotted underline: the interval misses the truth.' } : {};
  return sectionOf('estimates', 'Estimates', 'Estimates by policy', [
    only(
      'html',
      prose(`Every ablation’s estimate with its 95 % interval. Each plot has its own axis. ${REFUSED_NOTE}`),
    ),
    only('markdown', prose(`Estimate ± the further end of its 95 % interval. ${REFUSED_NOTE}`)),
    { type: 'legend', in: ['html'], scorers, truth },
    { type: 'figures', in: ['html'], figures: data.policies.flatMap((policy) => forestOf(data, policy)) },
    ...scorers.flatMap((scorer) => [
      only('markdown', heading(`${scorer} scorer`)),
      { type: 'table', table: estimatesTable(data, scorer), ...remark } as const,
    ]),
    {
      type: 'fold',
      in: ['html'],
      summary: 'All columns: parts of the standard error, effective sample sizes, tails',
      tables: scorers.map((scorer) => allColumnsTable(data, scorer)),
    },
  ]);
}

function forestOf(data: ReportData, policy: string): Figure[] {
  const rows = data.estimates.filter((row) => row.policy === policy);
  if (rows.length === 0) return [];
  const title = policy + (rows.some(({ tempered }) => tempered) ? TEMPERED_MARK : '');
  return [{ title, caption: [policyFacts(data, policy)], chart: { type: 'forest', policy } }];
}

function policyFacts(data: ReportData, policy: string): string {
  const weights = data.quality.flatMap((quality) => quality.weights).find((entry) => entry.policy === policy);
  if (weights === undefined) {
    const estimated = data.estimates.filter((row) => row.policy === policy && row.status === 'ok').length;
    return `${counted(estimated, 'estimate')} over ${counted(data.samples, 'prompt')}.`;
  }
  const share = percent(weights.n === 0 ? null : weights.ess / weights.n);
  return `Effective sample size ${significant(weights.ess)} of ${count(weights.n)} (${share}), mean raw weight ${significant(weights.mean)}.`;
}
