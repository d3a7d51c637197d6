/** Kind `logprobs`: the log probability of the logger's responses under one policy, by teacher forcing. */

import { z } from 'zod';
import { ask } from '../core/call.ts';
import { type CallsKind, ROWS, type RowGenerator } from '../core/kind.ts';
import { yamlFile } from '../core/params.ts';
import { LOGPROBS, RESPONSES } from '../datasets/row-types.ts';
import { type LogprobRow, promptItem, type ResponseRow, roughTokens, TYPICAL } from '../datasets/rows.ts';
import { forcedText } from '../protocols/openai-completions/completions.ts';
import { alignEcho } from '../teacher-forcing/align.ts';
import { chatTemplate } from '../teacher-forcing/templates.ts';
import { renderPolicyPrompt, scoringPolicySchema } from './files/policy.ts';

const params = z.strictObject({
  policy: yamlFile(scoringPolicySchema).describe('The policy under which the responses are measured.'),
  passes: z
    .int()
    .min(1)
    .max(20)
    .default(1)
    .describe("Independent measurements; their mean is the row's value, their spread is reported."),
  replicate: z.int().min(0).default(0).describe("The number of the first pass; part of every call's key."),
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

  expect({ policy, passes }, sizes) {
    const items = sizes.one('responses');
    const inputTokens = roughTokens(policy.system ?? '') + TYPICAL.promptTokens + TYPICAL.responseTokens;
    const { model } = policy;
    const { echoTokens } = model.dialect;
    const calls = [
      { model, calls: items * passes, inputTokens, outputTokens: echoTokens, outputTokensAtMost: echoTokens },
    ];
    return { items, calls };
  },

  items: (_, inputs) => inputs.one('responses').rows(RESPONSES),

  /**
   * One call a pass holds prompt and response; the response's part of the echo is summed. Never a difference of two
   * calls. The token that ends a response is not scored, under any policy.
   */
  *row({ prompt_id, prompt, response, status }, { policy, passes, replicate }): RowGenerator {
    const without = (reason: string): LogprobRow => ({
      prompt_id,
      status: reason,
      logprob: null,
      tokens: null,
      spread: null,
      model: null,
    });
    if (status !== 'ok' || response === null) return without('no_response');
    const rendered = renderPolicyPrompt(policy, prompt);
    if (rendered.status !== 'ok') return without(rendered.status);
    const { dialect } = policy.model;
    const values: number[] = [];
    let tokens = 0;
    let model: string | null = null;
    for (let pass = 0; pass < passes; pass++) {
      const draw = `${policy.draw}/${replicate + pass}`;
      const answer = yield* ask(forcedText(policy.model, rendered.prompt + response, draw));
      if (!answer.ok) return without(answer.failure.reason);
      const aligned = alignEcho(answer.reply.echo, rendered.prompt, response, {
        bosToken: chatTemplate(dialect.template)?.bos ?? null,
        extraTokens: dialect.echoTokens,
      });
      if (aligned.status !== 'ok') return { ...without(aligned.status), model: answer.reply.model };
      values.push(aligned.logprob);
      tokens = aligned.tokens;
      model = answer.reply.model;
    }
    const logprob = values.reduce((sum, value) => sum + value, 0) / passes;
    const squares = values.reduce((sum, value) => sum + (value - logprob) ** 2, 0);
    const spread = passes === 1 ? null : Math.sqrt(squares / (passes - 1));
    return { ...without('ok'), logprob, tokens, spread, model };
  },
};
