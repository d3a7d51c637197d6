/**
 * A response as the message that it was, through vLLM's `prompt_logprobs`. The server's own template writes the text, and many
 * templates trim or rewrite an answer that they are given back; its ids say whether this one did.
 */

import { type Answer, ask, type ModelRef, type Request } from '../../core/call.ts';
import type { Turn } from '../../datasets/conversation.ts';
import { measureMessages } from '../../protocols/openai-chat/prompt-logprobs.ts';
import { findResponse } from '../../teacher-forcing/align.ts';
import { unforcibleText } from '../../teacher-forcing/control-tokens.ts';
import { tokensSpelling } from '../../teacher-forcing/tokens.ts';
import { askIdsOfMessages } from './prompt-ids.ts';
import { writtenBy } from './sampled.ts';
import { type Forced, type ForcibleRow, type Job, no, valued } from './valued.ts';

type Steps<T> = Generator<Request, T, Answer<unknown>>;

export function* forceMessage(
  row: ForcibleRow,
  model: ModelRef,
  { own, draw, sampling }: Job,
  messages: readonly Turn[],
): Steps<Forced> {
  const { sampled, prompt_token_ids: ownPrompt } = row;
  const said = writtenBy(row);
  if (said === undefined) return no('thoughts_apart');
  if (sampled !== undefined && sampled.ids === undefined) return no('no_token_ids');
  if (sampled?.count === null) return no('ambiguous_end');
  // Of text that nobody sampled the ids prove nothing.
  const unforcible = sampled === undefined ? unforcibleText({ template: 'unknown' }, said) : undefined;
  if (unforcible !== undefined) return no(unforcible.status);
  const answer = yield* ask(
    measureMessages(model, [...messages, { role: 'assistant', content: said }], draw, {
      top: sampling?.alternatives ?? 0,
    }),
  );
  if (!answer.ok) return no(answer.failure.reason);
  const { reply, usage } = answer;
  const { echo, promptTokenIds: whole, model: answering } = reply;
  if (whole === undefined) return no('no_token_ids', answering);
  if (echo === undefined) return no('echo_unsupported', answering);
  let prompt = own ? ownPrompt : undefined;
  if (prompt === undefined || prompt.length === 0) {
    const asked = yield* askIdsOfMessages(model, messages);
    if (!('ids' in asked)) return asked;
    prompt = asked.ids;
  }
  // The server must have read what it tells of: it counts its tokens, where it counts any.
  if (usage.inputTokens > 0 && usage.inputTokens !== whole.length) return no('echo_cut', answering);
  if (prompt.some((id, index) => whole[index] !== id)) return no('boundary_span', answering);
  const response = whole.slice(prompt.length);
  if (sampled !== undefined) {
    const ids = sampled.ids!.slice(0, sampled.count);
    if (ids.length !== response.length || ids.some((id, index) => id !== response[index])) {
      return no('retokenized', answering);
    }
  }
  const found = findResponse(echo, '', said, {
    bosToken: null,
    extraTokens: 0,
    counts: {},
    sentIds: { prompt, response },
  });
  if (found.status !== 'ok') return no(found.status, answering);
  // Nothing but the text says which tokens a response has that nobody sampled here.
  if (sampled === undefined && tokensSpelling(echo.tokens.slice(found.from), undefined, said) !== response.length) {
    return no('text_mismatch', answering);
  }
  return valued(row, reply, found, { own, sampling });
}
