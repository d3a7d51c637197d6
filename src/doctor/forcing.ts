/** Teacher forcing: does the server echo the log probabilities of a text, and can they be believed? */

import type { Forcing, ModelRef } from '../core/call.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { CompletionReply, Listing } from '../core/protocol.ts';
import { areNamedById } from '../protocols/openai/token-logprobs.ts';
import { countsOf, openaiCompletions, withIds } from '../protocols/openai-completions/completions.ts';
import { type AlignResult, alignEcho } from '../teacher-forcing/align.ts';
import { bosOf } from '../teacher-forcing/prompt.ts';
import { type Examined, failureHint } from './answers.ts';
import { gaveRow, type ProbeDialect, rowIn, settledRow } from './dialect.ts';
import { examineGeneration, shortAnswers } from './generation.ts';
import { knownServer } from './known-servers.ts';
import { madeUpItem } from './made-up.ts';
import { type Check, check, choiceOf, failureText, lastReply, type Probe, type RowResult, rowOf } from './probe.ts';
import { isOfMessages, type Use, withModel } from './probe-targets.ts';
import { BASE, GIBBERISH, ROWS, type SampleRow } from './sample-call.ts';

interface ForcingOptions {
  /** The model's own answer to a prompt, where it gave one. */
  readonly own: SampleRow | undefined;
  /** How the pipeline has the model answer, where it does. */
  readonly answers: Use | undefined;
  readonly listing: Listing | undefined;
  /** More than the model's context holds, where somebody wants to know. */
  readonly overlong: SampleRow | undefined;
}

/** Mean nats a token above which no model has gibberish. */
const CERTAIN = -0.5;
/** Mean nats a token by which a model's own answer is likelier than gibberish, at the least. */
const MARGIN = 0.5;
/** Nats by which a token may differ between two asks, in the median. */
const STABLE = 0.05;
/** Nats a token that the same text may be apart when it is sent as ids. */
const SAME = 0.05;

export function* examineForcing(
  use: Use,
  probeDialect: ProbeDialect,
  { own, answers, listing, overlong }: ForcingOptions,
): Probe<Examined> {
  if (isOfMessages(use)) return yield* examineMessages(use, probeDialect, answers);
  const base = yield* settledRow(use, BASE, probeDialect);
  const opening = named(echoChecks(base, probeDialect), base, probeDialect, listing);
  if (!gaveRow(base)) {
    if (answers === undefined || isHopeless(base)) return { checks: opening, result: base };
    const byIds = yield* examineNamedTokens(use, answers, base, probeDialect);
    return { checks: byIds ?? (yield* examineGenerate(use, answers, probeDialect, overlong)) ?? opening, result: base };
  }

  const rows = new Map<string, RowResult>([[BASE.name, base]]);
  for (const row of [...(own === undefined ? [] : [own]), ...ROWS]) {
    const result = yield* rowIn(use, row, probeDialect);
    rows.set(row.name, result);
    if (isHopeless(result)) return { checks: [...opening, lost(row.name, result)], result };
  }
  const again = yield* rowIn(use, own ?? BASE, probeDialect);
  const checks = [
    ...opening,
    ...boundaryChecks(rows),
    ...valueChecks(rows),
    ...repeatChecks(rows.get((own ?? BASE).name), again),
  ];
  checks.push(yield* examineIds(base, probeDialect));
  if (answers !== undefined) {
    const found = yield* examineGeneration(use, answers, probeDialect);
    checks.push(...found.checks);
    // Values that are wrong on both sides get no line.
    if (!found.checks.some(({ status }) => status === 'failure')) suggest(found.forcing, probeDialect, checks);
  }
  if (overlong !== undefined) checks.push(overlongCheck(yield* rowIn(use, overlong, probeDialect)));
  return { checks, result: base };
}

/** Answers as messages: the server writes the prompt, and its ids are those that matter. */
function* examineMessages(use: Use, probeDialect: ProbeDialect, answers: Use | undefined): Probe<Examined> {
  const base = yield* rowIn(use, BASE, probeDialect);
  const checks: Check[] = [];
  if (probeDialect.ref.dialect.forcing === 'chat') {
    const told = base.failure === undefined ? String(base.row?.status) : failureText(base.failure);
    checks.push(
      gaveRow(base)
        ? check('echo', 'ok', 'log probabilities of messages come, by prompt_logprobs')
        : check('echo', 'failure', told, 'prompt_logprobs of messages are told by vLLM alone'),
    );
    if (isHopeless(base)) return { checks, result: base };
  }
  if (answers !== undefined) checks.push(...(yield* examineGeneration(use, answers, probeDialect)).checks);
  return { checks, result: base };
}

/** A pipeline without the setting works, unchecked: its line makes builds compare as the doctor has. */
function suggest(forcing: Forcing | undefined, probeDialect: ProbeDialect, checks: Check[]): void {
  if (forcing === undefined || probeDialect.ref.dialect.forcing !== undefined) return;
  const hint = `'forcing: ${forcing}' keeps the tokens of answers and compares; without it log probabilities are unchecked`;
  checks.push(check('forcing', 'note', 'is not set, so a build compares nothing', hint));
  probeDialect.advice.push({ setting: 'forcing', value: forcing, because: 'log probabilities are unchecked' });
}

const isHopeless = ({ failure }: RowResult): boolean => failure !== undefined && failure.class !== 'permanent';
const lost = (name: string, { failure }: RowResult): Check =>
  check('boundary', 'failure', `${name}: ${failure === undefined ? 'no row' : failureText(failure)}`);

/** Tokens that are named by their ids spell no text, and say all the better which they are. */
function* examineNamedTokens(
  use: Use,
  answers: Use,
  base: RowResult,
  probeDialect: ProbeDialect,
): Probe<Check[] | undefined> {
  const tokens = readReply(lastReply(base))?.echo?.tokens ?? [];
  if (!areNamedById(tokens)) return undefined;
  const found = yield* examineGeneration(use, answers, probeDialect);
  if (found.forcing !== 'ids') return undefined;
  if (probeDialect.ref.dialect.forcing === undefined) {
    const because = 'tokens are named by their ids, so that no text can be found among them';
    probeDialect.changes.push({ setting: 'forcing', value: 'ids', because });
  }
  return [
    check('echo', 'ok', 'log probabilities of the prompt come, of tokens that are named by their ids'),
    ...found.checks,
  ];
}

/** A server without an echo may tell the same by SGLang's own route, and by token ids alone. */
function* examineGenerate(
  use: Use,
  answers: Use,
  probeDialect: ProbeDialect,
  overlong: SampleRow | undefined,
): Probe<Check[] | undefined> {
  const { written } = probeDialect;
  if (written.dialect.forcing !== undefined && written.dialect.forcing !== 'generate') return undefined;
  const asked = {
    ...probeDialect,
    ref: { ...probeDialect.ref, dialect: { ...probeDialect.ref.dialect, forcing: 'generate' as const } },
  };
  const found = yield* examineGeneration(use, answers, asked);
  if (found.forcing === undefined && written.dialect.forcing === undefined) return undefined;
  if (written.dialect.forcing === undefined) {
    const because = 'log probabilities of a prompt come by /generate, and by no echo';
    probeDialect.changes.push({ setting: 'forcing', value: 'generate', because });
  }
  const cut = overlong === undefined ? [] : [yield* examineOverlongAnswer(answers, asked, overlong)];
  return [check('echo', 'note', 'none; log probabilities come by /generate'), ...found.checks, ...cut];
}

/** Where nothing shows a prompt, the ids that an answer was given behind tell whether it was cut: a number is a token at least. */
function* examineOverlongAnswer(answers: Use, { ref, written }: ProbeDialect, { prompt }: SampleRow): Probe<Check> {
  const item = madeUpItem(answers.kind, answers.params, answers.inputs, { prompt, response: '' });
  const result = yield* rowOf(answers.kind, item, withModel(shortAnswers(answers), written, ref));
  const ids = result.row?.prompt_token_ids;
  const isCut = Array.isArray(ids) && ids.length < prompt.split(' ').length;
  return overlongCheck(
    gaveRow(result) ? { ...result, row: { ...result.row, status: isCut ? 'echo_cut' : 'ok' } } : result,
  );
}

/** A failure of a server that is known by name says its name, and what to do. */
function named(
  checks: Check[],
  base: RowResult,
  { ref: { identity } }: ProbeDialect,
  listing: Listing | undefined,
): Check[] {
  const server = knownServer({ raw: lastReply(base), message: base.failure?.message, identity, listing });
  if (server === undefined) return checks;
  const { name, lacks, instead } = server;
  return checks.map((each) =>
    each.name === 'echo' && each.status === 'failure'
      ? { ...each, detail: `${each.detail}. This is ${name}: ${lacks}`, hint: instead }
      : each,
  );
}

/** Whether the echo is there at all, at which `echo_tokens`, and how the text begins. */
function echoChecks(base: RowResult, probeDialect: ProbeDialect): Check[] {
  const raw = lastReply(base);
  const most = probeDialect.ref.dialect.echoTokens;
  if (gaveRow(base)) {
    return [
      check('echo', 'ok', `log probabilities of the prompt come, with max_tokens ${most}`),
      startCheck(raw, probeDialect),
    ];
  }
  const shape = oddShape(raw);
  if (shape !== undefined) return [shape];
  if (base.failure !== undefined) {
    const { reason } = base.failure;
    const hint =
      reason === 'rejected'
        ? 'a server that echoes log probabilities is needed: vLLM, SGLang, Fireworks'
        : failureHint(reason);
    return [check('echo', 'failure', failureText(base.failure), hint)];
  }
  const status = String(base.row?.status);
  const detail = `${status}: ${alignmentDetail(base, BASE, probeDialect.ref)}`;
  switch (status) {
    case 'echo_unsupported':
      return [
        check('echo', 'failure', detail, 'a server that echoes log probabilities is needed: vLLM, SGLang, Fireworks'),
      ];
    case 'bos':
      return [check('bos', 'failure', detail, "neither 'bos: server' nor 'bos: prompt' gives exactly one")];
    case 'text_mismatch':
      return [check('echo', 'failure', detail, 'the server changes the text before it reads it')];
    default:
      return [check('echo', 'failure', detail)];
  }
}

/** Log probabilities in a shape that is not read: told by name, as the schema's complaint is hard to read. */
function oddShape(raw: JsonObject | undefined): Check | undefined {
  const { logprobs } = choiceOf(raw);
  if (!isJsonObject(logprobs) || Array.isArray(logprobs.tokens)) return undefined;
  const { content } = logprobs;
  if (Array.isArray(content)) {
    return content.length <= 1
      ? check(
          'echo',
          'failure',
          `echo_unsupported: the echo has ${content.length} entries`,
          'a server that echoes log probabilities is needed: vLLM, SGLang, Fireworks',
        )
      : check(
          'echo',
          'failure',
          `malformed_reply: ${content.length} tokens as logprobs.content[], which is not read`,
          'cje asks for and reads the older shape: tokens and token_logprobs',
        );
  }
  const there = Object.keys(logprobs).join(', ') || 'nothing';
  return check(
    'echo',
    'failure',
    `malformed_reply: logprobs holds ${there}, and no tokens`,
    failureHint('malformed_reply'),
  );
}

/** Who begins the text. A server that hides the token leaves it open. */
function startCheck(raw: JsonObject | undefined, { ref: { dialect } }: ProbeDialect): Check {
  const token = bosOf(dialect);
  if (token === null) return check('bos', 'note', `the template ${dialect.template} has no beginning-of-text token`);
  const first = readReply(raw)?.echo?.tokens[0];
  const who = dialect.bos === 'server' ? 'the server' : 'the prompt';
  if (first === token) return check('bos', 'ok', `${token} once, from ${who}`);
  return check(
    'bos',
    'note',
    'the echo leaves the beginning-of-text token out, so cje cannot check that it is sent once',
  );
}

function readReply(raw: JsonObject | undefined): CompletionReply | undefined {
  const decoded = openaiCompletions.decode(raw);
  return decoded.ok ? decoded.value : undefined;
}

/** What the alignment says beyond the status that a row keeps. */
function alignmentDetail(result: RowResult, { response }: SampleRow, ref: ModelRef): string {
  const sent = result.exchanges.at(-1)?.request.body.prompt;
  if (typeof sent !== 'string') return 'nothing was sent';
  const aligned = align(readReply(lastReply(result)), sent.slice(0, sent.length - response.length), response, ref);
  return aligned.status === 'ok' ? 'aligned' : aligned.detail;
}

function align(
  reply: CompletionReply | undefined,
  prompt: string,
  response: string,
  { dialect }: ModelRef,
  sentIds?: { readonly prompt: readonly number[]; readonly response: readonly number[] },
): AlignResult {
  return alignEcho(reply?.echo, prompt, response, {
    bosToken: bosOf(dialect),
    extraTokens: dialect.echoTokens,
    ...(reply === undefined ? {} : { counts: countsOf(reply) }),
    ...(sentIds === undefined ? {} : { sentIds }),
  });
}

const statusOf = (result: RowResult): string => String(result.row?.status ?? result.failure?.reason ?? 'no row');

function boundaryChecks(rows: ReadonlyMap<string, RowResult>): Check[] {
  const statuses = [...rows].map(([name, result]) => [name, statusOf(result)] as const);
  const good = statuses.filter(([, status]) => status === 'ok').map(([name]) => name);
  const checks = [check('boundary', 'ok', `found in: ${good.join(', ')}`)];
  for (const [name, status] of statuses) {
    if (status === 'ok') continue;
    if (name === 'long') checks.push(longCheck(status));
    else
      checks.push(
        check('boundary', 'warning', `${name}: ${status}`, LOST[name] ?? 'such responses will have no log probability'),
      );
  }
  return checks;
}

const LOST: Readonly<Record<string, string>> = {
  newline: 'responses that open with a newline will have no log probability',
  unicode: 'responses in such scripts will have no log probability',
  space: 'responses that open with a space will have no log probability',
};

function longCheck(status: string): Check {
  if (status === 'context_overflow') {
    return check(
      'context',
      'warning',
      'a prompt of 6 kB is refused as too long',
      'so will be the longer prompts of the experiment',
    );
  }
  const hint =
    status === 'echo_cut'
      ? "the server cuts long prompts in silence: raise its context, or tell it under 'extra:' to refuse, such as context_length_exceeded_behavior: error"
      : 'longer prompts will have no log probability';
  return check('context', 'failure', `a prompt of 6 kB comes back ${status}`, hint);
}

/** Mean nats a token of a usable row. */
function meanOf(result: RowResult | undefined): number | undefined {
  const { status, logprob, tokens } = result?.row ?? {};
  return status === 'ok' && typeof logprob === 'number' && typeof tokens === 'number' ? logprob / tokens : undefined;
}

function valueChecks(rows: ReadonlyMap<string, RowResult>): Check[] {
  const gibberish = meanOf(rows.get(GIBBERISH.name));
  if (gibberish === undefined) return [];
  const own = meanOf(rows.get('own answer'));
  const told = [
    ...(own === undefined ? [] : [`its own answer ${own.toFixed(2)}`]),
    `gibberish ${gibberish.toFixed(2)} nats a token`,
  ].join(', ');
  if (gibberish > CERTAIN) {
    return [
      check(
        'values',
        'failure',
        `suspicious: ${told}`,
        'no model is near certain of gibberish: these are not its log probabilities',
      ),
    ];
  }
  if (own !== undefined && own < gibberish + MARGIN) {
    return [
      check(
        'values',
        'warning',
        told,
        'its own answer should be far likelier: is the template its own, and the model the one that answered?',
      ),
    ];
  }
  return [check('values', 'ok', told)];
}

/** The same text asked twice: how far apart its tokens are. The sum alone would hide what cancels out. */
function repeatChecks(first: RowResult | undefined, again: RowResult): Check[] {
  if (first === undefined || !gaveRow(first) || !gaveRow(again)) return [];
  const [one, two] = [first, again].map((result) => readReply(lastReply(result))?.echo?.tokenLogprobs ?? []);
  const apart = (one ?? []).flatMap((value, index) => {
    const other = two?.[index];
    return typeof value === 'number' && typeof other === 'number' ? [Math.abs(value - other)] : [];
  });
  apart.sort((a, b) => a - b);
  const median = apart[Math.floor(apart.length / 2)];
  const most = apart.at(-1);
  if (median === undefined || most === undefined) return [];
  if (most === 0) return [check('repeats', 'ok', 'two asks agree to the last digit')];
  const detail = `two asks differ by ${median.toPrecision(2)} nats a token in the median, ${most.toPrecision(2)} at most`;
  const hint =
    "measure more than once: 'passes:' of the logprobs stage; the clone gate will tell whether it is too much";
  return [median <= STABLE ? check('repeats', 'ok', detail) : check('repeats', 'warning', detail, hint)];
}

/** Whether the server gives token ids, and takes them as a prompt. */
function* examineIds(base: RowResult, { ref }: ProbeDialect): Probe<Check> {
  const found = yield* idsOfBase(base, ref);
  const aligned = meanOf(base);
  const tokens = base.row?.tokens;
  if (found === undefined || typeof tokens !== 'number' || aligned === undefined) {
    return check(
      'token ids',
      'note',
      'come neither with the echo nor in prompt_token_ids; boundaries are found by bytes',
    );
  }
  const { ids, where } = found;
  const sent = { prompt: ids.slice(0, -tokens), response: ids.slice(-tokens) };
  const answer = yield openaiCompletions.force(ref, ids, 'ids', { returnTokenIds: where === ASKED });
  if (!answer.ok)
    return check('token ids', 'note', `come ${where}, and are not taken as a prompt (${answer.failure.reason})`);
  const reply = readReply(answer.raw);
  const echo = reply && withIds(reply);
  const byIds = align(reply && { ...reply, ...(echo === undefined ? {} : { echo }) }, '', BASE.response, ref, sent);
  if (byIds.status !== 'ok')
    return check('token ids', 'note', `come ${where}; sent as a prompt they give ${byIds.status}`);
  const apart = Math.abs(byIds.logprob / byIds.tokens - aligned);
  return apart <= SAME
    ? check('token ids', 'ok', `come ${where}, and give the same as a prompt`)
    : check(
        'token ids',
        'warning',
        `sent as a prompt they give another value, by ${apart.toPrecision(2)} nats a token`,
        'the server does not read the text as it echoes it',
      );
}

const ASKED = 'in prompt_token_ids, where they are asked for';

/** With the echo, or in a list of their own to whoever asks for them. */
function* idsOfBase(
  base: RowResult,
  ref: ModelRef,
): Probe<{ readonly ids: readonly number[]; readonly where: string } | undefined> {
  const reply = readReply(lastReply(base));
  const echoed = reply?.echo?.tokenIds;
  if (echoed !== undefined) {
    return { ids: echoed.slice(0, echoed.length - extraOf(reply, echoed.length, ref)), where: 'with the echo' };
  }
  const sent = base.exchanges.at(-1)?.request.body.prompt;
  if (typeof sent !== 'string') return undefined;
  const answer = yield openaiCompletions.force(ref, sent, 'ids', { returnTokenIds: true });
  const { promptTokenIds: ids } = (answer.ok ? readReply(answer.raw) : undefined) ?? {};
  return ids === undefined || ids.length === 0 ? undefined : { ids, where: ASKED };
}

/** How many of the echoed tokens were generated. */
function extraOf(reply: CompletionReply | undefined, echoed: number, { dialect }: ModelRef): number {
  const prompt = reply?.promptTokenIds?.length;
  if (prompt !== undefined && prompt <= echoed) return echoed - prompt;
  return Math.min(dialect.echoTokens, reply?.usage.outputTokens ?? dialect.echoTokens);
}

function overlongCheck(result: RowResult): Check {
  const status = statusOf(result);
  if (status === 'context_overflow') return check('context', 'ok', 'a prompt beyond it is refused, not cut');
  if (status === 'ok') return check('context', 'ok', 'holds a prompt of that length, whole');
  const told = result.failure === undefined ? status : failureText(result.failure);
  const hint = status === 'echo_cut' ? "tell the server under 'extra:' to refuse what it cannot hold" : undefined;
  return check('context', status === 'echo_cut' ? 'failure' : 'warning', `a prompt beyond it comes to ${told}`, hint);
}
