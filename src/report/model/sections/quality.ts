/** What the estimates depend on: weights, calibration, log probabilities, scores, gates. */

import type { DatasetQuality } from '../../../datasets/results.ts';
import { count, decimal, percent, significant } from '../../../text/numbers.ts';
import { counted } from '../../../text/plural.ts';
import type { ReportData } from '../data.ts';
import { gatesOf, logprobQualities } from '../gates.ts';
import {
  type Block,
  type Figure,
  heading,
  only,
  type Prose,
  prose,
  type Section,
  sectionOf,
  tableBlock,
} from '../section.ts';
import { askedModels, servedLines, usageLines } from '../served.ts';
import { number, text } from '../table.ts';
import { gatesTable } from '../tables/gates.ts';
import { datasetTables, qualityTables, transportTables } from '../tables/quality.ts';
import { transportNote } from '../transport-audit.ts';
import { TEMPERED_MARK } from '../words.ts';

export function weightsSection(data: ReportData): Section | undefined {
  const groups = logprobQualities(data).filter(({ quality }) => quality.weights.length > 0);
  if (groups.length === 0) return undefined;
  const figures = groups.flatMap(({ scorers, quality }) =>
    quality.weights.map((weights) => weightsFigure(weights, quality, groups.length > 1 ? scorers : [])),
  );
  return sectionOf('weights', 'Weights', 'Importance weights', [
    only(
      'html',
      prose(
        'The log ratio of a row is log π′(response | prompt) − log π₀(response | prompt), over the whole response. At 0 both policies are equally likely to have written it. Mass far to the left is what the target would hardly ever write; the estimate then rests on the few rows at the right.',
      ),
    ),
    { type: 'figures', in: ['html'], figures },
  ]);
}

/** Whether every row has the same log ratio. */
const isConstant = ({ histogramFrom: from, histogramTo: to }: DatasetQuality['weights'][number]): boolean =>
  !(to > from);

function weightsFigure(
  weights: DatasetQuality['weights'][number],
  quality: DatasetQuality,
  scorers: readonly string[],
): Figure {
  const { policy, n, ess, mean, meanLower: lower, meanUpper: upper, typicality, logRatioQuantiles } = weights;
  const tempered = quality.logprobs.some((entry) => entry.policy === policy && entry.tempered);
  const rows = isConstant(weights)
    ? `Every row has the log ratio ${significant(weights.histogramFrom)}`
    : 'Rows by log ratio';
  return {
    title: `${policy}${tempered ? TEMPERED_MARK : ''}${scorers.length > 0 ? ` (${scorers.join(', ')})` : ''}`,
    caption: [`${rows}.`],
    facts: [
      ['ESS', text(`${significant(ess)} of ${count(n)} (${percent(n === 0 ? null : ess / n)})`)],
      ['mean raw weight', { list: [number(mean, 'significant'), { lower, upper, as: 'significant' }], between: ' ' }],
      ['typical of the target', number(typicality?.coverage ?? null, 'percent')],
      ['efficiency factor', number(typicality?.factor ?? null, 'significant')],
      ['median log ratio', number(logRatioQuantiles[4] ?? null, 'significant')],
    ],
    chart: { type: 'weights', weights },
  };
}

export function calibrationSection(data: ReportData): Section | undefined {
  const figures = data.quality.flatMap((quality): Figure[] => {
    const { calibration, scorer } = quality;
    if (calibration === null) return [];
    const caption = `${counted(calibration.points.length, 'labelled response')}, ${calibration.mode} fit, root mean squared error ${decimal(calibration.rmse)}. The dashed line is score = label.`;
    return [{ title: `${scorer} scorer`, caption: [caption], chart: { type: 'calibration', quality } }];
  });
  const without = data.quality.filter((quality) => quality.calibration === null).map(({ scorer }) => scorer);
  if (figures.length === 0 && without.length === 0) return undefined;
  const learnt = data.logger === null ? 'all policies' : 'the logged policy';
  return sectionOf('calibration', 'Calibration', 'Reward calibration', [
    only(
      'html',
      prose(
        `The curve turns a judge’s score into a reward on the oracle’s scale. It is fitted to labelled responses of ${learnt}; beyond the labelled scores it is flat.`,
      ),
    ),
    { type: 'figures', in: ['html'], figures },
    without.length > 0 && only('html', prose(`No calibration for ${without.join(', ')}.`)),
    ...transportTables(data).map((table) => only('html', tableBlock(table))),
  ]);
}

export function qualitySection(data: ReportData): Section | undefined {
  const served = servedLines(data);
  return sectionOf('quality', 'Data quality', 'Data quality', [
    ...qualityTables(data).map((table) => only('html', tableBlock(table))),
    ...data.quality.flatMap((quality) => datasetBlocks(quality).map((block) => only('markdown', block))),
    ...(data.costs.length === 0 ? [] : answeredBlocks(data, served)),
    ...usageBlocks(data),
    {
      type: 'figures',
      in: ['html'],
      figures: data.quality.filter(({ scores }) => scores.length > 0).map(scoresFigure),
    },
  ]);
}

function answeredBlocks(data: ReportData, served: ReturnType<typeof servedLines>): Block[] {
  const all = `The one that was asked, everywhere: ${askedModels(data).join(', ')}.`;
  const lines = served.map(({ node, text: said }): Prose => [`${node}: ${said}`]);
  return [heading('Which model answered'), lines.length > 0 ? { type: 'list', items: lines } : prose(all)];
}

function usageBlocks(data: ReportData): Block[] {
  const items = usageLines(data).map(({ node, text: said }): Prose => [`${node}: ${said}`]);
  return items.length === 0 ? [] : [heading('Tokens that were counted wrong'), { type: 'list', items }];
}

function scoresFigure(quality: DatasetQuality): Figure {
  const unparseable = quality.scores.reduce((sum, { unparseable: each }) => sum + each, 0);
  const read =
    unparseable === 0
      ? 'every reply was a score'
      : `${counted(unparseable, 'reply', 'replies')} could not be read as a score`;
  return {
    title: `Scores, ${quality.scorer} scorer`,
    caption: [`Mean (upright line) and standard deviation of each policy’s scores; ${read}.`],
    chart: { type: 'scores', quality },
  };
}

/** Where there are no figures, each dataset is told by itself. */
function datasetBlocks(quality: DatasetQuality): Block[] {
  const { labels, missing, calibration, transport } = quality;
  const validation = Object.entries(labels.validation).map(([policy, many]) => `${policy} ${count(many)}`);
  const lacking = Object.entries(missing).filter(([, many]) => many > 0);
  const facts: Prose[] = [
    [`Rows: ${count(quality.rows)}`],
    [
      `Labels: ${count(labels.calibration)} for calibration${validation.length === 0 ? '' : `; for validation ${validation.join(', ')}`}`,
    ],
    [
      `Missing: ${lacking.length === 0 ? 'nothing' : lacking.map(([what, many]) => `${what} ${count(many)}`).join(', ')}`,
    ],
    [
      calibration === null
        ? 'Reward calibration: none'
        : `Reward calibration: ${calibration.mode}, root mean squared error ${decimal(calibration.rmse)} on ${counted(calibration.points.length, 'label')}`,
    ],
  ];
  return [
    heading(`${quality.scorer} scorer`),
    { type: 'list', items: facts },
    ...datasetTables(quality).map(tableBlock),
    ...(transport.length === 0 ? [] : [prose(transportNote(quality))]),
  ];
}

export function gatesSection(data: ReportData): Section | undefined {
  const gates = gatesOf(data);
  if (gates.length === 0) return undefined;
  const failed = gates.filter(({ result }) => !result.passed).length;
  const all = counted(gates.length, 'gate');
  return sectionOf('gates', 'Gates', 'Gates', [
    prose(failed === 0 ? `All ${all} passed.` : `${failed} of ${all} failed; what depends on them is refused.`),
    tableBlock(gatesTable(data)),
  ]);
}
