/** What the estimates depend on, in numbers: rows, labels, log probabilities, weights, scores, the transport audit. */

import type { DatasetQuality, PositionBias, TransportResult } from '../../../datasets/results.ts';
import { scoresInUnits } from '../../../datasets/units.ts';
import { count, significant } from '../../../text/numbers.ts';
import type { ReportData } from '../data.ts';
import { logprobQualities } from '../gates.ts';
import { left, number, right, type Table, tableOf, text } from '../table.ts';
import { transportAudits, transportNote, transportState } from '../transport-audit.ts';

type LogprobQuality = DatasetQuality['logprobs'][number];
type WeightQuality = DatasetQuality['weights'][number];
type ScoreQuality = DatasetQuality['scores'][number];

/** Of one dataset, where a report tells each dataset by itself. */
export function datasetTables(quality: DatasetQuality): Table[] {
  const { scorer, logger, transport } = quality;
  return [
    logprobTable(quality, []),
    weightsTable(quality),
    scoresTable(quality),
    ...positionTables(quality),
    transportTable({ scorer, logger, results: transport }),
  ];
}

/** Of all datasets; what scorers have in common is told once. */
export function qualityTables(data: ReportData): Table[] {
  const logprobs = logprobQualities(data).filter(({ quality }) => quality.logprobs.length > 0);
  return [
    countsTable(data),
    ...data.quality.flatMap(positionTables),
    ...logprobs.map(({ scorers, quality }) => logprobTable(quality, logprobs.length > 1 ? scorers : [])),
  ];
}

export function transportTables(data: ReportData): Table[] {
  return transportAudits(data).map(transportTable);
}

function countsTable(data: ReportData): Table {
  const lacks = [...new Set(data.quality.flatMap(({ missing }) => Object.keys(missing)))];
  return tableOf<DatasetQuality>(
    [
      left('Scorer', ({ scorer }) => text(scorer)),
      right('Rows', ({ rows }) => number(rows, 'count')),
      right('Calibration labels', ({ labels }) => number(labels.calibration, 'count')),
      left('Validation labels', ({ labels }) => text(counts(labels.validation).join(', ') || 'none')),
      ...lacks.map((lack) =>
        right<DatasetQuality>(`Without ${lack}`, ({ missing }) => number(missing[lack] ?? 0, 'count')),
      ),
    ],
    data.quality,
    { title: ['Rows of each dataset, its labels, and the rows that lack something'] },
  );
}

/** @param scorers named where not all have the same log probabilities */
function logprobTable({ logprobs, consistency = [] }: DatasetQuality, scorers: readonly string[]): Table {
  const which = scorers.length === 0 ? '' : ` Scorers: ${scorers.join(', ')}.`;
  return tableOf<LogprobQuality>(
    [
      left('Policy', ({ policy, tempered }) => ({ text: policy, tempered }), { brief: 'Log probabilities' }),
      right('Usable rows', ({ usable }) => number(usable, 'count'), { brief: 'Usable' }),
      right('Zero rate', ({ zeroRate }) => number(zeroRate, 'percent')),
      ...(logprobs.some(({ asSampled }) => asSampled !== undefined)
        ? [left<LogprobQuality>('Of', ({ asSampled }) => text(lawText(asSampled)))]
        : []),
      left('Against generation', ({ policy }) => text(againstGeneration(consistency, policy))),
      left('Statuses', ({ statuses }) => ({ list: counts(statuses).map((each) => text(each)), between: ', ' })),
    ],
    logprobs,
    {
      title: ['Log probabilities of the logged responses under each policy'],
      note: `The zero rate is the share of exact zeros, the mark of a failed measurement.${which}`,
    },
  );
}

/** The law that values are of. */
function lawText(law: LogprobQuality['asSampled']): string {
  if (law === undefined) return 'temperature 1';
  const { temperature, topP, bound } = law;
  const setting = topP === 1 ? `temperature ${temperature}` : `top_p ${topP}`;
  return `${setting}, within ${significant(bound)} nats`;
}

/** How forced values compare with those that the model told when it generated the same tokens. */
function againstGeneration(consistency: NonNullable<DatasetQuality['consistency']>, policy: string): string {
  const found = consistency.find((each) => each.policy === policy);
  if (found === undefined) return 'unchecked';
  const { rows, slope, largest } = found;
  return `slope ${slope === null ? '–' : slope.toFixed(4)}, at most ${significant(largest)} nats apart in ${rows} rows`;
}

function weightsTable({ weights }: DatasetQuality): Table {
  return tableOf<WeightQuality>(
    [
      left('Policy', ({ policy }) => text(policy), { brief: 'Importance weights' }),
      right('n', ({ n }) => number(n, 'count')),
      right('Mean raw weight', ({ mean }) => number(mean, 'significant')),
      right('95 % interval', ({ meanLower, meanUpper }) => ({ lower: meanLower, upper: meanUpper, as: 'significant' })),
      right('ESS', ({ ess }) => number(ess, 'significant')),
      right('ESS share', ({ n, ess }) => number(n === 0 ? null : ess / n, 'percent')),
      right('Typical', ({ typicality }) => number(typicality?.coverage ?? null, 'percent')),
      right('Efficiency factor', ({ typicality }) => number(typicality?.factor ?? null, 'significant')),
    ],
    weights,
    { title: ['Importance weights'] },
  );
}

/** The weights in brief: how far each policy overlaps with the log. */
export function overlapTable({ weights }: DatasetQuality, title: string): Table {
  return tableOf<WeightQuality>(
    [
      left('Policy', ({ policy }) => text(policy)),
      right('rows', ({ n }) => number(n, 'count')),
      right('ESS', ({ n, ess }) => text(`${significant(n === 0 ? null : (100 * ess) / n)} %`)),
      right('typical', ({ typicality }) => number(typicality?.coverage ?? null, 'percent')),
      right('mean weight', ({ mean }) => number(mean, 'decimal')),
      right('95 % interval', ({ meanLower, meanUpper }) => ({ lower: meanLower, upper: meanUpper })),
    ],
    weights,
    { title: [title] },
  );
}

function scoresTable(quality: DatasetQuality): Table {
  return tableOf<ScoreQuality>(
    [
      left('Policy', ({ policy }) => text(policy), { brief: 'Scores' }),
      right('n', ({ n }) => number(n, 'count')),
      right('Mean', ({ mean }) => number(mean, 'decimal')),
      right('SD', ({ standardDeviation }) => number(standardDeviation, 'decimal')),
      right('Unparseable', ({ unparseable }) => number(unparseable, 'count')),
    ],
    scoresInUnits(quality),
    { title: [quality.scale === undefined ? 'Scores' : `Scores, from ${quality.scale.join(' to ')}`] },
  );
}

const POSITION_NOTE =
  'A pairwise judge sees each pair in both orders. The bias is its preference for a policy that stands first less for the same one standing second; the score is the mean of both, which it leaves alone.';

/** Of a pairwise judge alone. */
function positionTables({ positions }: DatasetQuality): Table[] {
  if (positions === undefined) return [];
  const table = tableOf<PositionBias>(
    [
      left('Policy', ({ policy }) => text(policy), { brief: 'Position' }),
      right('Prompts', ({ prompts }) => number(prompts, 'count')),
      right('Position bias', ({ bias }) => number(bias, 'decimal')),
      right('95 % interval', ({ lower, upper }) => ({ lower, upper })),
      right('Same in both orders', ({ consistent }) => number(consistent, 'percent')),
      right('95 % interval', ({ consistentLower: lower, consistentUpper: upper }) => ({ lower, upper })),
    ],
    positions,
    { title: ['Position bias of the judge'], note: POSITION_NOTE },
  );
  return [table];
}

function transportTable({ scorer, logger, results }: ReturnType<typeof transportAudits>[number]): Table {
  const note = transportNote({ logger });
  const tones = {
    pass: 'good',
    fail: 'bad',
    inconclusive: 'quiet',
    'not-checked': 'quiet',
    'not-graded': 'quiet',
  } as const;
  return tableOf<TransportResult>(
    [
      left('Policy', ({ policy }) => text(policy), { brief: 'Transport' }),
      left('State', (audit) => ({ text: transportState(audit), tone: tones[audit.state] })),
      right('Own labels', ({ labels, probe }) =>
        probe === undefined ? number(labels, 'count') : text(`${count(labels)}, probe`),
      ),
      right('Bias', ({ bias }) => number(bias, 'decimal')),
      right('95 % interval', ({ lower, upper }) => ({ lower, upper })),
      right('Margin', ({ margin }) => number(margin, 'margin')),
      right('Detectable bias', ({ detectableBias }) => number(detectableBias, 'decimal')),
      right('Labels to pass', ({ labelsToPass }) => number(labelsToPass, 'count')),
    ],
    results,
    {
      title: ['Transport audit,', { strong: scorer }, 'scorer'],
      note: results.some(({ probe }) => probe) ? `${note} Labels of a probe enter nothing else.` : note,
    },
  );
}

/** `ok 198`, one a name. */
const counts = (numbers: Readonly<Record<string, number>>) =>
  Object.entries(numbers).map(([name, value]) => `${name} ${count(value)}`);
