/** A policy file: which model answers, how it samples, and what it is told. */

import { z } from 'zod';
import type { ModelRef } from '../../core/call.ts';
import { type IssueDetail, modelRef } from '../../core/params.ts';
import type { Turn } from '../../datasets/conversation.ts';
import type { PromptRow } from '../../datasets/rows.ts';
import { hasTemplate, renderPrompt } from '../../teacher-forcing/prompt.ts';
import { TEMPLATE_NAMES } from '../../teacher-forcing/templates.ts';
import { renderTemplate, templateText } from './template.ts';

/** What a policy samples at where nothing is said: every chat API's own. */
export const USUAL_TEMPERATURE = 1;

export const policySchema = z
  .strictObject({
    /**
     * `completions`: prompts as texts, by the model's chat template, of which log probabilities can be measured. `chat`:
     * messages, which any chat model takes.
     */
    api: z.enum(['chat', 'completions']).optional(),
    model: modelRef(),
    /**
     * Names the policy's independent samples; part of every call's key. Two policies with the same model and prompt but
     * other draws are two samples. Keep it when the policy is renamed, and its answers are kept.
     */
    draw: z.string().min(1),
    /** Of a chat policy it may be left out: the server's own is then taken. */
    temperature: z.number().min(0).max(2).optional(),
    top_p: z.number().gt(0).max(1).default(1),
    max_tokens: z.int().positive(),
    /** The system prompt; a model without one gets no system turn. */
    system: z.string().min(1).optional(),
    /** The user's turn, with `{{prompt}}` where the prompt goes. */
    prompt: templateText(['prompt']).default('{{prompt}}'),
    /** How long a reasoning model may think, in its server's words; for chat alone. */
    reasoning_effort: z.string().min(1).optional(),
  })
  .superRefine(({ api, model, temperature, reasoning_effort }, context) => {
    const complain = (path: string, message: string, detail: IssueDetail = {}) =>
      context.addIssue({ code: 'custom', path: [path], message, params: detail });
    if (api === 'chat') {
      if (reasoning_effort !== undefined && model.protocol !== undefined) {
        complain('reasoning_effort', `is no setting of ${model.protocol}`, {
          hint: "write what it takes under the model's `extra:` in the provider file",
        });
      }
      return;
    }
    if (model.dialect.forcing === 'chat') {
      complain('model', "its 'forcing: chat' is of messages, and this policy sends a rendered prompt", {
        id: 'CJE-CHAT-POLICY',
        hint: "add `api: chat` to the policy, or give the model 'forcing: ids' in the provider file",
      });
    }
    if (temperature === undefined) {
      complain('temperature', 'must be given: what is measured later is of this temperature', {
        hint: 'such as `temperature: 1`; with `api: chat` it may be left out',
      });
    }
    if (reasoning_effort !== undefined) {
      complain('reasoning_effort', 'is a setting of chat models', { hint: 'add `api: chat`' });
    }
    if (model.protocol !== undefined) {
      complain(
        'model',
        `this model speaks ${model.protocol}, which takes no raw prompt and tells no log probabilities`,
        {
          id: 'CJE-CHAT-TEMPLATE',
          hint: 'write `api: chat`, or name a model of an OpenAI-compatible server',
        },
      );
      return;
    }
    if (hasTemplate(model.dialect)) return;
    complain('model', 'a policy needs a model with a chat template, and this one has none', {
      id: 'CJE-CHAT-TEMPLATE',
      hint:
        `for a chat model write \`api: chat\`; to measure log probabilities give the model a 'template:' in the ` +
        `provider file: ${TEMPLATE_NAMES.join(', ')}, or the model's own tokenizer_config.json`,
    });
  });

export type Policy = z.infer<typeof policySchema>;

/** What scoring a text that is there already depends on: nothing of how texts are sampled. */
export const scoringPolicySchema = policySchema
  .superRefine(({ api, model, reasoning_effort }, context) => {
    if (api !== 'chat') return;
    const { forcing } = model.dialect;
    const complain = (path: string, message: string, hint: string) =>
      context.addIssue({
        code: 'custom',
        path: [path],
        message,
        params: { id: 'CJE-CHAT-POLICY', hint, ofStage: true } satisfies IssueDetail,
      });
    if (model.protocol !== undefined || !keepsTokensOfMessages(model)) {
      complain(
        'api',
        'a chat policy has no log probabilities: chat servers do not score a text that they are given',
        'remove the stage and evaluate directly, or let the policy speak `api: completions`; of vLLM the model may have ' +
          "'forcing: ids' or 'forcing: chat' in the provider file",
      );
    } else if (forcing === 'chat' && reasoning_effort !== undefined) {
      complain(
        'reasoning_effort',
        'a model that thinks cannot be forced by its messages: templates leave thoughts out of them',
        "give the model 'forcing: ids' in the provider file",
      );
    }
  })
  .transform(({ temperature: _temperature, top_p: _topP, max_tokens: _maxTokens, ...rest }) => rest);

/** Whether answers to messages are kept token by token: who forces them so asks for their ids, and no other server has them. */
export const keepsTokensOfMessages = ({ dialect: { forcing } }: ModelRef): boolean =>
  forcing === 'ids' || forcing === 'chat';

/** How a policy samples, and nothing else of it. */
export const samplingSchema = policySchema.transform(({ temperature, top_p }) => ({
  temperature: temperature ?? USUAL_TEMPERATURE,
  top_p,
}));

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

/**
 * The messages that a chat policy sends: its own system text before the conversation's, and its template around the last
 * turn of the user.
 */
export function chatMessages(
  policy: Pick<Policy, 'system' | 'prompt'>,
  { prompt, messages }: Pick<PromptRow, 'prompt' | 'messages'>,
): readonly Turn[] {
  const turns = messages ?? [{ role: 'user' as const, content: prompt }];
  const asked = turns.findLastIndex(({ role }) => role === 'user');
  const written = turns.map((turn, index) =>
    index === asked ? { ...turn, content: renderTemplate(policy.prompt, { prompt: turn.content }) } : turn,
  );
  if (policy.system === undefined) return written;
  const [first, ...rest] = written;
  // Many servers take one system turn and no more.
  if (first?.role === 'system') return [{ role: 'system', content: `${policy.system}\n\n${first.content}` }, ...rest];
  return [{ role: 'system', content: policy.system }, ...written];
}
