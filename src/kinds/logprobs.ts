/** Kind `logprobs`: the log probability of the logger's responses under one policy, by teacher forcing. */

import { z } from 'zod';
import { digestText } from '../core/digest.ts';
import { type CallsKind, ROWS, type RowGenerator } from '../core/kind.ts';
import { yamlFile } from '../core/params.ts';
import { isUsable } from '../core/summary.ts';
import { LOGPROBS, RESPONSES } from '../datasets/row-types.ts';
import {
  type GenerationCheck,
  type LogprobRow,
  promptItem,
  type ResponseRow,
  roughTokens,
  TYPICAL,
} from '../datasets/rows.ts';
import { openaiChat } from '../protocols/openai-chat/chat.ts';
import { sglangGenerate } from '../protocols/sglang-generate/generate.ts';
import { textProtocolOf } from '../protocols/text-protocols.ts';
import { isPlain, isRecoverable } from '../teacher-forcing/as-sampled.ts';
import { samplingSchema, scoringPolicySchema, temperatureSchema } from './files/policy.ts';
import { forceOnce } from './forcing/force.ts';
import type { ForcibleRow, Sampling } from './forcing/valued.ts';

const params = z.strictObject({
  policy: yamlFile(scoringPolicySchema).describe('The policy under which the responses are measured.'),
  passes: z
    .int()
    .min(1)
    .max(20)
    .default(1)
    .describe("Independent measurements; their mean is the row's value, their spread is reported."),
  replicate: z.int().min(0).default(0).describe("The number of the first pass; part of every call's key."),
  sample: z
    .int()
    .positive()
    .optional()
    .describe('So many of the responses alone, of those whose tokens were kept: a check of the forcing against them.'),
  sampled: yamlFile(samplingSchema)
    .optional()
    .describe(
      'The policy file once more: values are then of the temperature or the top_p that it samples at, with an error bound, and weights are exact.',
    ),
  temperature: temperatureSchema
    .optional()
    .describe('With `sampled`: the temperature that `responses` has in place of the policy’s own.'),
  alternatives: z
    .int()
    .min(2)
    .max(1000)
    .optional()
    .describe(
      'With `sampled`: how many of the likeliest tokens to ask for at each place, 20 unless told; more make the bound tighter.',
    ),
});
type LogprobsParams = z.infer<typeof params>;

export const logprobs: CallsKind<LogprobsParams, ResponseRow> = {
  name: 'logprobs',
  about: "the log probability of the logger's responses under one policy",
  shape: 'calls',
  params,
  inputs: { responses: { arity: 'one', rows: [RESPONSES] } },
  outputs: { [ROWS]: LOGPROBS },
  measures: [{ column: 'logprob', label: 'log probability', scale: 'nats', drawn: true }],
  item: promptItem,
  check: (_, inputs) =>
    inputs('responses')
      .filter(({ params }) => Number(params.draws ?? 1) > 1)
      .map(({ name }) => ({
        at: { input: 'responses' },
        message: `the log is one answer a prompt, and '${name}' gives several draws`,
        hint: 'Let the logger answer once: remove its `draws:`.',
      })),

  expect({ policy, passes, sample }, sizes) {
    const { model } = policy;
    const { echoTokens, forcing } = model.dialect;
    const all = sizes.one('responses');
    const items = sample === undefined ? all : forcing === undefined ? 0 : Math.min(sample, all);
    const promptTokens = roughTokens(policy.system ?? '') + TYPICAL.promptTokens;
    const isChat = policy.api === 'chat';
    const asked = isChat
      ? { outputTokens: 1, outputTokensAtMost: 1, path: openaiChat.path }
      : { outputTokens: echoTokens, outputTokensAtMost: echoTokens, path: textProtocolOf(model).path };
    const outputs = { ...asked, echoes: true as const };
    const paths = {
      generate: sglangGenerate.path,
      ids: textProtocolOf(model).path,
      text: asked.path,
      chat: asked.path,
    };
    const forced = { ...outputs, path: paths[forcing ?? 'text'] };
    const calls = [
      { model, calls: items * passes, inputTokens: promptTokens + TYPICAL.responseTokens, ...forced },
      // The ids of a prompt are asked for before those of a response can be joined to them.
      ...(forcing === 'ids' || forcing === 'generate' || forcing === 'chat'
        ? [{ model, calls: items, inputTokens: promptTokens, ...outputs }]
        : []),
    ];
    return { items, calls };
  },

  items({ sample }, inputs) {
    const rows = inputs.one('responses').rows(RESPONSES);
    return sample === undefined ? rows : checkable(rows, sample);
  },

  /**
   * One call a pass holds prompt and response; the response's part of the echo is summed. Never a difference of two
   * calls. The token that ends a response is not scored, under any policy.
   */
  *row(item, { policy, passes, replicate, ...rest }): RowGenerator {
    const without = (status: string): LogprobRow => ({
      prompt_id: item.prompt_id,
      status,
      logprob: null,
      tokens: null,
      spread: null,
      model: null,
    });
    if (!isForcible(item)) return without('no_response');
    const law = lawOf(rest);
    const values: number[] = [];
    const asSampled: { readonly raw: number; readonly bound: number }[] = [];
    let tokens = 0;
    let model: string | null = null;
    let check: GenerationCheck | undefined;
    for (let pass = 0; pass < passes; pass++) {
      const forced = yield* forceOnce(item, policy, `${policy.draw}/${replicate + pass}`, law);
      check ??= forced.check;
      if (!('logprob' in forced)) {
        return { ...without(forced.status), model: forced.model, ...(check === undefined ? {} : { check }) };
      }
      values.push(forced.logprob);
      if (forced.asSampled !== undefined) asSampled.push(forced.asSampled);
      tokens = forced.tokens;
      model = forced.model;
    }
    const logprob = values.reduce((sum, value) => sum + value, 0) / passes;
    const squares = values.reduce((sum, value) => sum + (value - logprob) ** 2, 0);
    const spread = passes === 1 ? null : Math.sqrt(squares / (passes - 1));
    return {
      ...without('ok'),
      logprob,
      tokens,
      spread,
      model,
      ...(check === undefined ? {} : { check }),
      ...(law === undefined ? {} : { as_sampled: sampledRow(law, asSampled) }),
    };
  },
};

const ALTERNATIVES = 20;

/** Undefined where values at temperature 1 are those of the policy, or cannot be made so. */
function lawOf({
  sampled,
  temperature = 'policy',
  alternatives = ALTERNATIVES,
}: Pick<LogprobsParams, 'sampled' | 'temperature' | 'alternatives'>): Sampling | undefined {
  if (sampled === undefined) return undefined;
  const law = { temperature: temperature === 'policy' ? sampled.temperature : temperature, topP: sampled.top_p };
  return isPlain(law) || !isRecoverable(law) ? undefined : { ...law, alternatives };
}

function sampledRow(
  { temperature, topP }: Sampling,
  passes: readonly { readonly raw: number; readonly bound: number }[],
): NonNullable<LogprobRow['as_sampled']> {
  const raw = passes.reduce((sum, each) => sum + each.raw, 0) / passes.length;
  return { temperature, top_p: topP, raw, bound: Math.max(...passes.map(({ bound }) => bound)) };
}

const isForcible = (row: ResponseRow): row is ForcibleRow => isUsable(row.status) && row.response !== null;

/** Responses whose tokens were kept, chosen by the digest of their prompt's id: the same ones in every build. */
function checkable(rows: Iterable<ResponseRow>, most: number): ResponseRow[] {
  const found = [...rows].filter((row) => isForcible(row) && row.sampled !== undefined);
  const order = new Map(found.map((row) => [row, digestText(row.prompt_id)]));
  return found.sort((a, b) => ((order.get(a) ?? '') < (order.get(b) ?? '') ? -1 : 1)).slice(0, most);
}
