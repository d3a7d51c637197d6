/** The headline: who leads, by which estimator, and how sure that is. */

import type { PolicyComparisons } from '../../../datasets/results.ts';
import { html, type Markup } from '../../../text/html.ts';
import { count } from '../../../text/numbers.ts';
import { rankingChart } from '../../charts/forest.ts';
import { orderedPairs } from '../../model/comparisons.ts';
import type { ReportData } from '../../model/data.ts';
import { headlineRanking, type Ranking } from '../../model/ranking.ts';
import {
  leadingLine,
  orderLine,
  SIMULTANEOUS_NOTE,
  separationLine,
  TEMPERED_MARK,
  truthLine,
} from '../../model/words.ts';
import { decimalCell, intervalCell, significantCell } from './cell.ts';
import type { Figures } from './figures.ts';

export function rankingSection(data: ReportData, figures: Figures): Markup {
  const ranking = headlineRanking(data);
  if (ranking === undefined) return html`<section id="ranking"><h2>Ranking</h2><p>No estimates.</p></section>`;
  const known = ranking.ranked.some(({ truth }) => truth !== null);
  const instead =
    ranking.insteadOf !== null && html` <b>${ranking.insteadOf}</b> would lead but gave no estimate; see the refusals.`;
  const sentences = [separationLine(ranking), orderLine(ranking), truthLine(data)].filter((line) => line !== '');
  const caption = html`${figures.nextLabel()} Policies by <b>${ranking.ablation}</b>, ${ranking.scorer} scorer: estimate and 95 % interval${
    known && '; the upright tick is the truth'
  }.`;
  return html`<section id="ranking">
<h2>Ranking</h2>
${leadLine(ranking)}
<p>Ranked by <b>${ranking.ablation}</b> with the ${ranking.scorer} scorer. ${leadingLine(ranking)}${instead}</p>
${
  ranking.ranked.length + ranking.refused.length > 0 &&
  figures.figure(caption, { wide: rankingChart(data, ranking, 'wide'), narrow: rankingChart(data, ranking, 'narrow') })
}
${ranking.ranked.length > 0 && rankingTable(ranking, known, figures)}
${ranking.refused.map((row) => html`<p><b>${row.policy}</b> is refused by ${row.gate}. ${row.reason}</p>`)}
${ranking.absent.length > 0 && html`<p>No estimate of ${ranking.absent.join(', ')}.</p>`}
${sentences.length > 0 && html`<p class="note">${sentences.join(' ')}</p>`}
${ranking.comparisons !== undefined && differencesTable(ranking.comparisons, figures)}
</section>\n`;
}

function leadLine(ranking: Ranking): Markup | null {
  if (ranking.ranked.length === 0) return null;
  const parts = ranking.ranked.map(
    ({ row, aboveNext }) =>
      html`${row.policy}${row.tempered && TEMPERED_MARK}${aboveNext !== null && html`<span class="sign"> ${aboveNext ? '>' : '≈'} </span>`}`,
  );
  return html`<p class="lead">${parts}</p>`;
}

function rankingTable(ranking: Ranking, known: boolean, figures: Figures): Markup {
  const compared = ranking.comparisons !== undefined;
  const names = ['Rank', 'Policy', 'Estimate', '95 % interval', 'Standard error', 'n', 'Against the next'];
  const columns = [...names, ...(compared ? ['P(best)'] : [])].map((name) => ({
    name,
    numeric: !['Rank', 'Policy', 'Against the next'].includes(name),
  }));
  const verdicts = compared ? ['separated', 'not separated'] : ['interval lies above', 'intervals overlap'];
  const rows = ranking.ranked.map(({ rank, row, truth, aboveNext, probabilityOfBest }) => ({
    cells: [
      String(rank),
      html`<b>${row.policy}</b>`,
      html`<b>${decimalCell(row.estimate)}</b>${row.tempered && TEMPERED_MARK}`,
      intervalCell(row.lower, row.upper),
      decimalCell(row.standardError),
      count(row.n),
      aboveNext === null ? '' : verdicts[aboveNext ? 0 : 1]!,
      ...(compared ? [decimalCell(probabilityOfBest)] : []),
      ...(known ? [decimalCell(truth)] : []),
    ],
  }));
  return figures.table({
    caption: 'The ranking in numbers.',
    columns: [...columns, ...(known ? [{ name: 'Truth', numeric: true }] : [])],
    rows,
  });
}

function differencesTable(comparisons: PolicyComparisons, figures: Figures): Markup {
  return figures.table({
    caption: `Differences of the policies, paired by prompt. ${SIMULTANEOUS_NOTE}`,
    columns: ['Pair', 'Difference', 'Standard error', '95 % interval', 'p, family-wise', 'p, discoveries', ''].map(
      (name, index) => ({ name, numeric: index > 0 && name !== '' }),
    ),
    rows: orderedPairs(comparisons).map((pair) => ({
      cells: [
        `${pair.better} − ${pair.worse}`,
        decimalCell(pair.difference),
        decimalCell(pair.standardError),
        intervalCell(pair.lower, pair.upper),
        significantCell(pair.familyP),
        significantCell(pair.discoveryP),
        pair.separated ? 'separated' : '',
      ],
    })),
  });
}
