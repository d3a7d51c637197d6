/** Kind `responses`: one policy answers every prompt. */

import { z } from 'zod';
import { ask } from '../core/call.ts';
import { type CallsKind, ROWS, type RowGenerator } from '../core/kind.ts';
import { yamlFile } from '../core/params.ts';
import { PROMPTS, RESPONSES } from '../datasets/row-types.ts';
import { type PromptRow, promptItem, type ResponseRow, roughTokens, TYPICAL, usageRow } from '../datasets/rows.ts';
import { textProtocolOf } from '../protocols/text-protocols.ts';
import { policySchema, renderPolicyPrompt, sampledAt, temperatureSchema } from './files/policy.ts';
import { authorOf, sampledTokens } from './forcing/sampled.ts';

const params = z
  .strictObject({
    policy: yamlFile(policySchema).describe('The policy that answers.'),
    temperature: temperatureSchema.describe('The sampling temperature.'),
    replicate: z
      .int()
      .min(0)
      .default(0)
      .describe("Which repetition of the whole node this is; part of every call's key."),
  })
  .transform((given) => ({ ...given, policy: sampledAt(given.policy, given.temperature) }));
type ResponsesParams = z.infer<typeof params>;

export const responses: CallsKind<ResponsesParams, PromptRow> = {
  name: 'responses',
  about: 'one policy answers every prompt',
  shape: 'calls',
  params,
  inputs: { prompts: { arity: 'one', rows: [PROMPTS] } },
  outputs: { [ROWS]: RESPONSES },
  item: promptItem,

  expect({ policy }, sizes) {
    const items = sizes.one('prompts');
    const inputTokens = roughTokens(policy.system ?? '') + roughTokens(policy.prompt) + TYPICAL.promptTokens;
    const outputTokens = Math.min(policy.max_tokens, TYPICAL.responseTokens);
    const { model, max_tokens: outputTokensAtMost } = policy;
    return { items, calls: [{ model, calls: items, inputTokens, outputTokens, outputTokensAtMost }] };
  },

  items: (_, inputs) => inputs.one('prompts').rows(PROMPTS),

  *row({ prompt_id, prompt }, { policy, temperature: override, replicate }): RowGenerator {
    const temperature = override === 'policy' ? policy.temperature : override;
    const { top_p } = policy;
    const without = (status: string): ResponseRow => ({
      prompt_id,
      prompt,
      status,
      response: null,
      finish_reason: null,
      model: null,
      temperature,
      top_p,
      usage: null,
    });
    const rendered = renderPolicyPrompt(policy, prompt);
    if (rendered.status !== 'ok') return without(rendered.status);
    const keepsTokens = policy.model.dialect.forcing !== undefined;
    const request = textProtocolOf(policy.model).complete(
      policy.model,
      {
        prompt: rendered.prompt,
        maxTokens: policy.max_tokens,
        temperature,
        topP: top_p,
        ...(keepsTokens ? { logprobs: 1, returnTokenIds: true } : {}),
      },
      `${policy.draw}/${replicate}`,
    );
    const answer = yield* ask(request);
    if (!answer.ok) return without(answer.failure.reason);
    const { reply, usage } = answer;
    const sampled = keepsTokens ? sampledTokens(reply, authorOf(policy.model, rendered.prompt)) : undefined;
    return {
      ...without(reply.text === '' ? 'empty_response' : 'ok'),
      response: reply.text === '' ? null : reply.text,
      finish_reason: reply.finishReason,
      model: reply.model,
      usage: usageRow(usage),
      ...(reply.tokenIds === undefined ? {} : { token_ids: reply.tokenIds }),
      ...(reply.promptTokenIds === undefined ? {} : { prompt_token_ids: reply.promptTokenIds }),
      ...(sampled === undefined ? {} : { sampled }),
    };
  },
};
