/** Kind `scores`: a judge scores every response of one policy. */

import { z } from 'zod';
import { type CallsKind, ROWS, type RowGenerator } from '../core/kind.ts';
import { yamlFile } from '../core/params.ts';
import { RESPONSES, SCORES } from '../datasets/row-types.ts';
import { promptItem, type ResponseRow, type ScoreRow } from '../datasets/rows.ts';
import { expectedVerdicts, judgeResponse, judgeSchema } from './files/judge.ts';

const params = z.strictObject({
  judge: yamlFile(judgeSchema).describe('The judge that scores the responses.'),
  replicate: z.int().min(0).default(0).describe("Which repetition of the judging this is; part of every call's key."),
});
type ScoresParams = z.infer<typeof params>;

export const scores: CallsKind<ScoresParams, ResponseRow> = {
  name: 'scores',
  about: 'a judge scores every response of one policy',
  shape: 'calls',
  params,
  inputs: { responses: { arity: 'one', rows: [RESPONSES] } },
  outputs: { [ROWS]: SCORES },
  measures: [{ column: 'score', label: 'score', scale: 'unit', drawn: true, compared: true }],
  item: promptItem,

  expect({ judge }, sizes) {
    const items = sizes.one('responses');
    return { items, calls: [expectedVerdicts(judge, items)] };
  },

  items: (_, inputs) => inputs.one('responses').rows(RESPONSES),

  *row({ prompt_id, prompt, response, status, draw_index }, { judge, replicate }): RowGenerator {
    // In the order of canonical JSON, which is how rows are written.
    const without = (status: string, model: string | null): ScoreRow => ({
      ...(draw_index === undefined ? {} : { draw_index }),
      model,
      prompt_id,
      score: null,
      status,
      variance: null,
    });
    if (status !== 'ok' || response === null) return without('no_response', null);
    const verdict = yield* judgeResponse(judge, { prompt, response }, replicate);
    if (verdict.status !== 'ok') return without(verdict.status, verdict.model);
    const { score, variance, model } = verdict;
    return { ...without('ok', model), score, variance };
  },
};
