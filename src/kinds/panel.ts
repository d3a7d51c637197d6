/** Kind `panel`: several judges' scores of one policy as one, and how far the judges agree. */

import { z } from 'zod';
import { ROWS, type TransformKind, type WiringFault } from '../core/kind.ts';
import { SCORES } from '../datasets/row-types.ts';
import { drawName, promptItem, type ScoreRow } from '../datasets/rows.ts';
import { commonScale, scaleField } from '../datasets/scale.ts';
import { agreementOf, agreementText, krippendorffAlpha, weightedKappa } from '../stats/agreement.ts';

const params = z
  .strictObject({
    combine: z
      .enum(['mean', 'median'])
      .default('mean')
      .describe('The mean of the judges, or their median; a row that any of them lacks is made of the others.'),
    weights: z
      .record(z.string().min(1), z.number().positive())
      .optional()
      .describe('The weight of each judge in the mean, by what the glob of `scores` leaves open; equal unless told.'),
  })
  .superRefine(({ combine, weights }, context) => {
    if (combine === 'mean' || weights === undefined) return;
    context.addIssue({ code: 'custom', path: ['weights'], message: 'are of `combine: mean` alone' });
  });
type PanelParams = z.infer<typeof params>;

export const panel: TransformKind<PanelParams> = {
  name: 'panel',
  about: "several judges' scores of one policy as one, and how far the judges agree",
  shape: 'transform',
  params,
  inputs: { scores: { arity: 'many', rows: [SCORES] } },
  outputs: { [ROWS]: SCORES },
  measures: [{ column: 'score', label: 'score', scale: 'unit', drawn: true, compared: true }],
  item: promptItem,

  check({ weights }, inputs) {
    const judges = inputs('scores').map(({ label }) => label);
    const faults: WiringFault[] = [];
    const listed = judges.map((judge) => `'${judge}'`).join(', ');
    if (judges.length < 2) {
      faults.push({
        at: { input: 'scores' },
        message: 'a panel is of two judges or more',
        hint: 'Let the glob leave the judge open: `scores: scores/*/${policy}`.',
      });
    }
    for (const judge of Object.keys(weights ?? {})) {
      if (judges.includes(judge)) continue;
      faults.push({
        at: { param: ['weights', judge] },
        message: `no judge is called '${judge}'`,
        hint: `There are ${listed}.`,
      });
    }
    const without = weights === undefined ? [] : judges.filter((judge) => !Object.hasOwn(weights, judge));
    if (without.length > 0) {
      faults.push({
        at: { param: ['weights'] },
        message: `there is no weight of '${without[0]}'`,
        hint: `Give one to each of ${listed}.`,
      });
    }
    return faults;
  },

  expect: (_, sizes) => ({ items: Math.max(0, ...sizes.many('scores').values()), calls: [] }),

  run({ combine, weights }, inputs) {
    const judges = [...inputs.many('scores')].map(([judge, input]) => {
      const rows = new Map(Array.from(input.rows(SCORES), (row) => [drawName(row.prompt_id, row.draw_index), row]));
      return { judge, weight: weights?.[judge] ?? 1, rows };
    });
    const names = new Set(judges.flatMap(({ rows }) => [...rows.keys()]));
    const rows = [...names].map((name) => {
      const given = judges.flatMap(({ judge, weight, rows: of }) => {
        const row = of.get(name);
        return row === undefined ? [] : [{ judge, weight, row }];
      });
      return combined(given, combine);
    });
    return { files: { [ROWS]: rows }, notes: agreement(judges, [...names]) };
  },
};

interface Given {
  readonly judge: string;
  readonly weight: number;
  readonly row: ScoreRow;
}

function combined(given: readonly Given[], combine: PanelParams['combine']): ScoreRow {
  const scored = given.flatMap(({ judge, weight, row }) =>
    row.score === null ? [] : [{ judge, weight, score: row.score, variance: row.variance ?? 0, row }],
  );
  const { prompt_id, draw_index, status, model } = given[0]!.row;
  const scale = commonScale(given.map(({ row }) => row.scale));
  const common = { prompt_id, model, ...(draw_index === undefined ? {} : { draw_index }), ...scaleField(scale) };
  if (scored.length === 0) return { ...common, status, score: null, variance: null };
  const total = scored.reduce((sum, { weight }) => sum + weight, 0);
  const mean = scored.reduce((sum, { weight, score }) => sum + weight * score, 0) / total;
  const score = combine === 'mean' ? mean : median(scored.map((entry) => entry.score));
  // The judges' own variances, and what they differ by, as far as a mean of so many is known.
  const own = scored.reduce((sum, { weight, variance }) => sum + (weight / total) ** 2 * variance, 0);
  const spread =
    scored.length === 1
      ? 0
      : scored.reduce((sum, entry) => sum + (entry.score - mean) ** 2, 0) / (scored.length - 1) / scored.length;
  const reasons = scored.flatMap(({ judge, row }) =>
    row.rationale === undefined ? [] : [`${judge}: ${row.rationale}`],
  );
  return {
    ...common,
    status: 'ok',
    score,
    variance: own + spread,
    criteria: Object.fromEntries(scored.map(({ judge, score: of }) => [judge, of])),
    ...(reasons.length === 0 ? {} : { rationale: reasons.join('\n\n') }),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

interface Judging {
  readonly judge: string;
  readonly rows: ReadonlyMap<string, ScoreRow>;
}

/** What is said of agreement: α of all judges, and κ of each pair. */
function agreement(judges: readonly Judging[], names: readonly string[]): string[] {
  const scoresOf = (judging: readonly Judging[]) => {
    const byPrompt = new Map<string, number[][]>();
    for (const name of names) {
      const rows = judging.flatMap((of) => of.rows.get(name) ?? []);
      const scores = rows.flatMap(({ score }) => score ?? []);
      if (scores.length !== judging.length) continue;
      const { prompt_id: id } = rows[0]!;
      byPrompt.set(id, [...(byPrompt.get(id) ?? []), scores]);
    }
    return byPrompt;
  };
  const all = scoresOf(judges);
  const count = [...all.values()].reduce((sum, of) => sum + of.length, 0);
  const alpha = agreementOf(all, (prompts) => krippendorffAlpha(prompts.flat()));
  const pairs = judges.flatMap((a, index) =>
    judges.slice(index + 1).map((b) => {
      const kappa = agreementOf(scoresOf([a, b]), (prompts) => {
        const both = prompts.flat();
        return weightedKappa(
          both.map(([first]) => first!),
          both.map(([, second]) => second!),
        );
      });
      return `${a.judge} and ${b.judge} ${agreementText(kappa, 'not known')}`;
    }),
  );
  return [
    `${judges.length} judges on ${count} responses: Krippendorff's α ${agreementText(alpha, 'not known')}; ` +
      `weighted κ of ${pairs.join(', ')}`,
  ];
}
