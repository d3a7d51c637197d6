/**
 * One response under one policy, once: by the ids of its own tokens where the model takes them, else by its text. By
 * text the server makes tokens anew, and they must be those that were sampled.
 */

import { type Answer, ask, type ModelRef, type Request } from '../../core/call.ts';
import { runsHere } from '../../core/local-engine.ts';
import type { CompletionReply } from '../../core/protocol.ts';
import { areNamedById } from '../../protocols/openai/token-logprobs.ts';
import { withIds } from '../../protocols/openai-completions/completions.ts';
import { sglangGenerate } from '../../protocols/sglang-generate/generate.ts';
import { textProtocolOf } from '../../protocols/text-protocols.ts';
import { findResponse } from '../../teacher-forcing/align.ts';
import { unforcibleText } from '../../teacher-forcing/control-tokens.ts';
import type { AlignOptions, SentIds } from '../../teacher-forcing/echo.ts';
import { bosOf } from '../../teacher-forcing/prompt.ts';
import { lacksText } from '../../teacher-forcing/tokens.ts';
import { chatMessages, renderPolicyPrompt, type ScoringPolicy } from '../files/policy.ts';
import { forceMessage } from './force-message.ts';
import { alignOptions, askIdsOfMessages, askIdsOfPrompt, type PromptIds } from './prompt-ids.ts';
import { areSampled, isSameVocabulary } from './same-tokens.ts';
import { authorOf, authorOfMessages, writtenBy } from './sampled.ts';
import { type Forced, type ForcibleRow, type Job, no, type Sampling, valued } from './valued.ts';

type Steps<T> = Generator<Request, T, Answer<unknown>>;

/** @param sampling present where values are wanted of the law that the policy samples by, and that is not the model's own */
export function* forceOnce(row: ForcibleRow, policy: ScoringPolicy, draw: string, sampling?: Sampling): Steps<Forced> {
  const { model } = policy;
  const { forcing } = model.dialect;
  const author = row.sampled?.author;
  if (policy.api === 'chat') {
    const messages = chatMessages(policy, row);
    const job = { own: author === authorOfMessages(model, messages), draw, sampling };
    return forcing === 'ids'
      ? yield* forceIds(row, model, job, () => askIdsOfMessages(model, messages))
      : yield* forceMessage(row, model, job, messages);
  }
  const rendered = renderPolicyPrompt(policy, row.prompt);
  if (rendered.status !== 'ok') return no(rendered.status);
  const { prompt } = rendered;
  const job = { own: author === authorOf(model, prompt), draw, sampling };
  return forcing === 'ids' || forcing === 'generate'
    ? yield* forceIds(row, model, { ...job, prompt }, () => askIdsOfPrompt(model, prompt))
    : yield* forceText(row, model, job, prompt);
}

function* forceText(row: ForcibleRow, model: ModelRef, { own, draw, sampling }: Job, prompt: string): Steps<Forced> {
  const { sampled } = row;
  const response = writtenBy(row);
  if (response === undefined) return no('thoughts_apart');
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

function* forceIds(
  row: ForcibleRow,
  model: ModelRef,
  { prompt, ...job }: Job & { readonly prompt?: string },
  askPromptIds: () => Steps<PromptIds>,
): Steps<Forced> {
  const { sampled, prompt_token_ids: ownPrompt } = row;
  if (sampled?.ids === undefined) return no('no_token_ids');
  if (sampled.count === null) return no('ambiguous_end');
  const bos = bosOf(model.dialect);
  const told = job.own && ownPrompt !== undefined && ownPrompt.length > 0 ? ownPrompt : undefined;
  let promptIds = told;
  if (told === undefined || mayHaveBeenCut(model)) {
    const asked = yield* askPromptIds();
    if (!('ids' in asked)) return asked;
    promptIds = asked.ids;
    if (told !== undefined && !sameIds(told, asked.ids)) return no('echo_cut');
  }
  if (promptIds === undefined) return no('no_token_ids');
  if (promptIds.length > 2 && bos !== null && promptIds[0] === promptIds[1]) return no('bos');
  const sent: SentIds = { prompt: promptIds, response: sampled.ids.slice(0, sampled.count) };
  return model.dialect.forcing === 'generate'
    ? yield* forceFromThere(row, model, { ...job, sent })
    : yield* forceWhole(row, model, { ...job, sent }, prompt);
}

/**
 * A route that shows no prompt does not show one either that was cut to make room for its answer; asked for alone it has its
 * room. The engine on this machine refuses what it cannot hold.
 */
const mayHaveBeenCut = ({ dialect, identity }: ModelRef): boolean =>
  dialect.forcing === 'generate' && !runsHere(identity);

const sameIds = (one: readonly number[], other: readonly number[]): boolean =>
  one.length === other.length && one.every((id, index) => id === other[index]);

interface IdsJob extends Job {
  readonly sent: SentIds;
}

/** The whole text is echoed, and its prompt must be the one that was sent. */
function* forceWhole(
  row: ForcibleRow,
  model: ModelRef,
  { sent, own, draw, sampling }: IdsJob,
  prompt: string | undefined,
): Steps<Forced> {
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
  const echo = withIds(reply);
  // A server may have cut the prompt when it answered, and its ids are then those of what it kept.
  const shown = echo?.tokens.slice(0, sent.prompt.length) ?? [];
  if (prompt !== undefined && !areNamedById(shown) && lacksText(shown, prompt)) return no('echo_cut', reply.model);
  const options = { ...alignOptions(bos, echoTokens, reply), sentIds: sent };
  return readIds(row, { ...reply, ...(echo === undefined ? {} : { echo }) }, options, { own, sampling });
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
  // By ids no text decides anything.
  const found = findResponse(echo, '', row.response, options);
  if (found.status !== 'ok' || echo === undefined) return no(found.status, reply.model);
  if (!isSameVocabulary(row, echo, reply.model, found)) return no('other_vocabulary', reply.model);
  return valued(row, reply, found, how);
}
