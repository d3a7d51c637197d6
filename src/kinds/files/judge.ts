/** A judge or an oracle at work: a model that is shown a prompt and a response and says how good the response is. */

import { type Answer, ask, type Request } from '../../core/call.ts';
import type { ChatProtocol, Message } from '../../core/protocol.ts';
import { type ResponseRow, roughTokens, TYPICAL } from '../../datasets/rows.ts';
import { chatProtocolOf } from '../../protocols/chat-protocols.ts';
import { type Judge, scaleOf, USUAL_SCALE } from './judge-file.ts';
import { placeholdersOf, renderQuoted } from './template.ts';
import { type JudgeScore, readVerdict } from './verdict.ts';
import { formatNote, type VerdictForm, verdictForm } from './verdict-form.ts';

/** What a judge is shown of a row. */
type Judged = Pick<ResponseRow, 'prompt' | 'messages' | 'reference' | 'columns'> & { readonly response: string };

function textFor(name: string, { prompt, messages, response, reference, columns }: Judged): string | undefined {
  switch (name) {
    case 'prompt':
      return prompt;
    case 'response':
      return response;
    case 'reference':
      return reference;
    case 'messages':
      return messages === undefined
        ? prompt
        : messages.map(({ role, content }) => `[${role}]\n${content}`).join('\n\n');
    default:
      return name.startsWith('columns.') ? columns?.[name.slice('columns.'.length)] : undefined;
  }
}

/**
 * Asks for the judge's verdicts on one response and averages them. Equal rendered requests are one call, whichever policy
 * wrote the response.
 *
 * @param replicate which repetition of the judging this is; the judge's draws count on from it.
 */
export function* judgeResponse(
  judge: Judge,
  item: Judged,
  replicate: number,
): Generator<Request, JudgeScore, Answer<unknown>> {
  const texts = valuesOf(judge, (name) => textFor(name, item));
  if (texts === undefined) return { status: 'missing_column', model: null };
  const verdicts: JudgeScore[] = [];
  for (let draw = 0; draw < judge.draws; draw++) verdicts.push(yield* verdictOn(judge, texts, replicate + draw));
  return averaged(verdicts);
}

/**
 * Shows a response beside another, in both orders.
 *
 * @param other the response of the policy that is compared with.
 * @returns the probability to win, as far as two orders tell it: a tie is a half, and so are two orders that disagree.
 */
export function* comparePair(
  judge: Judge,
  item: Judged,
  other: string,
  replicate: number,
): Generator<Request, JudgeScore, Answer<unknown>> {
  const orders: JudgeScore[] = [];
  for (const first of [true, false]) {
    const [a, b] = first ? [item.response, other] : [other, item.response];
    const shown = { ...item, response: '' };
    const texts = valuesOf(judge, (name) =>
      name === 'response_a' ? a : name === 'response_b' ? b : textFor(name, shown),
    );
    if (texts === undefined) return { status: 'missing_column', model: null };
    const verdicts: JudgeScore[] = [];
    for (let draw = 0; draw < judge.draws; draw++) verdicts.push(yield* verdictOn(judge, texts, replicate + draw));
    const verdict = averaged(verdicts);
    if (verdict.status !== 'ok') return verdict;
    orders.push(first ? verdict : { ...verdict, score: 1 - verdict.score });
  }
  const [first, second] = orders as [Extract<JudgeScore, { status: 'ok' }>, Extract<JudgeScore, { status: 'ok' }>];
  const rationale = [first.rationale, second.rationale].filter((text) => text !== undefined).join('\n\n');
  return {
    status: 'ok',
    model: first.model,
    score: (first.score + second.score) / 2,
    variance: (first.variance + second.variance) / 4,
    orders: [first.score, second.score],
    ...(rationale === '' ? {} : { rationale }),
    ...(first.repaired === true || second.repaired === true ? { repaired: true } : {}),
  };
}

type Texts = Readonly<Record<string, string>>;

/** The texts that the template asks for; undefined where one is not there. */
function valuesOf(judge: Judge, text: (name: string) => string | undefined): Texts | undefined {
  const values: Record<string, string> = {};
  for (const name of placeholdersOf(judge.template)) {
    const value = text(name);
    if (value === undefined) return undefined;
    values[name] = value;
  }
  return values;
}

/** One verdict, asked for again while it cannot be read. */
function* verdictOn(judge: Judge, texts: Texts, replicate: number): Generator<Request, JudgeScore, Answer<unknown>> {
  const { request, form, note } = formOf(judge);
  const template = note === '' ? judge.template : `${judge.template}\n\n${note}`;
  const messagesOf = (text: string): Message[] => [
    ...(judge.system === undefined ? [] : [{ role: 'system' as const, content: judge.system }]),
    { role: 'user', content: renderQuoted(text, texts) },
  ];
  let verdict: JudgeScore = { status: 'unparseable', model: null };
  for (let attempt = 0; attempt < judge.attempts; attempt++) {
    const draw = attempt === 0 ? `${replicate}` : `${replicate}+${attempt}`;
    // The same words at temperature 0 would be answered by the same words: say what was wrong with them.
    const again = attempt > 0 && judge.temperature === 0;
    const answer = yield* ask(request(messagesOf(again ? `${template}\n\n${UNREAD}` : template), draw));
    verdict = answer.ok ? readVerdict(answer.reply, judge, form) : { status: answer.failure.reason, model: null };
    if (verdict.status !== 'unparseable') return verdict;
  }
  return verdict;
}

const UNREAD =
  'An earlier answer to this could not be read. Answer with nothing but what is asked for: no other text, no second number.';

/** The mean of the verdicts that could be read, its variance from their spread; the first failure where none could. */
function averaged(verdicts: readonly JudgeScore[]): JudgeScore {
  const read = verdicts.filter((verdict) => verdict.status === 'ok');
  const [first] = read;
  if (first === undefined) return verdicts[0]!;
  if (verdicts.length === 1) return first;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const score = mean(read.map((verdict) => verdict.score));
  const within = mean(read.map((verdict) => verdict.variance));
  const squares = read.reduce((sum, verdict) => sum + (verdict.score - score) ** 2, 0);
  const between = read.length === 1 ? 0 : squares / (read.length - 1);
  const criteria = Object.keys(first.criteria ?? {}).map(
    (name) => [name, mean(read.map((verdict) => verdict.criteria?.[name] ?? 0))] as const,
  );
  return {
    ...first,
    score,
    // Of the mean: as many draws as were read say it together.
    variance: (between + within) / read.length,
    draws: read.map((verdict) => verdict.score),
    ...(criteria.length === 0 ? {} : { criteria: Object.fromEntries(criteria) }),
    ...(read.some(({ repaired }) => repaired === true) ? { repaired: true } : {}),
  };
}

interface Asking {
  readonly request: ReturnType<ChatProtocol['form']>;
  readonly form: VerdictForm;
  /** What the judge is told of the form of its answer, where no schema says it. */
  readonly note: string;
}

/** What is the same in all requests of a judge is made once; a node has one judge for all of its items. */
function formOf(judge: Judge): Asking {
  let asking = forms.get(judge);
  if (asking === undefined) {
    const { max_tokens: maxTokens, temperature, read } = judge;
    const form = verdictForm(judge, isUsual(judge));
    const jsonSchema = read === 'schema' ? { jsonSchema: form.jsonSchema } : {};
    const request = chatProtocolOf(judge.model).form(judge.model, { maxTokens, temperature, ...jsonSchema });
    asking = { request, form, note: read === 'json' ? formatNote(judge) : '' };
    forms.set(judge, asking);
  }
  return asking;
}

const forms = new WeakMap<Judge, Asking>();

/** The shipped judges' schema says no bounds, and its bytes stay what they were. */
function isUsual(judge: Judge): boolean {
  const [low, high] = scaleOf(judge);
  return low === USUAL_SCALE[0] && high === USUAL_SCALE[1];
}

/** Typical tokens of reasons. */
const REASONS = 150;

/** What `count` verdicts should take, before there is data. */
export function expectedVerdicts(judge: Judge, count: number) {
  const pair = judge.output === 'pairwise';
  const texts = TYPICAL.promptTokens + TYPICAL.responseTokens * (pair ? 2 : 1);
  const inputTokens = roughTokens(judge.template) + roughTokens(judge.system ?? '') + texts;
  const numbers = judge.output === 'criteria' ? 8 * Object.keys(judge.criteria ?? {}).length : 8;
  const outputTokens = (judge.output === 'interval' ? 24 : numbers) + (judge.rationale === 'none' ? 0 : REASONS);
  return {
    model: judge.model,
    calls: count * judge.draws * (pair ? 2 : 1),
    inputTokens,
    outputTokens: Math.min(outputTokens, judge.max_tokens),
    outputTokensAtMost: judge.max_tokens,
    path: chatProtocolOf(judge.model).path,
  };
}
