/** The headline: who leads, by which estimator, and how sure that is. */

import { html, type Markup } from '../../../text/html.ts';
import { rankingChart } from '../../charts/forest.ts';
import type { ReportData } from '../../model/data.ts';
import { headlineRanking, type Ranking } from '../../model/ranking.ts';
import { differencesTable, rankingTable } from '../../model/tables/ranking.ts';
import { leadingLine, orderLine, separationLine, TEMPERED_MARK, truthLine } from '../../model/words.ts';
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
  const differences = differencesTable(ranking);
  return html`<section id="ranking">
<h2>Ranking</h2>
${leadLine(ranking)}
<p>Ranked by <b>${ranking.ablation}</b> with the ${ranking.scorer} scorer. ${leadingLine(ranking)}${instead}</p>
${
  ranking.ranked.length + ranking.refused.length > 0 &&
  figures.figure(caption, { wide: rankingChart(data, ranking, 'wide'), narrow: rankingChart(data, ranking, 'narrow') })
}
${figures.table(rankingTable(ranking))}
${ranking.refused.map((row) => html`<p><b>${row.policy}</b> is refused by ${row.gate}. ${row.reason}</p>`)}
${ranking.absent.length > 0 && html`<p>No estimate of ${ranking.absent.join(', ')}.</p>`}
${sentences.length > 0 && html`<p class="note">${sentences.join(' ')}</p>`}
${differences !== undefined && figures.table(differences)}
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
