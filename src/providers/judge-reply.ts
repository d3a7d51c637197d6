/** What an exchange was worth: an answer, none, or a failure; and what its try came to for whoever pays. */

import { NO_USAGE, type PermanentFailure, type Usage } from '../core/call.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { NoAnswer, Protocol } from '../core/protocol.ts';
import type { TryOutcome } from '../core/provider-port.ts';
import { isAccepted, type ServedModel, servedName, wrongModelText } from '../core/served-model.ts';
import { isCounted } from '../core/usage.ts';
import type { BodySize } from '../protocols/size.ts';
import { type Classified, classifyInside, type Exchange } from './classify.ts';

/** An exchange as the protocol sees it; `outcome` is what the try came to, where the reply tells. */
export type Judged =
  | {
      readonly type: 'answer';
      readonly reply: JsonObject;
      readonly usage: Usage;
      readonly outcome: TryOutcome;
      readonly servedBy: string | undefined;
    }
  | {
      readonly type: 'no-answer';
      readonly reason: NoAnswer;
      readonly message: string;
      readonly usage: Usage;
      readonly outcome: TryOutcome;
      readonly servedBy: string | undefined;
    }
  | { readonly type: 'error'; readonly classified: Classified; readonly outcome: TryOutcome }
  | { readonly type: 'no-reply'; readonly outcome: TryOutcome | undefined };

export function judge(exchange: Exchange, protocol: Protocol, size: BodySize): Judged {
  const reply = readReply(exchange);
  if (reply === undefined) return { type: 'no-reply', outcome: usageOutcome(exchange, protocol) };
  const verdict = protocol.verdictOf(reply);
  const usage = protocol.usageOf(reply);
  // What is no answer may have made no tokens, but every request has some.
  const outputCap = verdict.type === 'answer' ? size.outputTokensAtMost : 0;
  const believed = usage !== undefined && isCounted(usage, outputCap);
  const outcome: TryOutcome = { billed: believed ? usage : 'maybe' };
  if (verdict.type === 'error') {
    const classified = classifyInside(verdict);
    const isUnmade = !classified.maybeBilled && !isUsed(usage) && !protocol.answerOf(reply)?.trim();
    return { type: 'error', classified, outcome: isUnmade ? { billed: 'no' } : outcome };
  }
  const servedBy = protocol.servedModel(reply);
  const told = { usage: usage ?? NO_USAGE, outcome, servedBy };
  return verdict.type === 'answer' ? { type: 'answer', reply, ...told } : { ...verdict, ...told };
}

/** The failure of a call whose reply holds a credential. */
export const KEY_REPEATED: PermanentFailure = {
  class: 'permanent',
  reason: 'key_repeated',
  message: 'the reply repeats the credential, so it is not kept',
};

/** The failure of a call that another model answered; undefined where it is the one that was asked, or may be any. */
export function otherModel(
  servedBy: string | undefined,
  asked: string,
  rule: ServedModel | undefined,
): PermanentFailure | undefined {
  if (servedBy === undefined || isAccepted(asked, servedBy, rule)) return undefined;
  return {
    class: 'permanent',
    reason: 'wrong_model',
    message: wrongModelText(asked, servedBy),
    answeredBy: servedName(servedBy),
  };
}

/** An error that counts tokens was billed by them, whatever its status; undefined for one that counts none. */
function usageOutcome(exchange: Exchange, protocol: Protocol): TryOutcome | undefined {
  const body =
    exchange.type === 'reply' ? parsed(exchange.raw) : exchange.type === 'status' ? exchange.body : undefined;
  const usage = isJsonObject(body) ? protocol.usageOf(body) : undefined;
  return isUsed(usage) ? { billed: usage } : undefined;
}

const isUsed = (usage: Usage | undefined): usage is Usage =>
  usage !== undefined && usage.inputTokens + usage.outputTokens > 0;

/** What a try came to that brought no reply and no count of tokens. */
export function outcomeOf(exchange: Exchange, { maybeBilled }: Classified): TryOutcome {
  if (maybeBilled) return { billed: 'maybe' };
  const unsent = exchange.type === 'connection' && !exchange.sent;
  return { billed: 'no', ...(unsent ? { unsent } : {}) };
}

/** The body of a reply, where it is a JSON object without an error. */
export function readReply(exchange: Exchange): JsonObject | undefined {
  const reply = exchange.type === 'reply' ? (exchange.parsed ?? parsed(exchange.raw)) : undefined;
  return isJsonObject(reply) && (reply.error === undefined || reply.error === null) ? reply : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
