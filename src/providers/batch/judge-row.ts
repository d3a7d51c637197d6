/** What a row of a batch is worth: the same as the same exchange online, but that only what was answered is billed. */

import type { Submission } from '../../core/batch.ts';
import type { JudgedRow } from '../../core/batch-port.ts';
import type { CallFailure } from '../../core/call.ts';
import { ruleOf, type ServedModel } from '../../core/served-model.ts';
import { protocolAt } from '../../protocols/index.ts';
import { classify, type Exchange } from '../classify.ts';
import { judge, KEY_REPEATED, otherModel } from '../judge-reply.ts';
import { type Keys, repeats, scrub } from '../secrets.ts';

export interface RowJudge {
  /** Credentials, which nothing that is kept may hold. */
  readonly keys: () => Keys;
  readonly served: readonly ServedModel[] | undefined;
}

export function judgeRow(
  { identity, model, path }: Pick<Submission, 'identity' | 'model' | 'path'>,
  { status, body, parsed }: { readonly status: number; readonly body: string; readonly parsed?: unknown },
  { keys, served }: RowJudge,
): JudgedRow {
  const protocol = protocolAt(path);
  const exchange = exchangeOf(status, body, parsed);
  const size = { model, inputTokensAtMost: 0, outputTokensAtMost: undefined, tokensLikely: 0 };
  const judged = judge(exchange, protocol, size);
  const failed = (failure: CallFailure, outcome: JudgedRow['outcome'], raw?: string): JudgedRow => ({
    result: {
      ok: false,
      failure: { ...failure, message: scrub(failure.message, keys()) },
      ...(raw === undefined ? {} : { raw }),
    },
    outcome,
  });
  switch (judged.type) {
    case 'answer': {
      const { outcome, usage, servedBy } = judged;
      if (repeats(body, keys())) return failed(KEY_REPEATED, outcome);
      const other = otherModel(servedBy, model, ruleOf(served, identity, model));
      return other === undefined ? { result: { ok: true, raw: body, usage }, outcome } : failed(other, outcome, body);
    }
    case 'no-answer': {
      const { reason, message, outcome } = judged;
      const raw = repeats(body, keys()) ? undefined : body;
      return failed({ class: 'permanent', reason, message }, outcome, raw);
    }
    case 'error':
      return failed(judged.classified.failure, judged.outcome);
    case 'no-reply': {
      const shown = exchange.type === 'reply' ? { ...exchange, raw: scrub(exchange.raw, keys()) } : exchange;
      const { failure } = classify(shown, protocol);
      const doubtful = exchange.type === 'reply';
      return failed(failure, judged.outcome ?? { billed: doubtful ? 'maybe' : 'no' });
    }
  }
}

const NO_HEADER = () => undefined;

function exchangeOf(status: number, body: string, known: unknown): Exclude<Exchange, { type: 'aborted' }> {
  if (status >= 200 && status < 300) return { type: 'reply', status, raw: body, parsed: known, header: NO_HEADER };
  return { type: 'status', status: status < 400 ? 500 : status, body: parsed(body), header: NO_HEADER };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
