/** Kind `scores`: a judge scores every response of one policy. */

import { z } from 'zod';
import { type CallsKind, type Inputs, ROWS, type RowGenerator, type WiringFault } from '../core/kind.ts';
import { yamlFile } from '../core/params.ts';
import { isUsable } from '../core/summary.ts';
import { RESPONSES, SCORES } from '../datasets/row-types.ts';
import { drawName, promptItem, type ResponseRow, type ScoreRow } from '../datasets/rows.ts';
import { scaleField } from '../datasets/scale.ts';
import { comparePair, expectedVerdicts, judgeResponse } from './files/judge.ts';
import { columnFaults } from './files/judge-columns.ts';
import { judgeSchema } from './files/judge-file.ts';

const params = z.strictObject({
  judge: yamlFile(judgeSchema).describe('The judge that scores the responses.'),
  replicate: z.int().min(0).default(0).describe("Which repetition of the judging this is; part of every call's key."),
});
type ScoresParams = z.infer<typeof params>;

/** A response, and for a comparison the one that it is shown beside. */
type ScoreItem = ResponseRow & { readonly other?: string | null };

export const scores: CallsKind<ScoresParams, ScoreItem> = {
  name: 'scores',
  about: 'a judge scores every response of one policy',
  again: 'To judge several times write `draws:` in the judge file.',
  shape: 'calls',
  params,
  inputs: {
    responses: { arity: 'one', rows: [RESPONSES] },
    against: { arity: 'optional', rows: [RESPONSES] },
  },
  outputs: { [ROWS]: SCORES },
  measures: [{ column: 'score', label: 'score', scale: 'unit', drawn: true, compared: true }],
  item: promptItem,

  check({ judge }, inputs) {
    const faults: WiringFault[] = [...columnFaults(judge, ['judge'], inputs('responses'))];
    const pairwise = judge.output === 'pairwise';
    if (pairwise && inputs('against').length === 0) {
      faults.push({
        at: { param: ['judge', 'output'] },
        message: 'a pairwise judge compares with another policy, and the input `against` is missing',
        hint: 'Add `against: responses/NAME` under `inputs:`, the policy that all are compared with.',
      });
    }
    if (!pairwise && inputs('against').length > 0) {
      faults.push({
        at: { input: 'against' },
        message: 'the input `against` is of pairwise judges, and this one looks at each response alone',
        hint: 'Remove it, or write `output: pairwise` in the judge file.',
      });
    }
    return faults;
  },

  expect({ judge }, sizes) {
    const items = sizes.one('responses');
    return { items, calls: [expectedVerdicts(judge, items)] };
  },

  items: scoreItems,

  *row(item, { judge, replicate }): RowGenerator {
    const { prompt_id, response, status, draw_index, other } = item;
    // In the order of canonical JSON, which is how rows are written.
    const without = (status: string, model: string | null): ScoreRow => ({
      ...(draw_index === undefined ? {} : { draw_index }),
      model,
      prompt_id,
      // A comparison's score is the chance to win, whatever its scale would be.
      ...(judge.output === 'pairwise' ? {} : scaleField(judge.scale)),
      score: null,
      status,
      variance: null,
    });
    if (!isUsable(status) || response === null) return without('no_response', null);
    if (judge.output === 'pairwise') {
      if (other === undefined || other === null) return without('no_response_to_compare', null);
      // A text is as good as itself, and no judge need be asked.
      if (other === response) return { ...without('ok', null), score: 0.5, variance: 0, orders: [0.5, 0.5] };
    }
    const verdict =
      judge.output === 'pairwise'
        ? yield* comparePair(judge, { ...item, response }, other ?? '', replicate)
        : yield* judgeResponse(judge, { ...item, response }, replicate);
    if (verdict.status !== 'ok') return without(verdict.status, verdict.model);
    const { model, status: _, ...said } = verdict;
    return { ...without('ok', model), ...said };
  },
};

function* scoreItems({ judge }: ScoresParams, inputs: Inputs): Iterable<ScoreItem> {
  if (judge.output !== 'pairwise') {
    yield* inputs.one('responses').rows(RESPONSES);
    return;
  }
  const others = new Map<string, string | null>();
  for (const row of inputs.one('against').rows(RESPONSES)) {
    others.set(drawName(row.prompt_id, row.draw_index), row.response);
    if ((row.draw_index ?? 0) === 0) others.set(row.prompt_id, row.response);
  }
  for (const row of inputs.one('responses').rows(RESPONSES)) {
    // Where the other answered less often, its first answer stands for the missing ones.
    const other = others.get(drawName(row.prompt_id, row.draw_index)) ?? others.get(row.prompt_id) ?? null;
    yield { ...row, other };
  }
}
