/** `/completions` of the world: generation, and the log probabilities of texts that are already there. */

import type { Json, JsonObject } from '../../core/json.ts';
import { leaningOf, levelLaw, ORACLE_MODEL } from './policy.ts';
import { taskOf } from './prompt.ts';
import { type Call, errorReply, type Reply } from './reply.ts';
import { type LevelLaw, type Point, START } from './sentence-model.ts';
import { chanceOfCall, type SentPrompt, type World } from './world.ts';

/** What servers generate when nobody says how much. */
const DEFAULT_TOKENS = 16;
/** The beginning of text, for a prompt whose template names no other. */
const BEGINNING = '<|begin_of_text|>';

interface Settings {
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly stop: readonly string[];
  readonly echo: boolean;
  readonly logprobs: boolean;
  readonly tokenIds: boolean;
}

export function completionReply(world: World, call: Call): Reply {
  if (call.model === ORACLE_MODEL) {
    return errorReply(404, null, 'This is a chat model and not supported in the v1/completions endpoint.');
  }
  const settings = settingsOf(call.body);
  if (typeof settings === 'string') return errorReply(400, null, settings);
  const prompts = promptsOf(call.body.prompt);
  if (prompts === undefined) return errorReply(400, null, 'prompt must be a text, token ids, or a list of either');

  const choices: JsonObject[] = [];
  let promptTokens = 0;
  let completionTokens = 0;
  for (const [index, prompt] of prompts.entries()) {
    const sent = world.read(prompt);
    if (sent === undefined) return errorReply(400, null, 'prompt holds a token id that is not in the vocabulary');
    const prefix = typeof prompt === 'string' ? beginning(world, sent) : [];
    const size = prefix.length + sent.tokens.length;
    if (size + settings.maxTokens > world.config.contextTokens) {
      return errorReply(
        400,
        'context_length_exceeded',
        `This model's maximum context length is ${world.config.contextTokens} tokens. ` +
          `You asked for ${size + settings.maxTokens}: ${size} in the prompt, ${settings.maxTokens} for the completion.`,
      );
    }
    const law = lawOf(world, call.model, sent, settings);
    const generated = generate(world, call, sent, law.sampling, settings, index);
    promptTokens += size;
    completionTokens += generated.tokens.length;
    choices.push(choiceOf(world, { sent, prefix, law: law.scoring, generated, settings, index }));
  }
  return {
    status: 200,
    body: {
      id: `cmpl-${call.digest}`,
      object: 'text_completion',
      created: 0,
      model: call.model,
      choices,
      usage: {
        prompt_tokens: promptTokens,
        completion_tokens: completionTokens,
        total_tokens: promptTokens + completionTokens,
      },
    },
  };
}

function settingsOf(body: JsonObject): Settings | string {
  const maxTokens = body.max_tokens ?? body.max_completion_tokens ?? DEFAULT_TOKENS;
  const temperature = body.temperature ?? 1;
  const topP = body.top_p ?? 1;
  const stop = typeof body.stop === 'string' ? [body.stop] : (body.stop ?? []);
  if (!Number.isInteger(maxTokens) || (maxTokens as number) < 0) return 'max_tokens must be a whole number, 0 or more';
  if (typeof temperature !== 'number' || temperature < 0 || temperature > 2) return 'temperature must be from 0 to 2';
  if (typeof topP !== 'number' || topP <= 0 || topP > 1) return 'top_p must be above 0 and at most 1';
  if (!Array.isArray(stop) || !stop.every((text) => typeof text === 'string' && text !== '')) {
    return 'stop must be a text or a list of texts';
  }
  if (body.stream === true) return 'streaming is not supported';
  return {
    maxTokens: maxTokens as number,
    temperature,
    topP,
    stop,
    echo: body.echo === true,
    logprobs: body.logprobs === true || typeof body.logprobs === 'number',
    tokenIds: body.return_token_ids === true,
  };
}

function promptsOf(prompt: Json | undefined): (string | number[])[] | undefined {
  if (typeof prompt === 'string') return [prompt];
  if (!Array.isArray(prompt) || prompt.length === 0) return undefined;
  const list = prompt as Json[];
  const areIds = (value: Json): value is number[] =>
    Array.isArray(value) && value.length > 0 && value.every((id) => Number.isInteger(id));
  if (areIds(list)) return [list];
  return list.every((member) => typeof member === 'string' || areIds(member))
    ? (list as (string | number[])[])
    : undefined;
}

/** The server begins every text itself, whether or not the text already does. Ids it takes as they are. */
function beginning(world: World, { template }: SentPrompt): number[] {
  const token = template === undefined ? BEGINNING : template.bos;
  return token === null ? [] : [world.tokenizer.idOf(token)];
}

/** Generation follows the sampling settings; scores are those of temperature 1, as servers' are. */
function lawOf(
  { config }: World,
  model: string,
  sent: SentPrompt,
  settings: Settings,
): { sampling: LevelLaw; scoring: LevelLaw } {
  const task = taskOf(sent.user, config);
  const leaning = leaningOf(model, sent.system, config, { templated: sent.template !== undefined });
  return {
    sampling: { task, levels: levelLaw(leaning, task, config, settings) },
    scoring: { task, levels: levelLaw(leaning, task, config) },
  };
}

interface Generated {
  readonly tokens: readonly number[];
  readonly text: string;
  readonly finishReason: 'stop' | 'length';
}

function generate(
  { speech, tokenizer }: World,
  call: Call,
  sent: SentPrompt,
  law: LevelLaw,
  { maxTokens, stop }: Settings,
  index: number,
): Generated {
  let point: Point = START;
  for (let at = sent.responseToken; at < sent.tokens.length; at++) point = speech.after(point, sent.tokens[at]!, law);
  const chance = chanceOfCall(call.text, `${call.key}/${index}`);
  const tokens: number[] = [];
  let text = '';
  while (tokens.length < maxTokens) {
    const token = speech.draw(point, law, chance);
    if (token === null) return { tokens, text, finishReason: 'stop' };
    tokens.push(token);
    text += tokenizer.show(token);
    point = speech.after(point, token, law);
    if (stop.length === 0) continue;
    const cut = Math.min(...stop.map((mark) => text.indexOf(mark)).filter((at) => at !== -1));
    if (Number.isFinite(cut)) return { tokens, text: text.slice(0, cut), finishReason: 'stop' };
  }
  // Servers look for the end only when they may generate another token.
  return { tokens, text, finishReason: 'length' };
}

function choiceOf(
  world: World,
  parts: {
    readonly sent: SentPrompt;
    readonly prefix: readonly number[];
    readonly law: LevelLaw;
    readonly generated: Generated;
    readonly settings: Settings;
    readonly index: number;
  },
): JsonObject {
  const { sent, prefix, generated, settings, index } = parts;
  const promptIds = [...prefix, ...sent.tokens];
  return {
    index,
    text: (settings.echo ? sent.text : '') + generated.text,
    finish_reason: generated.finishReason,
    logprobs: settings.logprobs ? logprobsOf(world, parts) : null,
    ...(settings.tokenIds ? { token_ids: generated.tokens, prompt_token_ids: promptIds } : {}),
  };
}

function logprobsOf(
  { speech, tokenizer }: World,
  {
    sent,
    prefix,
    law,
    generated,
    settings,
  }: {
    readonly sent: SentPrompt;
    readonly prefix: readonly number[];
    readonly law: LevelLaw;
    readonly generated: Generated;
    readonly settings: Settings;
  },
): JsonObject {
  const response = [...sent.tokens.slice(sent.responseToken), ...generated.tokens];
  const scores: (number | null)[] = speech.logProbabilities(response, law);
  let ids: readonly number[] = generated.tokens;
  if (settings.echo) {
    // What a user may have typed is a matter of indifference: any text is as likely as another.
    const elsewhere = Math.log(1 / tokenizer.size);
    const before = prefix.length + sent.responseToken;
    ids = [...prefix, ...sent.tokens, ...generated.tokens];
    scores.unshift(...new Array<number>(before).fill(elsewhere));
    if (scores.length > 0) scores[0] = null;
  } else scores.splice(0, scores.length - generated.tokens.length);
  const tokens = ids.map((id) => tokenizer.show(id));
  const offsets: number[] = [];
  let offset = 0;
  for (const token of tokens) {
    offsets.push(offset);
    offset += token.length;
  }
  return { tokens, token_logprobs: scores, top_logprobs: null, text_offset: offsets, token_ids: ids };
}
