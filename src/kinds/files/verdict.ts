/** Reads a judge's reply: tolerantly, and never guessing between two numbers. */

import type { PermanentFailure } from '../../core/call.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { ChatReply } from '../../core/protocol.ts';
import { repeatedKey } from '../../core/repeated-key.ts';
import type { ScoreRow } from '../../datasets/rows.ts';
import { type Judge, scaleOf } from './judge-file.ts';
import { withoutThoughts } from './thoughts.ts';
import { AFTER, BEFORE, REASONS_HERE, type VerdictForm } from './verdict-form.ts';
import { isShownAfter, refusesInProse, scoresInProse, winnersInProse } from './verdict-prose.ts';

/** A verdict on the unit scale. */
export type JudgeScore =
  | (Pick<ScoreRow, 'model' | 'rationale' | 'criteria' | 'draws' | 'orders' | 'repaired'> & {
      readonly status: 'ok';
      readonly score: number;
      readonly variance: number;
    })
  | { readonly status: VerdictFailure; readonly model: string | null };

type VerdictFailure =
  /** The reply is not what was asked for, and nothing in it says one number. */
  | 'unparseable'
  /** A number outside the scale, or an interval upside down. */
  | 'out_of_range'
  /** The row lacks a text that the template asks for. */
  | 'missing_column'
  | PermanentFailure['reason'];

/** Standard deviations between the ends of a 95 % interval. */
const WIDTH_95 = 3.92;

export function readVerdict(reply: ChatReply, judge: Judge, form: VerdictForm): JudgeScore {
  const { model } = reply;
  const content = reply.content ?? '';
  const { answer } = withoutThoughts(content);
  const found = judge.read === 'text' ? numberInText(answer, judge) : objectIn(answer, judge, form);
  if (found === undefined) return { status: 'unparseable', model };
  const repaired = found.repaired || answer !== content;
  const verdict = scored(found.fields, judge);
  if (verdict === undefined) return { status: 'out_of_range', model };
  const rationale = rationaleOf(found.fields, judge, answer);
  return {
    status: 'ok',
    ...verdict,
    model,
    ...(rationale === undefined ? {} : { rationale }),
    ...(repaired ? { repaired: true } : {}),
  };
}

interface Found {
  readonly fields: JsonObject;
  readonly repaired: boolean;
}

/** The one object of the reply that is a verdict; undefined for none, and for two that say different things. */
function objectIn(text: string, judge: Judge, { reply }: VerdictForm): Found | undefined {
  const verdict = (value: unknown): Found | undefined => {
    if (!isJsonObject(value) || value[BEFORE] === REASONS_HERE || value[AFTER] === REASONS_HERE) return undefined;
    if (reply.safeParse(value).success) return { fields: value, repaired: false };
    const mended = withNumbers(value, judge);
    return reply.safeParse(mended).success ? { fields: mended, repaired: true } : undefined;
  };
  const whole = parsed(text);
  if (whole === AMBIGUOUS) return undefined;
  if (whole !== undefined) {
    if (isJsonObject(whole)) return verdict(whole);
    // A bare number where an object with one was asked for.
    const alone = judge.output === 'score' && !Array.isArray(whole) ? numberOf(whole) : undefined;
    return alone === undefined ? undefined : { fields: { score: alone }, repaired: true };
  }
  const objects = objectsIn(text);
  if (objects.some(({ value }) => value === AMBIGUOUS)) return undefined;
  const inside = objects.flatMap(({ value, from }) => {
    const one = verdict(value);
    return one === undefined ? [] : [{ ...one, from }];
  });
  const [first] = inside;
  if (first === undefined || inside.every(({ from }) => isShownAfter(text.slice(0, from)))) return undefined;
  const said = new Set(inside.map(({ fields }) => JSON.stringify(scored(fields, judge) ?? null)));
  const prose = outside(text, objects);
  if (said.size > 1 || refusesInProse(prose) || saysOther(prose, first.fields, judge)) return undefined;
  return { fields: first.fields, repaired: true };
}

/** Whether the words beside the JSON put another verdict forward. */
function saysOther(prose: string, { score, winner }: JsonObject, { output }: Judge): boolean {
  if (output === 'pairwise') return winnersInProse(prose).some((name) => name !== winner);
  return (output === 'score' || output === 'interval') && scoresInProse(prose).some((number) => number !== score);
}

/** Stands for an object with two values of one name, of which nobody knows which is meant. */
const AMBIGUOUS = Symbol('two values of one name');

/** Undefined for what is not JSON. */
function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return repeatedKey(text) === undefined ? value : AMBIGUOUS;
  } catch {
    return undefined;
  }
}

interface Inside {
  readonly value: unknown;
  readonly from: number;
  readonly to: number;
}

const outside = (text: string, objects: readonly Inside[]): string =>
  objects.reduceRight((left, { from, to }) => `${left.slice(0, from)}\n${left.slice(to)}`, text);

/** Every JSON object that stands in a text, fenced or in prose, outermost ones alone. */
function objectsIn(text: string): Inside[] {
  const found: Inside[] = [];
  let from = text.indexOf('{');
  while (from !== -1) {
    const to = endOfObject(text, from);
    const value = to === undefined ? undefined : parsed(text.slice(from, to));
    if (to !== undefined && value !== undefined) found.push({ value, from, to });
    from = text.indexOf('{', value === undefined ? from + 1 : to);
    // A text of opening braces alone would be walked once for each.
    if (to === undefined && value === undefined && found.length === 0 && text.length > LONGEST_PROSE) break;
  }
  return found;
}

const LONGEST_PROSE = 20_000;

/** Where the object that begins here ends; braces inside texts do not count. */
function endOfObject(text: string, from: number): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === '\\') at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '{') depth++;
    else if (character === '}' && --depth === 0) return at + 1;
  }
  return undefined;
}

/** Numbers that were written as texts, as numbers; a winner whatever its case. */
function withNumbers(fields: JsonObject, judge: Judge): JsonObject {
  if (judge.output === 'pairwise') {
    const winner = typeof fields.winner === 'string' ? fields.winner.trim().toLowerCase() : '';
    const name = ({ a: 'A', b: 'B', tie: 'tie' } as const)[winner.replace(/^response[ _]?/, '')];
    return name === undefined ? fields : { ...fields, winner: name };
  }
  // Own fields all, `__proto__` among them: what a reply calls so must lend nothing to the rest.
  const mended: JsonObject = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      isJsonObject(value) ? withNumbers(value, judge) : (numberOf(value) ?? value!),
    ]),
  );
  // Criteria that were not put under one key.
  const { criteria } = judge;
  if (criteria !== undefined && !isJsonObject(mended.scores) && Object.keys(criteria).every((name) => name in mended)) {
    return { scores: mended, ...mended };
  }
  return mended;
}

const NUMBER = /^\s*([+-]?\d+(?:\.\d+)?)\s*$/;

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const match = typeof value === 'string' ? NUMBER.exec(value) : null;
  return match === null ? undefined : Number(match[1]);
}

/** The number of a plain text: what the pattern finds, else the only one that stands there. `7/10` and `7 out of 10` are 7. */
function numberInText(text: string, judge: Judge): Found | undefined {
  const { pattern } = judge;
  const found = new Set<number>();
  if (pattern !== undefined) {
    for (const match of text.matchAll(new RegExp(pattern, 'g'))) {
      const value = numberOf(match[1] ?? '');
      if (value !== undefined) found.add(value);
      // A pattern that matches nothing at all would match everywhere.
      if (match[0] === '') break;
    }
  } else if (!refusesInProse(text)) {
    const ofScale = new RegExp(`\\s*(?:/|out of)\\s*${scaleOf(judge)[1]}(?!\\d|\\.\\d)`, 'gi');
    for (const match of text.replace(ofScale, ' ').matchAll(/(?<![\w.])[+-]?\d+(?:\.\d+)?(?!\w)/g)) {
      found.add(Number(match[0]));
    }
  }
  const [only] = found;
  if (only === undefined || found.size > 1) return undefined;
  return { fields: { score: only }, repaired: pattern === undefined && !NUMBER.test(text) };
}

type Scored = Pick<Extract<JudgeScore, { status: 'ok' }>, 'score' | 'variance' | 'criteria'>;

/** On the unit scale; undefined for a number outside the judge's. A score of 1 of 0–10 is 0.1, whatever else it looks like. */
function scored(fields: JsonObject, judge: Judge): Scored | undefined {
  const { output, criteria = {} } = judge;
  const [low, high] = scaleOf(judge);
  const onScale = (value: unknown) => typeof value === 'number' && value >= low && value <= high;
  const unit = (value: number) => (value - low) / (high - low);
  if (output === 'pairwise') {
    return { score: fields.winner === 'A' ? 1 : fields.winner === 'B' ? 0 : 0.5, variance: 0 };
  }
  if (output === 'criteria') {
    const given = fields.scores as JsonObject;
    const names = Object.keys(criteria);
    if (!names.every((name) => onScale(given[name]))) return undefined;
    const units = Object.fromEntries(names.map((name) => [name, unit(given[name] as number)]));
    const total = names.reduce((sum, name) => sum + criteria[name]!, 0);
    const score = names.reduce((sum, name) => sum + criteria[name]! * units[name]!, 0) / total;
    return { score, variance: 0, criteria: units };
  }
  const { score, ci_lower: lower, ci_upper: upper } = fields as { score: number; ci_lower: number; ci_upper: number };
  if (!onScale(score)) return undefined;
  if (output === 'score') return { score: unit(score), variance: 0 };
  if (!onScale(lower) || !onScale(upper) || lower > upper) return undefined;
  // An interval that leaves its own score out is widened to hold it.
  const width = (Math.max(upper, score) - Math.min(lower, score)) / (high - low);
  const mean = unit(score);
  // No variable on [0, 1] with this mean varies more than a Bernoulli one.
  return { score: mean, variance: Math.min((width / WIDTH_95) ** 2, mean * (1 - mean)) };
}

/** Names under which models put their reasons, whatever they were asked for. */
const REASONS = [BEFORE, AFTER, 'rationale', 'reasoning', 'explanation', 'reason'];

function rationaleOf(fields: JsonObject, { rationale, read }: Judge, answer: string): string | undefined {
  if (rationale === 'none') return undefined;
  if (read === 'text') return answer;
  const text = REASONS.map((name) => fields[name]).find((value) => typeof value === 'string' && value.trim() !== '');
  return text as string | undefined;
}
