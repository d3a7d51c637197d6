/** Every estimate: a forest plot a policy, a table a scorer, and all columns for who wants them. */

import type { EstimateRow } from '../../../datasets/results.ts';
import { type Content, html, Markup } from '../../../text/html.ts';
import { count, percent } from '../../../text/numbers.ts';
import { forestChart } from '../../charts/forest.ts';
import { type Marker, seriesColor, seriesMarker } from '../../charts/palette.ts';
import { type Cells, cellsOf } from '../../model/cells.ts';
import type { ReportData } from '../../model/data.ts';
import { truthCoverage, truthOf } from '../../model/ranking.ts';
import { REFUSED_NOTE, TEMPERED_MARK } from '../../model/words.ts';
import { decimalCell, estimateCell, intervalCell, significantCell } from './cell.ts';
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
        {
          wide: forestChart(data, policy, 'wide'),
          narrow: forestChart(data, policy, 'narrow'),
        },
      ),
    );
  return html`<section id="estimates">
<h2>Estimates by policy</h2>
<p>Every ablation’s estimate with its 95 % interval. Each plot has its own axis. ${REFUSED_NOTE}</p>
${legend(data, cells)}
<div class="pair">
${plots}</div>
${cells.scorers.map((scorer) => scorerTable(data, cells, scorer, figures))}
<details><summary>All columns: parts of the standard error, effective sample sizes, tails</summary>
${cells.scorers.map((scorer) => fullTable(data, scorer, figures))}</details>
</section>\n`;
}

function policyFacts(data: ReportData, policy: string): string {
  const weights = data.quality.flatMap((quality) => quality.weights).find((entry) => entry.policy === policy);
  if (weights === undefined) return '';
  const share = percent(weights.n === 0 ? null : weights.ess / weights.n);
  return `Effective sample size ${significantCell(weights.ess)} of ${count(weights.n)} (${share}), mean raw weight ${significantCell(weights.mean)}.`;
}

function legend(data: ReportData, cells: Cells): Markup {
  const items = cells.scorers.map(
    (scorer, index) =>
      html`<li><svg viewBox="0 0 30 14" aria-hidden="true"><path d="M2 7H28" stroke="${seriesColor(index)}" stroke-width="2"/>${LEGEND_MARKERS[seriesMarker(index)](seriesColor(index))}</svg>${scorer} scorer</li>`,
  );
  const known = data.policies.some((policy) => truthOf(data, policy) !== null);
  return html`<ul class="legend">${items}${
    known &&
    html`<li><svg viewBox="0 0 30 14" aria-hidden="true"><path d="M15 0V14" stroke="var(--truth)" stroke-width="1.5" stroke-dasharray="5 3"/></svg>truth</li>`
  }<li><svg viewBox="0 0 30 14" aria-hidden="true"><path d="M2 7H22" stroke="var(--ink-faint)" stroke-width="2"/><path d="M28 7L21 2.5V11.5Z" fill="var(--ink-faint)"/></svg>goes on beyond the plot</li></ul>`;
}

const hollow = (path: string) => (color: string) =>
  new Markup(`<path d="${path}" fill="var(--panel)" stroke="${color}" stroke-width="2"/>`);
const LEGEND_MARKERS: Readonly<Record<Marker, (color: string) => Markup>> = {
  circle: (color) => new Markup(`<circle cx="15" cy="7" r="4.5" fill="${color}"/>`),
  diamond: hollow('M15 1.5L20.5 7L15 12.5L9.5 7Z'),
  square: hollow('M11 3H19V11H11Z'),
  triangle: hollow('M15 2L20 11H10Z'),
};

function scorerTable(data: ReportData, cells: Cells, scorer: string, figures: Figures): Markup {
  const known = data.policies.some((policy) => truthOf(data, policy) !== null);
  const rows: { cells: Content[]; role?: 'truth' }[] = cells.ablationsOf(scorer).map((ablation) => {
    const ofPolicies = data.policies.map((policy) => cells.get(scorer, ablation, policy));
    const estimated = ofPolicies.flatMap((row) => (row?.status === 'ok' ? [row] : []));
    const { inside, known: all } = truthCoverage(data, estimated);
    const holds = known ? [all === 0 ? '–' : `${inside} of ${all}`] : [];
    return { cells: [ablation, ...ofPolicies.map((row) => estimateCell(data, row)), ...holds] };
  });
  if (known) {
    const truths = data.policies.map((policy) => {
      const truth = truthOf(data, policy);
      // An invisible interval keeps the truth under the estimates.
      return truth === null ? null : html`${decimalCell(truth)}<span aria-hidden="true" class="unseen"> ± 0.000</span>`;
    });
    rows.push({ cells: ['Truth', ...truths, ''], role: 'truth' });
  }
  return figures.table({
    caption: html`Estimates ± half of the 95 % interval, <b>${scorer}</b> scorer.${
      known && html` Dotted underline: the interval misses the truth.`
    }`,
    columns: [
      { name: 'Ablation' },
      ...data.policies.map((name) => ({ name, numeric: true })),
      ...(known ? [{ name: 'Holds truth', numeric: true }] : []),
    ],
    rows,
  });
}

const FULL_COLUMNS = [
  'Ablation',
  'Policy',
  'Estimate',
  '95 % interval',
  'SE',
  'Sampling SE',
  'Oracle SE',
  'Extrapolation SE',
  'Judge’s SE',
  'df',
  'n',
  'ESS',
  'Raw ESS',
  'Mean raw weight',
  'Tail index',
  'Largest share',
];

function fullTable(data: ReportData, scorer: string, figures: Figures): Markup {
  const rows = data.estimates.filter((row) => row.scorer === scorer).map((row) => ({ cells: fullCells(row) }));
  return figures.table({
    caption: html`All columns, <b>${scorer}</b> scorer. SE is made of the sampling, the oracle and the extrapolation part; the judge’s is apart.`,
    columns: FULL_COLUMNS.map((name, index) => ({ name, numeric: index > 1 })),
    rows,
  });
}

function fullCells(row: EstimateRow): Content[] {
  const { ess, rawEss, meanRawWeight, tailIndex, maxWeightShare } = row.diagnostics;
  const values =
    row.status === 'ok'
      ? [
          html`${decimalCell(row.estimate)}${row.tempered && TEMPERED_MARK}`,
          intervalCell(row.lower, row.upper),
          ...[
            row.standardError,
            row.samplingStandardError,
            row.oracleStandardError,
            row.extrapolationStandardError,
            row.judgeStandardError,
          ].map(decimalCell),
          row.degreesOfFreedom === null ? '∞' : count(row.degreesOfFreedom),
        ]
      : [html`<span class="refused">refused: ${row.gate}</span>`, '', '', '', '', '', '', ''];
  return [
    row.ablation,
    row.policy,
    ...values,
    count(row.n),
    ...[ess, rawEss, meanRawWeight, tailIndex].map(significantCell),
    percent(maxWeightShare),
  ];
}
