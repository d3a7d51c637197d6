/** A policy file: which model answers, how it samples, and what it is told. */

import { z } from 'zod';
import type { ModelRef } from '../../core/call.ts';
import { type IssueDetail, modelRef } from '../../core/params.ts';
import { hasTemplate, renderPrompt } from '../../teacher-forcing/prompt.ts';
import { TEMPLATE_NAMES } from '../../teacher-forcing/templates.ts';
import { renderTemplate, templateText } from './template.ts';

export const policySchema = z
  .strictObject({
    model: modelRef(),
    /**
     * Names the policy's independent samples; part of every call's key. Two policies with the same model and prompt but
     * other draws are two samples. Keep it when the policy is renamed, and its answers are kept.
     */
    draw: z.string().min(1),
    temperature: z.number().min(0).max(2),
    top_p: z.number().gt(0).max(1).default(1),
    max_tokens: z.int().positive(),
    /** The system prompt; a model without one gets no system turn. */
    system: z.string().min(1).optional(),
    /** The user's turn, with `{{prompt}}` where the prompt goes. */
    prompt: templateText(['prompt']).default('{{prompt}}'),
  })
  .superRefine(({ model }, context) => {
    if (hasTemplate(model.dialect)) return;
    context.addIssue({
      code: 'custom',
      path: ['model'],
      message: 'a policy needs a model with a chat template, and this one has none',
      params: {
        id: 'CJE-CHAT-TEMPLATE',
        hint: `give it a 'template:' in the provider file: ${TEMPLATE_NAMES.join(', ')}, or the model's own tokenizer_config.json`,
      } satisfies IssueDetail,
    });
  });

type Policy = z.infer<typeof policySchema>;

/** What scoring a text that is there already depends on: nothing of how texts are sampled. */
export const scoringPolicySchema = policySchema.transform(
  ({ temperature: _temperature, top_p: _topP, max_tokens: _maxTokens, ...rest }) => rest,
);

export type ScoringPolicy = z.infer<typeof scoringPolicySchema>;

/** `policy`: each policy's own temperature; a number replaces it. */
export const temperatureSchema = z.union([z.literal('policy'), z.number().min(0).max(2)]).default('policy');

/** The policy as it samples: a temperature that is replaced decides nothing, and must not reach a key. */
export const sampledAt = (policy: Policy, temperature: z.infer<typeof temperatureSchema>): Policy =>
  temperature === 'policy' ? policy : { ...policy, temperature };

/** The prompt that both generation and forcing send: one template both ways, or the ratio is of two other things. */
export function renderPolicyPrompt(
  policy: Pick<Policy, 'model' | 'system' | 'prompt'>,
  prompt: string,
): ReturnType<typeof renderPrompt> {
  const system = policy.system === undefined ? [] : [{ role: 'system' as const, content: policy.system }];
  const user = { role: 'user' as const, content: renderTemplate(policy.prompt, { prompt }) };
  const { dialect } = policy.model as ModelRef;
  return renderPrompt(dialect, [...system, user], { bos: dialect.bos === 'prompt' });
}
