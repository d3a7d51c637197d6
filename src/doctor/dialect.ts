/** How a model wants to be spoken to, found by trying: what a refusal or a reading says to change, and as which line. */

import type { CallFailure, Dialect, ModelRef } from '../core/call.ts';
import type { Json } from '../core/json.ts';
import { isUsable, statusOf } from '../core/summary.ts';
import { bosOf } from '../teacher-forcing/prompt.ts';
import { madeUpItem, type ToyItem } from './made-up.ts';
import { choiceOf, lastReply, type Probe, type RowResult, rowOf } from './probe.ts';
import { byText, type Role, type Use, withModel } from './probe-targets.ts';

/** A setting of a model in the provider file that decides how the model is spoken to. */
type Setting = 'token_limit' | 'temperature' | 'echo_tokens' | 'bos' | 'forcing' | 'json';

/** What is tried once: a setting, or where it has more than two values one of them. */
export type Try = Exclude<Setting, 'json'> | 'json object' | 'json none';

const tryOf = ({ setting, value }: Pick<Change, 'setting' | 'value'>): Try =>
  setting === 'json' ? (`json ${String(value)}` as 'json object' | 'json none') : setting;

export interface Change {
  readonly setting: Setting;
  readonly value: Json;
  /** What the server said or did under the setting as it is written. */
  readonly because: string;
}

/** A model while it is examined: the dialect that works so far, and what had to be changed for it. */
export interface ProbeDialect {
  ref: ModelRef;
  readonly written: ModelRef;
  readonly changes: Change[];
  /** Lines that the pipeline can do without, and would do better with. */
  readonly advice: Change[];
  readonly tried: Set<Try>;
}

export const probeDialectOf = (ref: ModelRef): ProbeDialect => ({
  ref,
  written: ref,
  changes: [],
  advice: [],
  tried: new Set(),
});

/** Settings that a row of this role may try to change: each is tried once in all, and asks one row anew. */
export const triable = (role: Role): readonly Try[] => {
  switch (role) {
    case 'completion':
      return ['token_limit', 'temperature', 'bos'];
    case 'forcing':
      return ['echo_tokens', 'bos'];
    case 'chat':
      return ['token_limit', 'temperature', 'json object', 'json none'];
  }
};

/** A row as the stage makes it, tried again in another dialect where the answer says that this one is wrong. */
export function* settledRow(use: Use, item: ToyItem, probeDialect: ProbeDialect): Probe<RowResult> {
  const before = probeDialect.ref;
  let proposed: Change[] = [];
  let result = yield* rowIn(use, item, probeDialect);
  const first = result;
  for (
    let change = wanted(use.role, result, probeDialect);
    change !== undefined;
    change = wanted(use.role, result, probeDialect)
  ) {
    probeDialect.tried.add(tryOf(change));
    const { setting } = change;
    proposed = [...proposed.filter((other) => other.setting !== setting), change];
    probeDialect.ref = { ...probeDialect.ref, dialect: changed(probeDialect.ref.dialect, change) };
    result = yield* rowIn(use, item, probeDialect);
  }
  if (gaveRow(result) || proposed.length === 0) {
    probeDialect.changes.push(...proposed);
    return result;
  }
  // Nothing that was tried helped, so the first answer is the one to be told.
  probeDialect.ref = before;
  return first;
}

/** A row in the dialect that works so far. */
export function rowIn(use: Use, item: ToyItem, probeDialect: ProbeDialect): Probe<RowResult> {
  const made = madeUpItem(use.kind, use.params, use.inputs, item);
  const ref = use.role === 'forcing' ? byText(probeDialect.ref) : probeDialect.ref;
  return rowOf(use.kind, made, withModel(use.params, probeDialect.written, ref));
}

export const gaveRow = (result: RowResult): boolean => result.row !== undefined && isUsable(statusOf(result.row));

function changed(dialect: Dialect, { setting, value }: Change): Dialect {
  switch (setting) {
    case 'token_limit':
      return { ...dialect, tokenLimit: value as Dialect['tokenLimit'] };
    case 'temperature':
      return { ...dialect, temperature: value as boolean };
    case 'echo_tokens':
      return { ...dialect, echoTokens: value as Dialect['echoTokens'] };
    case 'json':
      return { ...dialect, json: value as NonNullable<Dialect['json']> };
    case 'bos':
      return { ...dialect, bos: value as Dialect['bos'] };
    case 'forcing':
      return { ...dialect, forcing: value as NonNullable<Dialect['forcing']> };
  }
}

/** The next change that the last answer asks for and that was not tried. */
function wanted(role: Role, result: RowResult, { ref, tried }: ProbeDialect): Change | undefined {
  const { dialect } = ref;
  const change = (setting: Setting, value: Json, because: string): Change | undefined =>
    tried.has(tryOf({ setting, value })) ? undefined : { setting, value, because };
  const refusal = refusalOf(result.failure);
  if (role === 'forcing') {
    const moreTokens = (because: string) => (dialect.echoTokens === 0 ? change('echo_tokens', 1, because) : undefined);
    if (refusal !== undefined) return moreTokens(refusal);
    // Not every server refuses 0 in so many words.
    if (result.failure?.reason === 'server_error') return moreTokens(result.failure.message);
    // Some servers generate a token although none is asked for; the alignment then has one left over.
    if (result.row?.status === 'shape') return moreTokens('it generates a token although none is asked for');
    if (result.row?.status !== 'bos') return undefined;
    return dialect.bos === 'server'
      ? change('bos', 'prompt', 'the server puts no beginning-of-text token in front')
      : change('bos', 'server', 'the server puts a beginning-of-text token in front of the prompt’s own');
  }
  if (role === 'chat') {
    // A server that takes a schema may still pass it over.
    const unheld = result.row?.status === 'unparseable' ? 'the model is not held to the schema' : undefined;
    const because = refusal !== undefined && NO_SCHEMA.test(refusal) ? refusal : unheld;
    if (because !== undefined && dialect.json !== 'none') {
      return change('json', dialect.json === undefined ? 'object' : 'none', because);
    }
  }
  if (refusal === undefined) {
    const twice = doubledStart(result, dialect);
    return twice === undefined || dialect.bos === 'server' ? undefined : change('bos', 'server', twice);
  }
  if (dialect.temperature && /temperature|top_p/i.test(refusal)) return change('temperature', false, refusal);
  // Only OpenAI's API has two names for it.
  if (ref.protocol !== undefined || !/max_(completion_)?tokens/i.test(refusal)) return undefined;
  const other = dialect.tokenLimit === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
  return change('token_limit', other, refusal);
}

/** Said of a prompt whose ids begin with the same token twice, where the template has a beginning-of-text token. */
export function doubledStart(result: RowResult, dialect: Dialect): string | undefined {
  if (bosOf(dialect) === null) return undefined;
  const raw = lastReply(result);
  const ids = choiceOf(raw).prompt_token_ids ?? raw?.prompt_token_ids;
  if (!Array.isArray(ids) || ids.length < 2 || ids[0] !== ids[1]) return undefined;
  return `the prompt begins with token ${String(ids[0])} twice`;
}

/** Words for a schema, or for JSON as such, over all servers that are known. */
const NO_SCHEMA = /response_?format|json[ _]?(schema|object|mode)|structured|guided/i;

/** The server's words, where it refused the request as it was put. */
function refusalOf(failure: CallFailure | undefined): string | undefined {
  return failure?.class === 'permanent' && failure.reason === 'rejected' ? failure.message : undefined;
}
