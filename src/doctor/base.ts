/**
 * To which base are the server's logarithms? What generation and forcing share shows in the probabilities of a place alone,
 * which must come to 1: those of its likeliest tokens, or where none are named, those of the tokens that it is seen to draw.
 */

import type { ModelRef, Request } from '../core/call.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { EchoedTokens, Message } from '../core/protocol.ts';
import { openaiChat } from '../protocols/openai-chat/chat.ts';
import { textProtocolOf } from '../protocols/text-protocols.ts';
import { baseOf, baseOfDraws, type Draw, type Place } from '../teacher-forcing/base.ts';
import type { ProbeDialect } from './dialect.ts';
import { type Check, check, type Probe, type RowResult } from './probe.ts';

/** Tokens of an answer whose alternatives are looked at. */
const BASE_TOKENS = 192;
/** Alternatives at each place: no more are given by the strictest server that gives several. */
const ALTERNATIVES = 5;
/** First tokens of as many answers to one prompt. */
const DRAWS = 64;

const OF_NO_USE = 'such log probabilities are of no use: another server is needed, vLLM, SGLang, Fireworks';

type Sampling = Request<{ readonly echo?: EchoedTokens }>;

export function* examineBase(generated: readonly RowResult[], { ref }: ProbeDialect): Probe<Check | undefined> {
  const asked = generated
    .map(({ exchanges }) => exchanges.at(-1)?.request.body)
    .filter((body): body is JsonObject => body !== undefined);
  const places: Place[] = [];
  for (const { alternatives } of asked.flatMap((body) => baseRequests(ref, body) ?? [])) {
    const answer = yield alternatives;
    const found = answer.ok ? placesOf(alternatives, answer.raw) : [];
    // A server that names no other tokens once names none.
    if (found.length === 0) break;
    places.push(...found);
  }
  const named = baseOf(places);
  return checkOf(named === 'unknown' ? yield* baseByDraws(ref, asked) : named);
}

function* baseByDraws(ref: ModelRef, asked: readonly JsonObject[]): Probe<ReturnType<typeof baseOf>> {
  const places: Draw[][] = [];
  for (const { draws } of asked.flatMap((body) => baseRequests(ref, body) ?? [])) {
    const answer = yield draws;
    const found = answer.ok ? drawsOf(draws, answer.raw) : [];
    // A server that gives one answer where many are asked for gives no more.
    if (found.length < DRAWS) break;
    places.push(found);
  }
  return baseOfDraws(places);
}

function checkOf(base: ReturnType<typeof baseOf>): Check {
  switch (base) {
    case 'e':
      return check('base', 'ok', 'natural logarithms: the probabilities of a place come to 1');
    case '2':
      return check('base', 'failure', 'base 2: the values are logarithms to another base than e', OF_NO_USE);
    case '10':
      return check('base', 'failure', 'base 10: the values are logarithms to another base than e', OF_NO_USE);
    case 'none':
      return check('base', 'failure', 'scaled: the values are no logarithms of probabilities', OF_NO_USE);
    case 'unknown':
      return check('base', 'note', 'the reply has too few alternatives to tell the base of its logarithms');
  }
}

/** The same prompt as in `body`: with the likeliest tokens of each place, and its first token many times; of neither API none. */
export function baseRequests(
  ref: ModelRef,
  body: JsonObject,
): { readonly alternatives: Sampling; readonly draws: Sampling } | undefined {
  const { prompt, messages } = body;
  const many = { ...ref, dialect: { ...ref.dialect, extra: { ...ref.dialect.extra, n: DRAWS } } };
  const plain = { temperature: 1, topP: 1 };
  const whole = { ...plain, maxTokens: BASE_TOKENS, logprobs: ALTERNATIVES };
  const first = { ...plain, maxTokens: 1, logprobs: 1 };
  if (typeof prompt === 'string') {
    const { complete } = textProtocolOf(ref);
    return {
      alternatives: complete(ref, { prompt, ...whole }, 'base'),
      draws: complete(many, { prompt, ...first }, 'base'),
    };
  }
  if (messages === undefined) return undefined;
  const said = openaiChat
    .textsOf(body)
    .texts.map(({ name, text }): Message => ({ role: name as Message['role'], content: text }));
  return {
    alternatives: openaiChat.form(ref, whole)(said, 'base'),
    draws: openaiChat.form(many, first)(said, 'base'),
  };
}

function placesOf({ decode }: Sampling, raw: JsonObject): Place[] {
  const decoded = decode(raw);
  if (!decoded.ok || decoded.value.echo === undefined) return [];
  const { likeliest = [], tokenLogprobs } = decoded.value.echo;
  return likeliest.flatMap((values, index): Place[] => {
    const sampled = tokenLogprobs[index];
    return values === null || values.length === 0 || typeof sampled !== 'number'
      ? []
      : [{ likeliest: values, sampled }];
  });
}

/** The first token of each choice. */
function drawsOf({ decode }: Sampling, raw: JsonObject): Draw[] {
  const choices: readonly unknown[] = Array.isArray(raw.choices) ? raw.choices : [];
  return choices.filter(isJsonObject).flatMap((choice): Draw[] => {
    const decoded = decode({ ...raw, choices: [choice] });
    const { tokens = [], tokenLogprobs = [] } = (decoded.ok ? decoded.value.echo : undefined) ?? {};
    const [[token], [value]] = [tokens, tokenLogprobs];
    return token === undefined || typeof value !== 'number' ? [] : [{ token: `${token} ${value}`, value }];
  });
}
