/**
 * A completions server with a tokenizer and a language model of its own, exactly known, that answers in the ways in which
 * real servers do. It shares no code with what it tests, nor with the simulator.
 */

import { BOS, CORPUS, END, MARKS, pieceTexts, tokenizer } from './tokenizer.ts';
import type { Ways } from './ways.ts';

export { BOS, END, tokenizer } from './tokenizer.ts';
export type { Ways } from './ways.ts';

/** What a model that thinks writes around its thoughts. Who opens them is the model, or the prompt. */
const THINKERS: Readonly<Record<string, { readonly opens: string; readonly closes: string; readonly next: string }>> = {
  thinker: { opens: '<think>', closes: '</think>', next: '\n\n' },
  opened: { opens: '', closes: '</think>', next: '\n\n' },
  channels: {
    opens: '<|channel|>analysis<|message|>',
    closes: '<|end|>',
    next: '<|start|>assistant<|channel|>final<|message|>',
  },
};

const vocabulary = new Set(pieceTexts);
const arePlain = tokenizer.pieces.map((piece) => piece.every((byte) => byte >= 0x20 && byte < 0x7f));

/** Which token follows which in the corpus. */
const following = new Set<string>();
{
  const ids = tokenizer.encode(CORPUS);
  for (let at = 0; at + 1 < ids.length; at++) following.add(`${ids[at]} ${ids[at + 1]}`);
}

/** A number in [0, 1) that any change of the text makes another. */
function noise(text: string): number {
  let state = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
  state = Math.imul(state ^ (state >>> 12), 0x297a2d39);
  return ((state ^ (state >>> 15)) >>> 0) / 2 ** 32;
}

/** Ends within a character, so that plain text would break it. */
const isHalf = (id: number): boolean => (tokenizer.pieces[id]?.at(-1) ?? 0) >= 0x80;

/** What is worked out once for each key: nearly all of the time of these tests went into the same numbers. */
function once<K, T>(known: { get(key: K): T | undefined; set(key: K, value: T): unknown }, key: K, make: () => T): T {
  let value = known.get(key);
  if (value === undefined) {
    value = make();
    known.set(key, value);
  }
  return value;
}

/** Log probabilities of every token after `previous`, for a model under a prompt. */
// A key of all three would be a long string, made and read whole for every token.
const laws = new Map<string, Map<string, Map<number, Float64Array>>>();
function lawAfter(model: string, prompt: string, previous: number): Float64Array {
  const ofModel = once(laws, model, () => new Map<string, Map<number, Float64Array>>());
  const ofPrompt = once(ofModel, prompt, () => new Map<number, Float64Array>());
  return once(ofPrompt, previous, () => newLaw(model, prompt, previous));
}

const noises = new Map<string, Float64Array>();
const noisesAfter = (text: string): Float64Array =>
  once(noises, text, () => Float64Array.from(tokenizer.pieces, (_, id) => noise(`${text} ${id}`)));

function newLaw(model: string, prompt: string, previous: number): Float64Array {
  const ofModel = noisesAfter(`${model} ${previous}`);
  const ofPrompt = noisesAfter(prompt);
  const logits = new Float64Array(tokenizer.pieces.length);
  for (let id = 0; id < logits.length; id++) {
    const own = ofModel[id]!;
    const follows = following.has(`${previous} ${id}`);
    // What follows in the corpus is likely, so that halves of characters are whole together; so is some plain text.
    const isPlain = arePlain[id]!;
    logits[id] = 2 * own + ofPrompt[id]! + (follows ? 9 : 0);
    if (isPlain && !isHalf(previous)) logits[id]! += own > 0.97 ? 8 : own > 0.9 ? 6 : 3;
    // What encoding would have made one token is sampled as two now and then, as real models do.
    if (isPlain && vocabulary.has(pieceTexts[previous]! + pieceTexts[id]!)) logits[id]! += 3;
    if (!isPlain && !follows) logits[id]! -= 5;
    if (tokenizer.isMark(id)) logits[id] = id === tokenizer.idOf(END) ? 6 : -20;
    if (id >= logits.length - MARKS.length && !isThinker(model)) logits[id] = Number.NEGATIVE_INFINITY;
  }
  const { forced, ends } = stepIn(model, prompt);
  if (forced !== undefined) logits[forced] = 30;
  if (ends !== undefined) [logits[ends], logits[tokenizer.idOf(END)]] = [11, -20];
  const most = Math.max(...logits);
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0)) + most;
  return logits.map((logit) => logit - total);
}

/** The weight of each token at a temperature, and their sum. */
interface Tempered {
  readonly weights: Float64Array;
  readonly total: number;
}

const heated = new WeakMap<Float64Array, Map<number, Tempered>>();
function temperedLaw(law: Float64Array, temperature: number): Tempered {
  const byTemperature = once<Float64Array, Map<number, Tempered>>(heated, law, () => new Map());
  return once(byTemperature, temperature, () => {
    const weights = law.map((value) => Math.exp(value / temperature));
    return { weights, total: weights.reduce((sum, weight) => sum + weight, 0) };
  });
}

const orders = new WeakMap<Float64Array, readonly number[]>();
const likeliestFirst = (law: Float64Array): readonly number[] =>
  once(orders, law, () => [...law.keys()].sort((a, b) => law[b]! - law[a]!));

/** What the step of a thinker's script says of the next token; other models follow none. */
function stepIn(model: string, prompt: string): { readonly forced?: number; readonly ends?: number } {
  const script = THINKERS[model];
  if (script === undefined) return {};
  const [phase, step] = prompt.split(' ').slice(1) as [string, string];
  const said = tokenizer.encode(phase === 'opens' ? script.opens : script.next);
  if (phase === 'opens' || phase === 'next') return { forced: said[Number(step)]! };
  return phase === 'thinks' ? { ends: tokenizer.idOf(script.closes) } : {};
}

/** Where the answer begins: behind the header of the assistant's turn. */
function answerStart(model: string, ids: readonly number[]): number {
  if (model === 'channels') {
    const header = [tokenizer.idOf('<|start|>'), ...tokenizer.encode('assistant')];
    return ids.findIndex((_, at) => header.every((id, index) => ids[at + index] === id)) + header.length;
  }
  const from = ids.lastIndexOf(tokenizer.idOf('<|header_end|>')) + 1;
  return THINKERS[model] === undefined ? from : from + tokenizer.encode('\n\n').length;
}

/** What a model is under at a place: its prompt, and how far it is in its script. */
function promptOf(model: string, ids: readonly number[]): string {
  const from = answerStart(model, ids);
  const own = noise(ids.slice(0, from).join(' ')).toFixed(8);
  const script = THINKERS[model];
  if (script === undefined) return own;
  const made = ids.slice(from);
  const [opens, next] = [script.opens, script.next].map((text) => tokenizer.encode(text).length) as [number, number];
  if (made.length < opens) return `${own} opens ${made.length}`;
  const closed = made.indexOf(tokenizer.idOf(script.closes));
  if (closed === -1) return `${own} thinks 0`;
  return made.length - closed - 1 < next ? `${own} next ${made.length - closed - 1}` : `${own} says 0`;
}

const isThinker = (model: string): boolean => THINKERS[model] !== undefined;

/** The law of the token at a place of a text; where the model thinks, it depends on how far it is. */
function lawsOf(model: string, ids: readonly number[]): (index: number) => Float64Array {
  const under = isThinker(model) ? undefined : promptOf(model, ids);
  return (index) => lawAfter(model, under ?? promptOf(model, ids.slice(0, index)), ids[index - 1]!);
}

/** The exact log probability of each of `ids`, null for the first. */
export function exactly(model: string, ids: readonly number[]): (number | null)[] {
  const lawAt = lawsOf(model, ids);
  return ids.map((id, index) => (index === 0 ? null : lawAt(index)[id]!));
}

/** log P(response ids | prompt text), the number that a forced row must have. */
export function exactLogprob(model: string, prompt: string, response: readonly number[], temperature = 1): number {
  const before = [tokenizer.idOf(BOS), ...tokenizer.encode(prompt)];
  const ids = [...before, ...response];
  const lawAt = lawsOf(model, ids);
  return response.reduce((sum, id, index) => {
    const law = lawAt(before.length + index);
    return sum + law[id]! / temperature - Math.log(temperedLaw(law, temperature).total);
  }, 0);
}

export const encode = (text: string): number[] => tokenizer.encode(text);
export const isEnd = (id: number | undefined): boolean => id === tokenizer.idOf(END);

interface Body {
  readonly model?: unknown;
  readonly prompt?: unknown;
  readonly n?: unknown;
  readonly max_tokens?: unknown;
  readonly temperature?: unknown;
  readonly echo?: unknown;
  readonly logprobs?: unknown;
  readonly return_token_ids?: unknown;
  readonly input_ids?: unknown;
  readonly logprob_start_len?: unknown;
  readonly top_logprobs_num?: unknown;
}

export type Answer = { readonly status: number; readonly body: Record<string, unknown> };

/** Answers a request by its path; the draw makes each sample its own. */
export function answerAt(path: string, body: Body, draw: string, ways: Ways = {}): Answer {
  if (!path.endsWith('/generate')) return answerCompletions(body, draw, ways);
  return ways.generate === 'absent' ? { status: 404, body: { detail: 'Not Found' } } : answerGenerate(body, ways);
}

/** Entry 0 has no value, whatever is before it. */
function answerGenerate(
  { model, input_ids: ids, logprob_start_len: asked, top_logprobs_num: top }: Body,
  { show = 'replaced', generate: way, wrong, takesIds }: Ways,
): Answer {
  const begin = tokenizer.idOf(BOS);
  let sent = [...(ids as number[])];
  if (takesIds === 'refused') return refusal('input_ids is not supported');
  if (takesIds === 'decoded') sent = [begin, ...tokenizer.encode(allText(sent.slice(1)))];
  if (wrong === 'cut-left') sent = [begin, ...sent.slice(-40)];
  if (wrong === 'cut-right') sent = sent.slice(0, 60);
  const start = way === 'from-0' ? 0 : Number(asked) + (way === 'one-late' ? 1 : 0);
  const values = spoilt(exactly(String(model), sent), wrong, sent.length);
  const texts = textsOf(sent, show);
  const entries = sent.map((id, at) => [at === start ? null : values[at], id, texts[at]]).slice(start);
  return {
    status: 200,
    body: {
      text: '',
      meta_info: {
        id: 'x',
        finish_reason: { type: 'length', length: 0 },
        prompt_tokens: sent.length,
        completion_tokens: 0,
        cached_tokens: 0,
        input_token_logprobs: entries,
        ...(top === undefined
          ? {}
          : {
              input_top_logprobs: likeliestAlong(String(model), sent, Number(top), 1)
                .map((told, at) => (at === start ? null : told && Object.values(told).map((value) => [value, 0, null])))
                .slice(start),
            }),
      },
    },
  };
}

/** Several choices where several are asked for. */
function answerCompletions(body: Body, draw: string, ways: Ways): Answer {
  const [first, ...others] = Array.from({ length: Number(body.n ?? 1) }, (_, index) =>
    answerCompletion(body, index === 0 ? draw : `${draw} ${index}`, ways),
  );
  const choices = [first!, ...others].flatMap(({ body: { choices: each } }) => (Array.isArray(each) ? each : []));
  return first!.status === 200 ? { ...first!, body: { ...first!.body, choices } } : first!;
}

/** Answers a completion. */
function answerCompletion(body: Body, draw: string, ways: Ways = {}): Answer {
  const {
    show = 'replaced',
    shape = 'lists',
    ids: place = 'choice',
    takesIds = 'yes',
    bos = 'once',
    extra = 'none',
  } = ways;
  const model = String(body.model);
  let asked = Number(body.max_tokens ?? 16);
  if (asked === 0 && extra === 'refuses-zero') return refusal('max_tokens must be at least 1, got 0.');
  if (asked === 0 && extra === 'one') asked = 1;
  const begin = tokenizer.idOf(BOS);
  let sent: number[];
  if (typeof body.prompt === 'string') {
    const front = bos === 'never' ? [] : bos === 'twice' ? [begin, begin] : [begin];
    sent = [...front, ...tokenizer.encode(body.prompt)];
  } else if (takesIds === 'refused') return refusal('prompt must be a string');
  else {
    sent = [...(body.prompt as number[])];
    if (takesIds === 'decoded') sent = [begin, ...tokenizer.encode(allText(sent.slice(1)))];
  }
  if (ways.wrong === 'cut-left') sent = [begin, ...sent.slice(-40)];
  if (ways.wrong === 'cut-right') sent = sent.slice(0, 60);
  if (sent.length + asked > (ways.window ?? Number.POSITIVE_INFINITY)) {
    sent = [begin, ...sent.slice(-Math.max(1, ways.window! - asked - 1))];
  }
  const generated = generate(model, sent, asked, Number(body.temperature ?? 1), draw);
  const ended = isEnd(generated.at(-1));
  const kept = ended && ways.end === 'dropped' ? generated.slice(0, -1) : generated;
  const echo = body.echo === true && ways.echo !== 'ignored';
  const all = [...sent, ...kept];
  let values = exactly(model, [...sent, ...generated]).slice(0, all.length);
  if (echo) values = spoilt(values, ways.wrong, sent.length);
  else if (ways.wrong === 'base-2-both') values = spoilt(values, 'base-2', sent.length);
  const shown = textsOf(all, show);
  const hides = bos === 'hidden' || bos === 'left-out';
  if (hides && sent[0] === begin) shown[0] = '';
  const from = echo ? (bos === 'left-out' && sent[0] === begin ? 1 : 0) : sent.length;
  const spoil = ways.wrong === 'base-2-both' ? Math.LN2 : 1;
  const alternatives =
    Number(body.logprobs ?? 0) > 1 && ways.top !== 'none'
      ? likeliestAlong(model, all, ways.top === 'one' ? 1 : Number(body.logprobs), spoil)
      : undefined;
  const part = (start: number, end: number) => partOf(all, values, shown, { start, end, shape, place, alternatives });
  const returnsIds = body.return_token_ids === true && place === 'choice';
  const separate = shape === 'separate' && echo;
  return {
    status: 200,
    body: {
      id: 'cmpl-1',
      object: 'text_completion',
      model,
      ...(separate ? { prompt: [{ text: String(body.prompt), logprobs: part(from, sent.length) }] } : {}),
      choices: [
        {
          index: 0,
          text: (echo && !separate ? tokenizer.decode(sent) : '') + tokenizer.decode(kept),
          finish_reason: ended ? 'stop' : 'length',
          logprobs: body.logprobs === undefined ? null : part(separate ? sent.length : from, all.length),
          ...(returnsIds ? { token_ids: kept, prompt_token_ids: sent } : {}),
        },
      ],
      ...(ways.usage === 'none' ? {} : { usage: { prompt_tokens: sent.length, completion_tokens: generated.length } }),
    },
  };
}

/** The likeliest tokens at each place of a text, null for the first. */
export function likeliestAlong(model: string, ids: readonly number[], count: number, divisor: number) {
  const lawAt = lawsOf(model, ids);
  return ids.map((_, index) => {
    if (index === 0) return null;
    const law = lawAt(index);
    const order = likeliestFirst(law).slice(0, count);
    return Object.fromEntries(order.map((id) => [`token_id:${id}`, law[id]! / divisor]));
  });
}

const refusal = (message: string): Answer => ({ status: 400, body: { error: { message } } });
const allText = (ids: readonly number[]): string => Buffer.concat(ids.map((id) => tokenizer.pieces[id]!)).toString();

export function generate(
  model: string,
  sent: readonly number[],
  most: number,
  temperature: number,
  draw: string,
): number[] {
  const made: number[] = [];
  const under = isThinker(model) ? undefined : promptOf(model, sent);
  for (let step = 0; step < most; step++) {
    const all = under === undefined ? [...sent, ...made] : [];
    const law = lawAfter(model, under ?? promptOf(model, all), made.at(-1) ?? sent.at(-1)!);
    const id = temperature === 0 ? law.indexOf(Math.max(...law)) : drawn(law, temperature, noise(`${draw} ${step}`));
    made.push(id);
    if (isEnd(id)) break;
  }
  return made;
}

function drawn(law: Float64Array, temperature: number, chance: number): number {
  const { weights, total } = temperedLaw(law, temperature);
  let left = chance * total;
  for (let id = 0; id < weights.length; id++) {
    left -= weights[id]!;
    if (left <= 0) return id;
  }
  return weights.length - 1;
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

export function textsOf(ids: readonly number[], show: NonNullable<Ways['show']>): string[] {
  const decode = (bytes: Uint8Array) => utf8.decode(bytes);
  const isText = (piece: Buffer) => Buffer.from(decode(piece)).equals(piece);
  const escapes = (piece: Buffer, open: string, close: string) =>
    [...piece].map((byte) => `${open}${byte.toString(16).padStart(2, '0')}${close}`).join('');
  let pending = Buffer.alloc(0);
  const ways: Readonly<Record<typeof show, (piece: Buffer, id: number) => string>> = {
    named: (_, id) => `token_id:${id}`,
    replaced: (piece) => decode(piece),
    hidden: (piece) => [...decode(piece)].filter((letter) => letter !== '\ufffd').join(''),
    latin1: (piece) => (decode(piece).includes('\ufffd') ? piece.toString('latin1') : decode(piece)),
    pieces: (piece, id) => (tokenizer.isMark(id) ? decode(piece) : [...piece].map((byte) => LETTERS[byte]).join('')),
    bytes: (piece) => (isText(piece) ? decode(piece) : `bytes:${escapes(piece, '\\x', '')}`),
    sentencepiece: (piece) => (isText(piece) ? decode(piece).replaceAll(' ', '\u2581') : escapes(piece, '<0x', '>')),
    deferred: (piece) => {
      const joined = Buffer.concat([pending, piece]);
      const whole = decode(joined);
      pending = whole.endsWith('\ufffd') ? joined : Buffer.alloc(0);
      return whole.endsWith('\ufffd') ? '' : whole;
    },
  };
  return ids.map((id) => ways[show](tokenizer.pieces[id]!, id));
}

const LETTERS = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const own = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCodePoint(own ? byte : next++);
  });
})();

function partOf(
  ids: readonly number[],
  values: readonly (number | null)[],
  shown: readonly string[],
  {
    start,
    end,
    shape,
    place,
    alternatives,
  }: {
    start: number;
    end: number;
    shape: Ways['shape'];
    place: Ways['ids'];
    alternatives: readonly (Record<string, number> | null)[] | undefined;
  },
): Record<string, unknown> {
  const range = <T>(list: readonly T[]) => list.slice(start, end);
  if (shape === 'content') {
    return {
      content: range(ids).map((id, at) => ({
        token: shown[start + at],
        logprob: values[start + at] ?? 0,
        bytes: [...tokenizer.pieces[id]!],
        token_id: id,
      })),
    };
  }
  return {
    tokens: range(shown),
    token_logprobs: range(values),
    text_offset: range(ids).map(() => -1),
    top_logprobs: alternatives === undefined ? null : range(alternatives),
    ...(place === 'logprobs' ? { token_ids: range(ids) } : {}),
  };
}

function spoilt(values: (number | null)[], wrong: Ways['wrong'], sent: number): (number | null)[] {
  const change = (of: (value: number, index: number) => number | null) =>
    values.map((value, index) => (value === null ? null : of(value, index)));
  switch (wrong) {
    case 'shifted':
      return [...values.slice(1), -1];
    case 'shifted-null':
      return [null, ...values.slice(2), -1];
    case 'base-2':
    case 'base-2-both':
      return change((value) => value / Math.LN2);
    case 'scaled':
      return change((value) => 1.7 * value);
    case 'probability':
      return change((value) => -Math.exp(value));
    case 'offset':
      return change((value) => value - 0.5);
    case 'zeros':
      return change(() => 0);
    case 'zeros-tail':
      return change((value, index) => (index >= sent * 0.85 ? 0 : value));
    case 'nulls':
      return change((value, index) => (index < sent * 0.3 ? null : value));
    case 'positive':
      return change((value) => value + 12);
    case 'clamped':
      return change((value, index) => (index % 9 === 5 ? -9999 : value));
    default:
      return values;
  }
}
