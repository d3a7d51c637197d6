/** Responses whose text does not stand for what was sampled: nothing is asked for them, and the row says why. */

import { expect, it } from 'vitest';
import { logprobs } from '../../src/kinds/logprobs.ts';
import { drive, LOGPROB_ROW, policyOf, ref } from './forced-rows.ts';

it.each([
  ['spells out a control token', 'Yes.<|eot|>', 'special_token_in_text'],
  ['holds part of a character', 'Yes \ufffd', 'cut_character'],
])('a response that %s is not forced by its text', (_, response, status) => {
  const row = { prompt_id: 'p0', prompt: 'Why?', response, status: 'ok', draw_index: 0, model: 'base' };
  const params = { policy: policyOf(ref({ forcing: 'text' })), passes: 1, replicate: 0 };
  const { row: made, requests } = drive(logprobs.row(row as never, params), {}, 'x');
  expect([LOGPROB_ROW.parse(made), requests]).toMatchObject([{ status, logprob: null }, []]);
});
