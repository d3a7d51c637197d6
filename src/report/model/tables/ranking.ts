/** The headline in numbers: the ranked policies, and the differences between them. */

import { type OrderedPair, orderedPairs } from '../comparisons.ts';
import type { ReportData } from '../data.ts';
import type { RankedPolicy, Ranking } from '../ranking.ts';
import { sensitivityOf } from '../sensitivity.ts';
import { left, number, right, type Table, tableOf, text } from '../table.ts';
import { simultaneousNote } from '../words.ts';

export function rankingTable(ranking: Ranking): Table {
  const compared = ranking.comparisons !== undefined;
  const known = ranking.ranked.some(({ truth }) => truth !== null);
  const [above, level] = compared ? ['separated', 'not separated'] : ['interval lies above', 'intervals overlap'];
  const rows = ranking.ranked.map(({ row }) => row);
  const rank = right<RankedPolicy>('Rank', (policy) => number(policy.rank, 'count'));
  const best = right<RankedPolicy>('P(best)', ({ probabilityOfBest }) => number(probabilityOfBest, 'decimal'));
  const truthColumn = right<RankedPolicy>('Truth', ({ truth }) => number(truth, 'decimal'));
  return tableOf<RankedPolicy>(
    [
      ...(ranking.judgeAlone ? [] : [rank]),
      left('Policy', ({ row }) => ({ text: row.policy, tone: 'strong' })),
      right('Estimate', ({ row }) => ({
        value: row.estimate,
        as: 'decimal',
        tone: 'strong',
        tempered: row.tempered,
      })),
      right('95 % interval', ({ row: { lower, upper } }) => ({ lower, upper })),
      right('Sensitivity', ({ row }) => number(sensitivityOf(row, rows), 'decimal'), { in: ['markdown', 'html'] }),
      right('Standard error', ({ row }) => number(row.standardError, 'decimal'), { brief: 'SE' }),
      right('n', ({ row }) => number(row.n, 'count')),
      left('Against the next', ({ aboveNext }) => (aboveNext === null ? null : text(aboveNext ? above! : level!)), {
        in: ['html'],
      }),
      ...(compared ? [best] : []),
      ...(known ? [truthColumn] : []),
    ],
    ranking.ranked,
    { title: ['The ranking in numbers'] },
  );
}

/** Undefined where fewer than two policies were estimated. */
export function differencesTable(
  { comparisons }: Ranking,
  data: Pick<ReportData, 'logger' | 'policies'>,
): Table | undefined {
  if (comparisons === undefined) return undefined;
  return tableOf<OrderedPair>(
    [
      left('Pair', ({ better, worse }) => ({ list: [text(better), text(worse)], between: ' − ' })),
      right('Difference', ({ difference }) => number(difference, 'decimal')),
      right('Standard error', ({ standardError }) => number(standardError, 'decimal'), { brief: 'SE' }),
      right('95 % interval', ({ lower, upper }) => ({ lower, upper })),
      right('p, family-wise', ({ familyP }) => number(familyP, 'significant')),
      right('p, discoveries', ({ discoveryP }) => number(discoveryP, 'significant')),
      left('', ({ separated }) => (separated ? text('separated') : null)),
    ],
    orderedPairs(comparisons),
    { title: ['Differences of the policies, paired by prompt'], note: simultaneousNote(data) },
  );
}
