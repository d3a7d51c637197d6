/**
 * One response under one policy, once: by the ids of its own tokens where the model takes them, else by its text. By
 * text the server makes tokens anew, and they must be those that were sampled.
 */

import { type Answer, ask, type ModelRef, type Request } from '../../core/call.ts';
import type { CompletionReply } from '../../core/protocol.ts';
import type { ResponseRow } from '../../datasets/rows.ts';
import { countsOf } from '../../protocols/openai-completions/completions.ts';
import { areNamedById } from '../../protocols/openai-completions/token-logprobs.ts';
import { sglangGenerate } from '../../protocols/sglang-generate/generate.ts';
import { textProtocolOf } from '../../protocols/text-protocols.ts';
import { findResponse } from '../../teacher-forcing/align.ts';
import { type SamplingLaw, sumAsSampled } from '../../teacher-forcing/as-sampled.ts';
import { type Consistency, compareWithGeneration } from '../../teacher-forcing/consistency.ts';
import { unforcibleText } from '../../teacher-forcing/control-tokens.ts';
import type { AlignOptions, Echo, SentIds } from '../../teacher-forcing/echo.ts';
import { bosOf } from '../../teacher-forcing/prompt.ts';
import { spellOut } from '../../teacher-forcing/tokens.ts';
import { sumOf } from '../../teacher-forcing/values.ts';
import { renderPolicyPrompt, type ScoringPolicy } from '../files/policy.ts';
import { authorOf } from './sampled.ts';

type Forced =
  | {
      readonly status: 'ok';
      readonly logprob: number;
      readonly tokens: number;
      readonly model: string | null;
      /** Present where `logprob` is of the law that the policy samples by: what it is at temperature 1, and the error bound. */
      readonly asSampled?: { readonly raw: number; readonly bound: number };
      /** Present where the policy's own model wrote the response under this prompt, and said how likely it was. */
      readonly check?: Consistency;
    }
  | { readonly status: string; readonly model: string | null; readonly check?: Consistency };

type Steps<T> = Generator<Request, T, Answer<unknown>>;

const no = (status: string, model: string | null = null): Forced => ({ status, model });

/** A response whose log probability is asked; it is there. */
export type ForcibleRow = ResponseRow & { readonly response: string };

/** How the policy samples, and how many of the likeliest tokens are asked for to tell its law from the model's. */
export interface Sampling extends SamplingLaw {
  readonly alternatives: number;
}

/** @param sampling present where values are wanted of the law that the policy samples by, and that is not the model's own */
export function* forceOnce(row: ForcibleRow, policy: ScoringPolicy, draw: string, sampling?: Sampling): Steps<Forced> {
  const rendered = renderPolicyPrompt(policy, row.prompt);
  if (rendered.status !== 'ok') return no(rendered.status);
  const { sampled } = row;
  const own = sampled !== undefined && sampled.author === authorOf(policy.model, rendered.prompt);
  const { forcing } = policy.model.dialect;
  return forcing === 'ids' || forcing === 'generate'
    ? yield* forceIds(row, policy, { prompt: rendered.prompt, own, draw, sampling })
    : yield* forceText(row, policy, { prompt: rendered.prompt, own, draw, sampling });
}

interface Job {
  readonly prompt: string;
  /** The policy's own answer to this very prompt. */
  readonly own: boolean;
  readonly draw: string;
  readonly sampling: Sampling | undefined;
}

function* forceText(row: ForcibleRow, { model }: ScoringPolicy, { prompt, own, draw, sampling }: Job): Steps<Forced> {
  const { response, sampled } = row;
  const unforcible = unforcibleText(model.dialect, response);
  if (unforcible !== undefined) return no(unforcible.status);
  const { force } = textProtocolOf(model);
  const answer = yield* ask(
    force(model, prompt + response, draw, {
      returnTokenIds: model.dialect.forcing === 'text',
      logprobs: sampling?.alternatives ?? 1,
    }),
  );
  if (!answer.ok) return no(answer.failure.reason);
  const { reply } = answer;
  const found = findResponse(
    reply.echo,
    prompt,
    response,
    alignOptions(bosOf(model.dialect), model.dialect.echoTokens, reply),
  );
  if (found.status !== 'ok' || reply.echo === undefined) return no(found.status, reply.model);
  if (sampled !== undefined && !areSampled(row, reply, reply.echo, found)) return no('retokenized', reply.model);
  return valued(row, reply, found, { own, sampling });
}

function* forceIds(row: ForcibleRow, { model }: ScoringPolicy, { prompt, own, draw, sampling }: Job): Steps<Forced> {
  const { sampled, prompt_token_ids: ownPrompt } = row;
  if (sampled?.ids === undefined) return no('no_token_ids');
  if (sampled.count === null) return no('ambiguous_end');
  const bos = bosOf(model.dialect);
  let promptIds = own ? ownPrompt : undefined;
  if (promptIds === undefined || promptIds.length === 0) {
    const asked = yield* askPromptIds(model, prompt);
    if (!('ids' in asked)) return asked;
    promptIds = asked.ids;
  }
  if (promptIds.length > 2 && bos !== null && promptIds[0] === promptIds[1]) return no('bos');
  const sent: SentIds = { prompt: promptIds, response: sampled.ids.slice(0, sampled.count) };
  return model.dialect.forcing === 'generate'
    ? yield* forceFromThere(row, model, { sent, own, draw, sampling })
    : yield* forceWhole(row, model, { sent, own, draw, sampling });
}

/** The ids of a prompt: the same for each pass, and for every policy that says the same. */
function* askPromptIds(model: ModelRef, prompt: string): Steps<Forced | { readonly ids: readonly number[] }> {
  const { echoTokens, forcing } = model.dialect;
  const { complete } = textProtocolOf(model);
  const answer = yield* ask(
    complete(
      model,
      forcing === 'generate'
        ? { prompt, maxTokens: 1, returnTokenIds: true }
        : { prompt, maxTokens: echoTokens, echo: true, logprobs: 1, returnTokenIds: true },
      'prompt-ids',
    ),
  );
  if (!answer.ok) return no(answer.failure.reason);
  const { reply } = answer;
  const ids = idsOfPrompt(reply, prompt, alignOptions(bosOf(model.dialect), echoTokens, reply));
  return ids === undefined || ids.length === 0 ? no('no_token_ids', reply.model) : { ids };
}

interface IdsJob extends Omit<Job, 'prompt'> {
  readonly sent: SentIds;
}

/** The whole text is echoed, and its prompt must be the one that was sent. */
function* forceWhole(row: ForcibleRow, model: ModelRef, { sent, own, draw, sampling }: IdsJob): Steps<Forced> {
  const { echoTokens } = model.dialect;
  const answer = yield* ask(
    textProtocolOf(model).complete(
      model,
      {
        prompt: [...sent.prompt, ...sent.response],
        maxTokens: echoTokens,
        echo: true,
        logprobs: sampling?.alternatives ?? 1,
        returnTokenIds: true,
      },
      draw,
    ),
  );
  if (!answer.ok) return no(answer.failure.reason);
  const { reply } = answer;
  const bos = bosOf(model.dialect);
  // The server made the prompt's ids of a text, and began it or did not: that ids agree is no proof of a beginning.
  if (bos !== null && !isBeginning(withIds(reply)?.tokens[0] ?? '', bos)) return no('bos', reply.model);
  const options = { ...alignOptions(bos, echoTokens, reply), sentIds: sent };
  return readIds(row, { ...reply, ...(reply.echo === undefined ? {} : { echo: withIds(reply)! }) }, options, {
    own,
    sampling,
  });
}

/** Servers hide the token, or name it by its id; any other text is another token's. */
const isBeginning = (token: string, bos: string): boolean => token === bos || token === '' || areNamedById([token]);

/** The response's part alone is echoed, behind the prompt's last token. */
function* forceFromThere(row: ForcibleRow, model: ModelRef, { sent, own, draw, sampling }: IdsJob): Steps<Forced> {
  const ids = [...sent.prompt, ...sent.response];
  const answer = yield* ask(
    sglangGenerate.measure(model, ids, draw, { start: sent.prompt.length, top: sampling?.alternatives ?? 0 }),
  );
  if (!answer.ok) return no(answer.failure.reason);
  const { reply, usage } = answer;
  // The server must have read what was sent: it counts its tokens, where it counts any.
  if (usage.inputTokens > 0 && usage.inputTokens !== ids.length) return no('echo_cut', reply.model);
  const shown = { prompt: sent.prompt.slice(-1), response: sent.response };
  return readIds(row, reply, { bosToken: null, extraTokens: 0, counts: {}, sentIds: shown }, { own, sampling });
}

function readIds(
  row: ForcibleRow,
  reply: CompletionReply,
  options: AlignOptions,
  how: Pick<Job, 'own' | 'sampling'>,
): Forced {
  const { echo } = reply;
  const found = findResponse(echo, '', row.response, options);
  if (found.status !== 'ok' || echo === undefined) return no(found.status, reply.model);
  if (!isSameVocabulary(row, echo, reply.model, found)) return no('other_vocabulary', reply.model);
  return valued(row, reply, found, how);
}

const alignOptions = (bosToken: string | null, extraTokens: 0 | 1, reply: CompletionReply): AlignOptions => ({
  bosToken,
  extraTokens,
  counts: countsOf(reply),
});

interface Range {
  readonly from: number;
  readonly to: number;
}

/** The number of a response; where another law is wanted than the model's, that of the law, and by how much it may be off. */
function valued(
  row: ForcibleRow,
  reply: CompletionReply,
  range: Range,
  { own, sampling }: Pick<Job, 'own' | 'sampling'>,
): Forced {
  const plain = plainly(row, reply, range, own);
  if (sampling === undefined || !('logprob' in plain)) return plain;
  const { alternatives, temperature, topP } = sampling;
  const { tokenLogprobs = [], likeliest } = reply.echo ?? {};
  const of = <T>(list: readonly T[]) => list.slice(range.from, range.to);
  const values = of(tokenLogprobs).map((value) => Math.min(value ?? 0, 0));
  const sum = sumAsSampled(values, likeliest && of(likeliest), alternatives, { temperature, topP });
  const { model, check } = plain;
  if (sum.status !== 'ok') return { ...no(sum.status, model), ...(check === undefined ? {} : { check }) };
  return { ...plain, logprob: sum.logprob, asSampled: { raw: plain.logprob, bound: sum.bound } };
}

/** The number at temperature 1. */
function plainly({ sampled }: ForcibleRow, { echo, model }: CompletionReply, range: Range, own: boolean): Forced {
  const values = echo?.tokenLogprobs ?? [];
  const sum = sumOf(values, range);
  const generated = sampled?.logprobs.slice(0, range.to - range.from) ?? [];
  const isComparable =
    own && sampled?.count === range.to - range.from && generated.length === sampled.count && generated.every(isNumber);
  if (sum.status !== 'ok' && !(sum.status === 'suspicious' && isComparable)) return no(sum.status, model);
  if (!isComparable) return sum.status === 'ok' ? { ...sum, model } : no(sum.status, model);
  const forced = values.slice(range.from, range.to).map((value) => Math.min(value ?? 0, 0));
  const check = compareWithGeneration(forced, generated.filter(isNumber));
  if (sum.status === 'suspicious' && check.agreement === 'agrees') {
    return {
      status: 'ok',
      logprob: forced.reduce((total, value) => total + value, 0),
      tokens: forced.length,
      model,
      check,
    };
  }
  if (sum.status !== 'ok') return { ...no(sum.status, model), check };
  // Such values are another thing than log probabilities of these tokens, whatever a gate allows.
  return check.agreement !== 'agrees' ? { ...no(`forced_${check.agreement}`, model), check } : { ...sum, model, check };
}

const isNumber = (value: number | null): value is number => value !== null;

/** Whether the tokens that the server made of the text are those that were sampled: by ids, else by their texts. */
function areSampled({ sampled }: ForcibleRow, reply: CompletionReply, echo: Echo, { from, to }: Range): boolean {
  if (sampled === undefined) return true;
  const count = sampled.count ?? sampled.tokens.length;
  if (count !== to - from) return false;
  // Nothing but generated tokens follows the response, so its ids are the prompt's last.
  const ids = reply.promptTokenIds?.slice(reply.promptTokenIds.length - count) ?? echo.tokenIds?.slice(from, to);
  if (ids !== undefined && ids.length === count && sampled.ids !== undefined) {
    return ids.every((id, index) => id === sampled.ids?.[index]);
  }
  return sampled.tokens.length === 0 || echo.tokens.slice(from, to).every((token, at) => token === sampled.tokens[at]);
}

/** An id means another token in another vocabulary: the tokens that come back must be those of the response. */
function isSameVocabulary(
  { sampled, response, model }: ForcibleRow,
  echo: Echo,
  answering: string | null,
  range: Range,
) {
  const tokens = echo.tokens.slice(range.from, range.to);
  if (areNamedById(tokens)) return model === answering;
  if (sampled?.tokens.length !== 0 && tokens.every((token, index) => token === sampled?.tokens[index])) return true;
  if (spellOut(tokens, echo.tokenBytes?.slice(range.from, range.to), response)) return true;
  const plain = (text: string) => text.replace(/[^\0-\x7f]/g, '');
  return response.includes('\ufffd') && plain(tokens.join('')) === plain(response);
}

/** The echo with an id for each of its tokens, wherever the server puts them. */
function withIds({ echo, promptTokenIds }: CompletionReply): CompletionReply['echo'] {
  if (echo === undefined || echo.tokenIds !== undefined || promptTokenIds === undefined) return echo;
  const { tokens, tokenLogprobs, likeliest } = echo;
  // Nothing precedes a text's first token, so that a list which begins with a value leaves that token out.
  const isShort = typeof tokenLogprobs[0] === 'number' && tokenLogprobs[0] !== 0;
  const generated = tokens.length + (isShort ? 1 : 0) - promptTokenIds.length;
  if (generated < 0) return echo;
  const tokenIds = [...promptTokenIds, ...new Array<number>(generated).fill(-1)];
  return isShort
    ? {
        tokens: ['', ...tokens],
        tokenLogprobs: [null, ...tokenLogprobs],
        tokenIds,
        ...(likeliest === undefined ? {} : { likeliest: [null, ...likeliest] }),
      }
    : { ...echo, tokenIds };
}

function idsOfPrompt(reply: CompletionReply, prompt: string, options: AlignOptions): readonly number[] | undefined {
  if (reply.promptTokenIds !== undefined && reply.promptTokenIds.length > 0) return reply.promptTokenIds;
  const ids = reply.echo?.tokenIds;
  if (ids === undefined) return undefined;
  const found = findResponse(reply.echo, '', prompt, options);
  return found.status === 'ok' ? ids.slice(0, found.to) : undefined;
}
