/** What the estimates stand on: weights, calibration, log probabilities, scores, gates. */

import type { DatasetQuality, TransportResult } from '../../../datasets/results.ts';
import { type Content, html, type Markup } from '../../../text/html.ts';
import { count, decimal, percent } from '../../../text/numbers.ts';
import { counted } from '../../../text/plural.ts';
import { calibrationChart } from '../../charts/calibration.ts';
import { seriesColor } from '../../charts/palette.ts';
import { scoresChart } from '../../charts/scores.ts';
import { weightsChart } from '../../charts/weights.ts';
import type { ReportData } from '../../model/data.ts';
import { gatesOf, logprobQualities, scorersLabel } from '../../model/gates.ts';
import { TRANSPORT_NOTE, transportAudits, transportState } from '../../model/transport.ts';
import { TEMPERED_MARK } from '../../model/words.ts';
import { decimalCell, intervalCell, scorerIndex, significantCell } from './cell.ts';
import type { Figures } from './figures.ts';

export function weightsSection(data: ReportData, figures: Figures): Markup | null {
  const groups = logprobQualities(data).filter(({ quality }) => quality.weights.length > 0);
  if (groups.length === 0) return null;
  const plots = groups.flatMap(({ scorers, quality }) =>
    quality.weights.map((weights) => {
      const tempered = quality.logprobs.some((entry) => entry.policy === weights.policy && entry.tempered);
      const facts = factList([
        [
          'ESS',
          `${significantCell(weights.ess)} of ${count(weights.n)} (${percent(weights.n === 0 ? null : weights.ess / weights.n)})`,
        ],
        [
          'mean raw weight',
          `${significantCell(weights.mean)} [${significantCell(weights.meanLower)}, ${significantCell(weights.meanUpper)}]`,
        ],
        ['typical of the target', percent(weights.typicality?.coverage ?? null)],
        ['efficiency factor', significantCell(weights.typicality?.factor ?? null)],
        ['median log ratio', significantCell(weights.logRatioQuantiles[4] ?? null)],
      ]);
      const which = groups.length > 1 && html` (${scorers.join(', ')})`;
      const caption = html`<h3>${weights.policy}${tempered && TEMPERED_MARK}${which}</h3>${figures.nextLabel()} Rows by log ratio.${facts}`;
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
    return [figures.figure(caption, calibrationChart(calibration, scorer, seriesColor(scorerIndex(data, scorer))))];
  });
  const without = data.quality.filter((quality) => quality.calibration === null).map(({ scorer }) => scorer);
  if (plots.length === 0 && without.length === 0) return null;
  return html`<section id="calibration">
<h2>Reward calibration</h2>
<p>The curve turns a judge’s score into a reward on the oracle’s scale. It is fitted to labelled responses of ${data.logger === null ? 'all policies' : 'the logged policy'}; beyond the labelled scores it is flat.</p>
${plots.length > 0 && html`<div class="pair">\n${plots}</div>`}
${without.length > 0 && html`<p>No calibration for ${without.join(', ')}.</p>`}
${transportAudits(data).map(({ scorer, results }) => transportTable(scorer, results, figures))}
</section>\n`;
}

const VERDICT_CLASS: Readonly<Partial<Record<TransportResult['state'], string>>> = { pass: 'passed', fail: 'failed' };

function transportTable(scorer: string, results: readonly TransportResult[], figures: Figures): Markup {
  return figures.table({
    caption: html`Transport audit, <b>${scorer}</b> scorer. ${TRANSPORT_NOTE}`,
    columns: ['Policy', 'State', 'Own labels', 'Bias', '95 % interval', 'Margin', 'Detectable bias'].map(
      (name, index) => ({ name, numeric: index > 1 }),
    ),
    rows: results.map((audit) => ({
      cells: [
        audit.policy,
        html`<span class="${VERDICT_CLASS[audit.state] ?? ''}">${transportState(audit)}</span>`,
        count(audit.labels),
        decimalCell(audit.bias),
        audit.lower === null || audit.upper === null ? '–' : intervalCell(audit.lower, audit.upper),
        audit.margin === null ? '–' : `± ${significantCell(audit.margin)}`,
        decimalCell(audit.detectableBias),
      ],
    })),
  });
}

export function qualitySection(data: ReportData, figures: Figures): Markup | null {
  if (data.quality.length === 0) return null;
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
  const logprobs = logprobQualities(data).filter(({ quality }) => quality.logprobs.length > 0);
  return html`<section id="quality">
<h2>Data quality</h2>
${countsTable(data, figures)}
${logprobs.map(({ scorers, quality }) => logprobTable(quality, logprobs.length > 1 ? scorers : [], figures))}
${scores.length > 0 && html`<div class="pair">\n${scores}</div>`}
</section>\n`;
}

export function gatesSection(data: ReportData, figures: Figures): Markup | null {
  const gates = gatesOf(data);
  if (gates.length === 0) return null;
  const failed = gates.filter(({ result }) => !result.passed).length;
  const several = data.quality.length > 1;
  const rows = gates.map((gate) => {
    const { result } = gate;
    const verdict: Content = result.passed
      ? html`<span class="passed">✓ passed</span>`
      : html`<span class="failed">✗ failed</span>`;
    return {
      cells: [
        result.gate,
        result.policy ?? 'all',
        significantCell(result.value),
        result.bound,
        verdict,
        ...(several ? [scorersLabel(gate, data)] : []),
        result.note ?? '',
      ],
    };
  });
  return html`<section id="gates">
<h2>Gates</h2>
<p>${failed === 0 ? `All ${counted(gates.length, 'gate')} passed.` : `${failed} of ${counted(gates.length, 'gate')} failed; what stands on them is refused.`}</p>
${figures.table({
  caption: 'Gates on the data, failed ones first. Gates on one estimate’s weights are told with its refusal.',
  columns: [
    { name: 'Gate' },
    { name: 'Policy' },
    { name: 'Value', numeric: true },
    { name: 'Bound' },
    { name: 'Verdict' },
    ...(several ? [{ name: 'Scorers' }] : []),
    { name: 'Note' },
  ],
  rows,
})}</section>\n`;
}

function countsTable(data: ReportData, figures: Figures): Markup {
  const lacks = [...new Set(data.quality.flatMap(({ missing }) => Object.keys(missing)))];
  const rows = data.quality.map((quality) => ({
    cells: [
      quality.scorer,
      count(quality.rows),
      count(quality.labels.calibration),
      Object.entries(quality.labels.validation)
        .map(([policy, labels]) => `${policy} ${count(labels)}`)
        .join(', ') || 'none',
      ...lacks.map((lack) => count(quality.missing[lack] ?? 0)),
    ],
  }));
  return figures.table({
    caption: 'Rows of each dataset, its labels, and the rows that lack something.',
    columns: [
      { name: 'Scorer' },
      { name: 'Rows', numeric: true },
      { name: 'Calibration labels', numeric: true },
      { name: 'Validation labels' },
      ...lacks.map((lack) => ({ name: `Without ${lack}`, numeric: true })),
    ],
    rows,
  });
}

function logprobTable(quality: DatasetQuality, scorers: readonly string[], figures: Figures): Markup {
  const rows = quality.logprobs.map((entry) => ({
    cells: [
      html`${entry.policy}${entry.tempered && TEMPERED_MARK}`,
      count(entry.usable),
      percent(entry.zeroRate),
      Object.entries(entry.statuses)
        .map(([status, number]) => `${status} ${count(number)}`)
        .join(', '),
    ],
  }));
  return figures.table({
    caption: html`Log probabilities of the logged responses under each policy. The zero rate is the share of exact zeros, the mark of a failed measurement.${
      scorers.length > 0 && html` Scorers: ${scorers.join(', ')}.`
    }`,
    columns: [
      { name: 'Policy' },
      { name: 'Usable rows', numeric: true },
      { name: 'Zero rate', numeric: true },
      { name: 'Statuses' },
    ],
    rows,
  });
}

function factList(facts: readonly (readonly [string, string])[]): Markup {
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
