/** The outlook of a pilot for people. */

import { type PowerForecast, TRUSTED_FIT } from '../datasets/planning/outlook.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { count } from '../text/numbers.ts';
import { table } from '../text/table.ts';
import { columnsOf, padEnd } from '../text/width.ts';
import { wrap } from '../text/wrap.ts';

/** Sentences are no wider than they are read well, however wide the terminal. */
const READABLE = 80;

/** @param width columns of the terminal */
export function powerText(outlook: PowerForecast, width = READABLE): string {
  const column = Math.min(width, READABLE);
  const { pilot, dataset, estimator, alpha, power } = outlook;
  const chance = `${trimmed(100 * power)} % power at α ${trimmed(alpha)}`;
  const rough = outlook.rSquared !== null && outlook.rSquared < TRUSTED_FIT;
  const lines = [
    ...(rough ? [...wrap(ROUGH, column), ''] : []),
    ...wrap(`${estimator} on ${dataset}: ${count(pilot.prompts)} prompts, ${labelsOf(pilot)}`, column),
    '',
    table(
      [
        ['policy', 'SE', 'σ² a prompt', 'σ² a label', 'R²'],
        ...pilot.policies.map((policy) =>
          policy.status === 'refused'
            ? [policy.policy, `refused: ${policy.gate}`, '', '', '']
            : [
                policy.policy,
                policy.standardError.toFixed(4),
                policy.perPrompt.toPrecision(3),
                policy.perLabel.toPrecision(3),
                policy.rSquared === null ? '–' : policy.rSquared.toFixed(2),
              ],
        ),
      ],
      { align: ['left', 'right', 'right', 'right', 'right'], width },
    ),
    '',
    ...(pilot.pairs.length === 0 ? [] : [pairTable(outlook, width), '']),
    ...wrap(
      `${reachText(outlook)} (${chance}; for ${printable(outlook.hardest)}${outlook.chosen ? '' : ', the least certain'}).`,
      column,
    ),
  ];
  if (outlook.rSquared === null) lines.push(...wrap(TOO_SMALL, column));
  return `${[...lines, ...planLines(outlook, column)].join('\n')}\n`;
}

/** Where labels are so few that the whole rise of their calibration may be chance, no difference is large enough. */
const reachText = ({ detectableDifference: difference }: PowerForecast): string =>
  Number.isFinite(difference)
    ? `This dataset tells two policies apart that differ by ${difference.toFixed(4)}`
    : 'This dataset tells no two policies apart, as its labels hardly rise with what their calibration predicts';

const TOO_SMALL =
  'The dataset is too small to check on its subsets how the variance falls; take a plan as a rough one.';

const ROUGH =
  'R² below 0.5: on subsets of the pilot the variance does not fall as a plan takes it to; no ground for a plan.';

/** Names and numbers with what there is to say of each, which goes on below itself. */
function noted(rows: readonly (readonly [name: string, value: string, note: string])[], width: number): string[] {
  const named = table(rows.map(([name, value]) => [name, value])).split('\n');
  const from = Math.max(...named.map(columnsOf)) + 2;
  return rows.flatMap(([, , note], row) => {
    const [first = '', ...more] = wrap(note, width, from, from);
    return [`${padEnd(named[row]!, from)}${first.slice(from)}`.trimEnd(), ...more];
  });
}

function pairTable({ pilot }: PowerForecast, width: number): string {
  return table(
    [
      ['difference', 'SE', 'σ² a prompt', 'σ² a label', 'R²'],
      ...pilot.pairs.map(({ a, b, standardError, perPrompt, perLabel, rSquared }) => [
        `${a} − ${b}`,
        standardError.toFixed(4),
        perPrompt.toPrecision(3),
        perLabel.toPrecision(3),
        rSquared === null ? '–' : rSquared.toFixed(2),
      ]),
    ],
    { align: ['left', 'right', 'right', 'right', 'right'], width },
  );
}

function planLines(outlook: PowerForecast, width: number): string[] {
  const { plan, goal, prices, pilot, minimumLabels, responsesPerPrompt, labelsPerPrompt, ownLabelsPerPrompt } = outlook;
  if (plan === null) return [];
  const wish =
    goal.type === 'budget'
      ? `For ${dollars(goal.budget)}:`
      : goal.type === 'difference'
        ? `To tell a difference of ${goal.difference} apart:`
        : '';
  return [
    '',
    ...wrap(wish, width),
    ...noted(
      [
        [
          '  prompts',
          count(plan.prompts),
          `each answered and scored ${responsesPerPrompt} times, ${dollars(prices.score ?? 0)} each time`,
        ],
        [
          '  labels',
          count(Math.round(plan.labels * labelsPerPrompt)),
          `${pilot.pooledLabels === undefined ? 'on the logged policy’s responses' : `on the policies’ responses to ${count(plan.labels)} prompts`}, ${dollars(prices.label ?? 0)} each${plan.labels <= minimumLabels ? '; the least that a calibration takes' : ''}`,
        ],
        ...(ownLabelsPerPrompt === 0
          ? []
          : [
              [
                '  own labels',
                count(ownLabelsPerPrompt * plan.prompts),
                'on the policies’ own responses, as many a prompt as the pilot has',
              ] as const,
            ]),
        ['  cost', dollars(plan.cost), ''],
        ['  SE', plan.standardError.toFixed(4), ''],
        [
          '  detects',
          Number.isFinite(plan.detectableDifference) ? plan.detectableDifference.toFixed(4) : 'nothing',
          pilot.pairs.length === 0 ? 'taking the two policies as independent; sharing prompts does better' : '',
        ],
      ],
      width,
    ),
  ];
}

const labelsOf = ({ labels, pooledLabels }: PowerForecast['pilot']): string =>
  pooledLabels === undefined || pooledLabels === labels
    ? `${count(labels)} labels`
    : `${count(pooledLabels)} labels on ${count(labels)} of them`;

const trimmed = (value: number): string => String(Number(value.toPrecision(6)));

interface AllocatedRow {
  readonly promptId: string;
  readonly draw?: number;
  readonly chosen: boolean;
  readonly labelPropensity: number;
}

/** A JSON line for each row of the log: which it is, whether to label it, and the probability that belongs to its label. */
export const allocationText = (rows: readonly AllocatedRow[], policy: string | undefined): string =>
  rows
    .map(({ promptId: prompt_id, draw: draw_index, chosen: label, labelPropensity: label_propensity }) =>
      JSON.stringify({ prompt_id, policy, draw_index, label, label_propensity }),
    )
    .join('\n')
    .concat('\n');
