/**
 * Replies that were refused for the name of their model, read as replies where the provider file lists that name since.
 * They are paid for, so they are not bought again; the ledger of failures keeps them as they came.
 */

import { isJsonObject } from '../core/json.ts';
import type { Protocols } from '../core/protocol.ts';
import { isAccepted, ruleOf, type ServedModel } from '../core/served-model.ts';
import type { CallStore, StoredCall, StoredFailure } from '../core/storage.ts';

/** The calls of a store, as the names that are listed now admit them. */
export function withRenamed(calls: CallStore, rules: readonly ServedModel[], protocols: Protocols): CallStore {
  if (rules.every(({ answersAs, mismatch }) => answersAs.length === 0 && mismatch === 'refuse')) return calls;
  const read = (failure: StoredFailure | undefined) =>
    failure === undefined ? undefined : replyIn(failure, rules, protocols);
  return {
    get: (key) => calls.get(key) ?? read(calls.failure(key)),
    find(call) {
      const found = calls.find(call);
      if (found !== undefined) return found;
      const reply = read(calls.failure(call.key));
      return reply?.request === call.text ? reply : undefined;
    },
    put: (key, call) => calls.put(key, call),
    group: () => calls.group(),
    failure(key) {
      const failure = calls.failure(key);
      return read(failure) === undefined ? failure : undefined;
    },
    putFailure: (key, failure) => calls.putFailure(key, failure),
    supersede: (key) => calls.supersede(key),
    superseded: (key) => calls.superseded(key),
    *scanFailures() {
      for (const each of calls.scanFailures()) if (read(each.value) === undefined) yield each;
    },
    count: () => calls.count(),
  };
}

/** The reply behind a refusal; undefined where it is refused for another reason, or still. */
function replyIn(
  { request, raw, failure, failedAt, node, cost }: StoredFailure,
  rules: readonly ServedModel[],
  protocols: Protocols,
): StoredCall | undefined {
  if (failure.reason !== 'wrong_model' || raw === undefined) return undefined;
  const asked = parsed(request);
  const reply = parsed(raw);
  if (asked === undefined || reply === undefined) return undefined;
  const { identity, path, body } = asked;
  if (typeof identity !== 'string' || typeof path !== 'string' || !isJsonObject(body)) return undefined;
  const protocol = protocols(path);
  const model = protocol.modelOf(body);
  if (!isAccepted(model, protocol.servedModel(reply), ruleOf(rules, identity, model))) return undefined;
  const usage = protocol.usageOf(reply);
  if (usage === undefined) return undefined;
  return { request, raw, usage, model, identity, cost: cost ?? null, boughtAt: failedAt, node };
}

function parsed(text: string) {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
