/** Every estimate: a forest plot a policy, a table a scorer, and all columns for who wants them. */

import { html, Markup } from '../../../text/html.ts';
import { count, percent, significant } from '../../../text/numbers.ts';
import { counted } from '../../../text/plural.ts';
import { forestChart } from '../../charts/forest.ts';
import { type Marker, seriesColor, seriesMarker } from '../../charts/palette.ts';
import { type Cells, cellsOf } from '../../model/cells.ts';
import type { ReportData } from '../../model/data.ts';
import { truthOf } from '../../model/ranking.ts';
import { allColumnsTable, estimatesTable } from '../../model/tables/estimates.ts';
import { REFUSED_NOTE, TEMPERED_MARK } from '../../model/words.ts';
import type { Figures } from './figures.ts';

export function estimatesSection(data: ReportData, figures: Figures): Markup | null {
  if (data.estimates.length === 0) return null;
  const cells = cellsOf(data.estimates);
  const ofPolicy = (policy: string) => data.estimates.filter((row) => row.policy === policy);
  const plots = data.policies
    .filter((policy) => ofPolicy(policy).length > 0)
    .map((policy) =>
      figures.figure(
        html`<h3>${policy}${ofPolicy(policy).some((row) => row.tempered) && TEMPERED_MARK}</h3>${figures.nextLabel()} ${policyFacts(data, policy)}`,
        { wide: forestChart(data, policy, 'wide'), narrow: forestChart(data, policy, 'narrow') },
      ),
    );
  const remark = knowsTruth(data) ? 'Dotted underline: the interval misses the truth.' : null;
  return html`<section id="estimates">
<h2>Estimates by policy</h2>
<p>Every ablation’s estimate with its 95 % interval. Each plot has its own axis. ${REFUSED_NOTE}</p>
${legend(data, cells)}
<div class="pair">
${plots}</div>
${cells.scorers.map((scorer) => figures.table(estimatesTable(data, scorer), remark))}
<details><summary>All columns: parts of the standard error, effective sample sizes, tails</summary>
${cells.scorers.map((scorer) => figures.table(allColumnsTable(data, scorer)))}</details>
</section>\n`;
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

function legend(data: ReportData, cells: Cells): Markup {
  const items = cells.scorers.map(
    (scorer, index) =>
      html`<li><svg viewBox="0 0 30 14" aria-hidden="true"><path d="M2 7H28" stroke="${seriesColor(index)}" stroke-width="2"/>${LEGEND_MARKERS[seriesMarker(index)](seriesColor(index))}</svg>${scorer} scorer</li>`,
  );
  return html`<ul class="legend">${items}${
    knowsTruth(data) &&
    html`<li><svg viewBox="0 0 30 14" aria-hidden="true"><path d="M15 0V14" stroke="var(--truth)" stroke-width="1.5" stroke-dasharray="5 3"/></svg>truth</li>`
  }<li><svg viewBox="0 0 30 14" aria-hidden="true"><path d="M2 7H22" stroke="var(--ink-faint)" stroke-width="2"/><path d="M28 7L21 2.5V11.5Z" fill="var(--ink-faint)"/></svg>goes on beyond the plot</li></ul>`;
}

const knowsTruth = (data: ReportData) => data.policies.some((policy) => truthOf(data, policy) !== null);

const hollow = (path: string) => (color: string) =>
  new Markup(`<path d="${path}" fill="var(--panel)" stroke="${color}" stroke-width="2"/>`);
const LEGEND_MARKERS: Readonly<Record<Marker, (color: string) => Markup>> = {
  circle: (color) => new Markup(`<circle cx="15" cy="7" r="4.5" fill="${color}"/>`),
  diamond: hollow('M15 1.5L20.5 7L15 12.5L9.5 7Z'),
  square: hollow('M11 3H19V11H11Z'),
  triangle: hollow('M15 2L20 11H10Z'),
};
