/** Kind `responses`: one policy answers every prompt. */

import { z } from 'zod';
import { ask } from '../core/call.ts';
import { type CallsKind, ROWS, type RowGenerator } from '../core/kind.ts';
import { yamlFile } from '../core/params.ts';
import type { ChatProtocol, CompletionReply } from '../core/protocol.ts';
import { OK, TRUNCATED } from '../core/summary.ts';
import { PROMPTS, RESPONSES } from '../datasets/row-types.ts';
import { type PromptRow, promptItem, type ResponseRow, roughTokens, TYPICAL, usageRow } from '../datasets/rows.ts';
import { chatProtocolOf } from '../protocols/chat-protocols.ts';
import { textProtocolOf } from '../protocols/text-protocols.ts';
import {
  chatMessages,
  keepsTokensOfMessages,
  type Policy,
  policySchema,
  renderPolicyPrompt,
  sampledAt,
  temperatureSchema,
  USUAL_TEMPERATURE,
} from './files/policy.ts';
import { losesMarks, withoutThoughts, withoutThoughtsAfter } from './files/thoughts.ts';
import { withMarks } from './forcing/marks.ts';
import { authorOf, authorOfMessages, sampledTokens } from './forcing/sampled.ts';

const params = z
  .strictObject({
    policy: yamlFile(policySchema).describe('The policy that answers.'),
    temperature: temperatureSchema.describe('The sampling temperature.'),
    draws: z
      .int()
      .min(1)
      .max(100)
      .default(1)
      .describe('How often each prompt is answered. A higher number asks for the further answers alone.'),
    replicate: z
      .int()
      .min(0)
      .default(0)
      .describe("Which repetition of the whole node this is; part of every call's key."),
  })
  .transform((given) => ({ ...given, policy: sampledAt(given.policy, given.temperature) }));
type ResponsesParams = z.infer<typeof params>;

type ResponseItem = PromptRow & { readonly draw_index?: number };

export const responses: CallsKind<ResponsesParams, ResponseItem> = {
  name: 'responses',
  about: 'one policy answers every prompt',
  again: 'To answer several times write `draws:` under its params.',
  shape: 'calls',
  params,
  inputs: { prompts: { arity: 'one', rows: [PROMPTS] } },
  outputs: { [ROWS]: RESPONSES },
  item: promptItem,

  expect({ policy, draws }, sizes) {
    const items = sizes.one('prompts') * draws;
    const inputTokens = roughTokens(policy.system ?? '') + roughTokens(policy.prompt) + TYPICAL.promptTokens;
    const outputTokens = Math.min(policy.max_tokens, TYPICAL.responseTokens);
    const { model, max_tokens: outputTokensAtMost } = policy;
    const path = (policy.api === 'chat' ? chatProtocolOf(model) : textProtocolOf(model)).path;
    return { items, calls: [{ model, calls: items, inputTokens, outputTokens, outputTokensAtMost, path }] };
  },

  *items({ draws }, inputs) {
    for (const row of inputs.one('prompts').rows(PROMPTS)) {
      if (draws === 1) yield row;
      else for (let draw_index = 0; draw_index < draws; draw_index++) yield { ...row, draw_index };
    }
  },

  *row(item, { policy, temperature: override, replicate }): RowGenerator {
    const { prompt_id, prompt, messages, reference, columns } = item;
    const temperature = override === 'policy' ? policy.temperature : override;
    const without = (status: string): ResponseRow => ({
      prompt_id,
      prompt,
      status,
      response: null,
      finish_reason: null,
      model: null,
      temperature: temperature ?? USUAL_TEMPERATURE,
      top_p: policy.top_p,
      usage: null,
      ...(item.draw_index === undefined ? {} : { draw_index: item.draw_index }),
      ...(messages === undefined ? {} : { messages }),
      ...(reference === undefined ? {} : { reference }),
      ...(columns === undefined ? {} : { columns }),
    });
    const draw = `${policy.draw}/${replicate + (item.draw_index ?? 0)}`;
    if (policy.api === 'chat') return yield* chatRow(item, policy, temperature, draw, without);
    const rendered = renderPolicyPrompt(policy, prompt);
    if (rendered.status !== 'ok') return without(rendered.status);
    const keepsTokens = policy.model.dialect.forcing !== undefined;
    const request = textProtocolOf(policy.model).complete(
      policy.model,
      {
        prompt: rendered.prompt,
        maxTokens: policy.max_tokens,
        temperature: temperature ?? USUAL_TEMPERATURE,
        topP: policy.top_p,
        ...(keepsTokens ? { logprobs: 1, returnTokenIds: true } : {}),
      },
      draw,
    );
    const answer = yield* ask(request);
    if (!answer.ok) return without(answer.failure.reason);
    const { reply, usage } = answer;
    const marked = withMarks(reply);
    const isCut = reply.finishReason === 'length';
    const told = {
      finish_reason: reply.finishReason,
      model: reply.model,
      usage: usageRow(usage),
      ...keptTokens(reply, keepsTokens ? authorOf(policy.model, rendered.prompt) : undefined),
    };
    if (losesMarks(rendered.prompt, marked, isCut)) return { ...without('unmarked_thoughts'), ...told };
    const spoken = withoutThoughtsAfter(rendered.prompt, marked, reply.reasoning ?? null);
    // A text that lacks its marks stands for no tokens.
    const said = { ...spoken, ...(marked === reply.text ? { written: marked } : {}) };
    return spokenRow(without, told, spoken.answer === marked ? { ...said, answer: reply.text } : said);
  },
};

type Told = Pick<ResponseRow, 'finish_reason' | 'model' | 'usage' | 'token_ids' | 'prompt_token_ids' | 'sampled'>;

/** What a reply tells of its tokens; those that were sampled only where they are to be forced again. */
function keptTokens(
  reply: Parameters<typeof sampledTokens>[0] & Pick<CompletionReply, 'promptTokenIds'>,
  author: string | undefined,
): Pick<Told, 'token_ids' | 'prompt_token_ids' | 'sampled'> {
  const sampled = author === undefined ? undefined : sampledTokens(reply, author);
  return {
    ...(reply.tokenIds === undefined ? {} : { token_ids: reply.tokenIds }),
    ...(reply.promptTokenIds === undefined ? {} : { prompt_token_ids: reply.promptTokenIds }),
    ...(sampled === undefined ? {} : { sampled }),
  };
}

/** What a policy thought is kept beside its answer, and is no part of it. */
function spokenRow(
  without: (status: string) => ResponseRow,
  told: Told,
  {
    written,
    answer,
    thoughts,
  }: { readonly written?: string; readonly answer: string; readonly thoughts: string | null },
): ResponseRow {
  const apart = thoughts === null || thoughts === '' ? {} : { thoughts };
  if (answer.trim() === '') return { ...without('empty_response'), ...told, ...apart };
  return {
    ...without(wholeOrCut(told.finish_reason)),
    ...told,
    ...apart,
    response: answer,
    ...(written === undefined || written === answer ? {} : { generated: written }),
  };
}

/** The row of a policy that speaks chat. */
function* chatRow(
  item: ResponseItem,
  policy: Policy,
  temperature: number | undefined,
  draw: string,
  without: (status: string) => ResponseRow,
): RowGenerator {
  const messages = chatMessages(policy, item);
  const keepsTokens = keepsTokensOfMessages(policy.model);
  const answer = yield* ask(chatOf(policy, temperature)(messages, draw));
  if (!answer.ok) return without(answer.failure.reason);
  const { reply, usage } = answer;
  const content = reply.content ?? '';
  const { answer: response, thoughts } = withoutThoughts(content, reply.reasoning);
  const told = {
    finish_reason: reply.finishReason,
    model: reply.model,
    usage: usageRow(usage),
    ...keptTokens({ ...reply, text: content }, keepsTokens ? authorOfMessages(policy.model, messages) : undefined),
  };
  return spokenRow(without, told, {
    answer: response,
    thoughts,
    ...(reply.reasoning === null ? { written: content } : {}),
  });
}

const wholeOrCut = (finishReason: string | null): string => (finishReason === 'length' ? TRUNCATED : OK);

/** What is the same in all requests of a policy is made once. */
function chatOf(policy: Policy, temperature: number | undefined): ReturnType<ChatProtocol['form']> {
  let form = forms.get(policy);
  if (form === undefined) {
    form = chatProtocolOf(policy.model).form(policy.model, {
      maxTokens: policy.max_tokens,
      ...(temperature === undefined ? {} : { temperature }),
      // Some servers take a temperature or a top_p, and not both; 1 says nothing.
      ...(policy.top_p === 1 ? {} : { topP: policy.top_p }),
      ...(policy.reasoning_effort === undefined ? {} : { reasoningEffort: policy.reasoning_effort }),
      ...(keepsTokensOfMessages(policy.model) ? { logprobs: 0, returnTokenIds: true } : {}),
    });
    forms.set(policy, form);
  }
  return form;
}

const forms = new WeakMap<Policy, ReturnType<ChatProtocol['form']>>();
