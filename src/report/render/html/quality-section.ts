/** What the estimates depend on: weights, calibration, log probabilities, scores, gates. */

import { type Content, html, type Markup } from '../../../text/html.ts';
import { count, decimal, percent, significant } from '../../../text/numbers.ts';
import { counted } from '../../../text/plural.ts';
import { calibrationChart } from '../../charts/calibration.ts';
import { seriesColor } from '../../charts/palette.ts';
import { scoresChart } from '../../charts/scores.ts';
import { isConstant, weightsChart } from '../../charts/weights.ts';
import { cellsOf } from '../../model/cells.ts';
import type { ReportData } from '../../model/data.ts';
import { gatesOf, logprobQualities } from '../../model/gates.ts';
import { askedModels, servedLines } from '../../model/served.ts';
import { number } from '../../model/table.ts';
import { gatesTable } from '../../model/tables/gates.ts';
import { qualityTables, transportTables } from '../../model/tables/quality.ts';
import { TEMPERED_MARK } from '../../model/words.ts';
import type { Figures } from './figures.ts';
import { cellHtml } from './table.ts';

export function weightsSection(data: ReportData, figures: Figures): Markup | null {
  const groups = logprobQualities(data).filter(({ quality }) => quality.weights.length > 0);
  if (groups.length === 0) return null;
  const plots = groups.flatMap(({ scorers, quality }) =>
    quality.weights.map((weights) => {
      const tempered = quality.logprobs.some((entry) => entry.policy === weights.policy && entry.tempered);
      const { n, ess, mean, meanLower: lower, meanUpper: upper, typicality, logRatioQuantiles } = weights;
      const facts = factList([
        ['ESS', `${significant(ess)} of ${count(n)} (${percent(n === 0 ? null : ess / n)})`],
        ['mean raw weight', html`${significant(mean)} ${cellHtml({ lower, upper, as: 'significant' })}`],
        ['typical of the target', percent(typicality?.coverage ?? null)],
        ['efficiency factor', significant(typicality?.factor ?? null)],
        ['median log ratio', cellHtml(number(logRatioQuantiles[4] ?? null, 'significant'))],
      ]);
      const which = groups.length > 1 && html` (${scorers.join(', ')})`;
      const caption = html`<h3>${weights.policy}${tempered && TEMPERED_MARK}${which}</h3>${figures.nextLabel()} ${isConstant(weights) ? `Every row has the log ratio ${significant(weights.histogramFrom)}` : 'Rows by log ratio'}.${facts}`;
      return figures.figure(caption, weightsChart(weights, 'var(--blue)'));
    }),
  );
  return html`<section id="weights">
<h2>Importance weights</h2>
<p>The log ratio of a row is log π′(response | prompt) − log π₀(response | prompt), over the whole response. At 0 both policies are equally likely to have written it. Mass far to the left is what the target would hardly ever write; the estimate then rests on the few rows at the right.</p>
<div class="pair">
${plots}</div>
</section>\n`;
}

export function calibrationSection(data: ReportData, figures: Figures): Markup | null {
  const plots = data.quality.flatMap((quality) => {
    const { calibration, scorer } = quality;
    if (calibration === null) return [];
    const caption = html`<h3>${scorer} scorer</h3>${figures.nextLabel()} ${counted(calibration.points.length, 'labelled response')}, ${calibration.mode} fit, root mean squared error ${decimal(calibration.rmse)}. The dashed line is score = label.`;
    return [
      figures.figure(
        caption,
        calibrationChart(calibration, scorer, seriesColor(scorerIndex(data, scorer)), quality.scale),
      ),
    ];
  });
  const without = data.quality.filter((quality) => quality.calibration === null).map(({ scorer }) => scorer);
  if (plots.length === 0 && without.length === 0) return null;
  return html`<section id="calibration">
<h2>Reward calibration</h2>
<p>The curve turns a judge’s score into a reward on the oracle’s scale. It is fitted to labelled responses of ${data.logger === null ? 'all policies' : 'the logged policy'}; beyond the labelled scores it is flat.</p>
${plots.length > 0 && html`<div class="pair">\n${plots}</div>`}
${without.length > 0 && html`<p>No calibration for ${without.join(', ')}.</p>`}
${transportTables(data).map((table) => figures.table(table))}
</section>\n`;
}

export function qualitySection(data: ReportData, figures: Figures): Markup | null {
  const served = servedLines(data);
  if (data.quality.length === 0 && served.length === 0) return null;
  const scores = data.quality
    .filter((quality) => quality.scores.length > 0)
    .map((quality) => {
      const unparseable = quality.scores.reduce((sum, { unparseable: each }) => sum + each, 0);
      const caption = html`<h3>Scores, ${quality.scorer} scorer</h3>${figures.nextLabel()} Mean (upright line) and standard deviation of each policy’s scores; ${
        unparseable === 0
          ? 'every reply was a score'
          : `${counted(unparseable, 'reply', 'replies')} could not be read as a score`
      }.`;
      return figures.figure(caption, scoresChart(quality, seriesColor(scorerIndex(data, quality.scorer))));
    });
  const [counts, ...others] = qualityTables(data).map((table) => figures.table(table));
  return html`<section id="quality">
<h2>Data quality</h2>
${counts ?? null}
${others}
${
  data.costs.length > 0 &&
  html`<h3>Which model answered</h3>
${served.length > 0 ? html`<ul>${served.map(({ node, text }) => html`<li>${node}: ${text}</li>`)}</ul>` : html`<p>The one that was asked, everywhere: ${askedModels(data).join(', ')}.</p>`}
`
}${scores.length > 0 && html`<div class="pair">\n${scores}</div>`}
</section>\n`;
}

export function gatesSection(data: ReportData, figures: Figures): Markup | null {
  const gates = gatesOf(data);
  if (gates.length === 0) return null;
  const failed = gates.filter(({ result }) => !result.passed).length;
  return html`<section id="gates">
<h2>Gates</h2>
<p>${failed === 0 ? `All ${counted(gates.length, 'gate')} passed.` : `${failed} of ${counted(gates.length, 'gate')} failed; what depends on them is refused.`}</p>
${figures.table(gatesTable(data))}</section>\n`;
}

function factList(facts: readonly (readonly [name: string, value: Content])[]): Markup {
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** The scorers in the order that gives each its colour and marker. */
function scorerIndex(data: ReportData, scorer: string): number {
  const { scorers } = cellsOf(data.estimates);
  const all = [...new Set([...scorers, ...data.quality.map((quality) => quality.scorer)])];
  return Math.max(0, all.indexOf(scorer));
}
