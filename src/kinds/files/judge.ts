/** A judge or an oracle: a model that is shown a prompt and a response and answers with a score from 0 to 10. */

import { z } from 'zod';
import { type Answer, ask, type Request } from '../../core/call.ts';
import { modelRef, textFile } from '../../core/params.ts';
import type { ChatProtocol, ChatReply } from '../../core/protocol.ts';
import { roughTokens, TYPICAL } from '../../datasets/rows.ts';
import { chatProtocolOf } from '../../protocols/chat-protocols.ts';
import { jsonSchemaOf } from '../../protocols/json-schema.ts';
import { checkPlaceholders, renderQuoted } from './template.ts';

const PLACEHOLDERS = ['prompt', 'response'] as const;

export const judgeSchema = z.strictObject({
  model: modelRef(),
  temperature: z.number().min(0).max(2).default(0),
  max_tokens: z.int().positive(),
  /** Markdown with `{{prompt}}` and `{{response}}`. */
  template: textFile().superRefine((text, context) => checkPlaceholders(text, PLACEHOLDERS, context)),
  /** `score`: one number. `interval`: a score with its 95 % interval. */
  output: z.enum(['score', 'interval']),
  /** How often an unparseable reply is asked for again, the first time included. */
  attempts: z.int().min(1).max(5).default(2),
});
type Judge = z.infer<typeof judgeSchema>;

/** A verdict on the unit scale. */
type JudgeScore =
  | { readonly status: 'ok'; readonly score: number; readonly variance: number; readonly model: string | null }
  | { readonly status: VerdictFailure; readonly model: string | null };
type VerdictFailure =
  /** The reply is not the JSON that was asked for. */
  | 'unparseable'
  /** A number outside 0–10, or an interval upside down. */
  | 'out_of_range'
  /** The judge declined, by words or by filter. */
  | 'refused'
  | 'filtered'
  | 'empty_response'
  /** Another model answered than the one that was asked. */
  | 'wrong_model'
  | 'context_overflow'
  | 'rejected'
  | 'malformed_reply';

const scoreReply = z.object({ score: z.number() });
const intervalReply = z.object({ score: z.number(), ci_lower: z.number(), ci_upper: z.number() });
const SCHEMAS = {
  score: { name: 'score', schema: jsonSchemaOf(scoreReply) },
  interval: { name: 'score_with_interval', schema: jsonSchemaOf(intervalReply) },
} as const;

/** The scale that the judge is asked to use. */
const SCALE = 10;
/** Standard deviations between the ends of a 95 % interval. */
const WIDTH_95 = 3.92;

/**
 * Asks for a verdict on one response, again while the reply cannot be read. Equal rendered requests are one call,
 * whichever policy wrote the response.
 *
 * @param replicate which repetition of the judging this is.
 */
export function* judgeResponse(
  judge: Judge,
  item: { readonly prompt: string; readonly response: string },
  replicate: number,
): Generator<Request, JudgeScore, Answer<unknown>> {
  const request = formOf(judge);
  const messages = [{ role: 'user' as const, content: renderQuoted(judge.template, item) }];
  let verdict: JudgeScore = { status: 'unparseable', model: null };
  for (let attempt = 0; attempt < judge.attempts; attempt++) {
    const draw = attempt === 0 ? `${replicate}` : `${replicate}+${attempt}`;
    const answer = yield* ask(request(messages, draw));
    verdict = answer.ok ? readVerdict(answer.reply, judge.output) : { status: answer.failure.reason, model: null };
    if (verdict.status !== 'unparseable') return verdict;
  }
  return verdict;
}

/** What is the same in all requests of a judge is made once; a node has one judge for all of its items. */
function formOf(judge: Judge): ReturnType<ChatProtocol['form']> {
  let form = forms.get(judge);
  if (form === undefined) {
    const { max_tokens: maxTokens, temperature, output } = judge;
    form = chatProtocolOf(judge.model).form(judge.model, { maxTokens, temperature, jsonSchema: SCHEMAS[output] });
    forms.set(judge, form);
  }
  return form;
}

const forms = new WeakMap<Judge, ReturnType<ChatProtocol['form']>>();

/** Reads a judge's reply. A score of 1 is 1 of 10: 0.1 on the unit scale, whatever else it looks like. */
function readVerdict(reply: ChatReply, output: Judge['output']): JudgeScore {
  const { model } = reply;
  if (reply.refusal !== null) return { status: 'refused', model };
  if (reply.finishReason === 'content_filter') return { status: 'filtered', model };
  let json: unknown;
  try {
    json = JSON.parse(reply.content ?? '');
  } catch {
    return { status: 'unparseable', model };
  }
  if (output === 'score') {
    const parsed = scoreReply.safeParse(json);
    if (!parsed.success) return { status: 'unparseable', model };
    const { score } = parsed.data;
    if (!onScale(score)) return { status: 'out_of_range', model };
    return { status: 'ok', score: score / SCALE, variance: 0, model };
  }
  const parsed = intervalReply.safeParse(json);
  if (!parsed.success) return { status: 'unparseable', model };
  const { score, ci_lower, ci_upper } = parsed.data;
  if (![score, ci_lower, ci_upper].every(onScale) || ci_lower > ci_upper) return { status: 'out_of_range', model };
  // An interval that leaves its own score out is widened to hold it.
  const width = (Math.max(ci_upper, score) - Math.min(ci_lower, score)) / SCALE;
  const mean = score / SCALE;
  // No variable on [0, 1] with this mean varies more than a Bernoulli one.
  const variance = Math.min((width / WIDTH_95) ** 2, mean * (1 - mean));
  return { status: 'ok', score: mean, variance, model };
}

const onScale = (value: number) => value >= 0 && value <= SCALE;

/** What `count` verdicts should take, before there is data. */
export function expectedVerdicts(judge: Judge, count: number) {
  const inputTokens = roughTokens(judge.template) + TYPICAL.promptTokens + TYPICAL.responseTokens;
  const outputTokens = judge.output === 'score' ? 8 : 24;
  return { model: judge.model, calls: count, inputTokens, outputTokens, outputTokensAtMost: judge.max_tokens };
}
