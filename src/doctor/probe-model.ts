/** One model from end to end: what the pipeline asks of it, what it gives, and whether the pipeline can live with that. */

import type { Json } from '../core/json.ts';
import { nearest } from '../core/problem.ts';
import type { Listing } from '../core/protocol.ts';
import type { PriceBook } from '../core/provider-port.ts';
import { isExpected, servedName } from '../core/served-model.ts';
import { pricePerMillion } from '../text/money.ts';
import { type Examined, examineChat, examineCompletion } from './answers.ts';
import { batchChecks } from './batches.ts';
import { type Change, type ProbeDialect, probeDialectOf } from './dialect.ts';
import { examineForcing } from './forcing.ts';
import { type Check, check, choiceOf, lastReply, modelOf, type Probe } from './probe.ts';
import { answersOf, PLAIN, type ProbeTarget, type Use } from './probe-targets.ts';
import { ownAnswer, type SampleRow } from './sample-call.ts';

/** `would-fail`: as the provider file stands, the nodes that use the model fail or lose what they are for. */
export type ModelVerdict = 'ok' | 'would-fail' | 'not-asked';

export interface ModelFindings {
  readonly verdict: ModelVerdict;
  readonly checks: readonly Check[];
  /** Settings under which it works, where those in the provider file do not. */
  readonly changes: readonly FoundSetting[];
  /** Settings under which it would work better. */
  readonly advice?: readonly FoundSetting[];
}

/** A line for the model in the provider file. */
interface FoundSetting {
  readonly setting: string;
  readonly value: Json;
}

interface ExamineOptions {
  readonly prices: PriceBook;
  readonly listing: Listing | undefined;
  readonly overlong: SampleRow | undefined;
}

/** Why a model cannot be asked at all. */
export function notAsked(checks: readonly Check[], detail: string): ModelFindings {
  return { verdict: 'not-asked', checks: [...checks, check('calls', 'note', `not asked: ${detail}`)], changes: [] };
}

export function* probeModel(target: ProbeTarget, options: ExamineOptions): Probe<ModelFindings> {
  const { ref, provider } = target;
  const price = priceCheck(target, options.prices);
  const checks: Check[] = [...listedChecks(target, options.listing), price];
  if (price.status === 'failure') {
    return { verdict: 'would-fail', checks, changes: [] };
  }
  checks.push(...batchChecks(target));
  const probeDialect = probeDialectOf(ref);
  const names = new Set<string>();
  let own: SampleRow | undefined;
  let lostPath: string | undefined;
  for (const use of target.uses) {
    if (lostPath === pathOf(use)) continue;
    const changesBefore = probeDialect.changes.length;
    const { checks: found, result } = yield* examineUse(use, probeDialect, {
      own,
      answers: answersOf(target.uses),
      listing: options.listing,
      overlong: options.overlong,
    });
    const { failure } = result;
    if (failure?.class === 'stopped') {
      checks.push(...found.filter(({ status }) => status !== 'failure'));
      return { ...notAsked(checks, failure.message), changes: probeDialect.changes };
    }
    checks.push(...probeDialect.changes.slice(changesBefore).map(changeCheck));
    checks.push(...found.map((each) => withNearest(each, failure?.reason, target, options.listing)));
    if (use.role === 'completion' && own === undefined) own = ownOf(lastReply(result));
    const name = modelOf(lastReply(result));
    if (name !== undefined) names.add(name);
    // A model that one path does not offer may be there on another; anything else is the same for all.
    if (failure?.reason === 'unknown_model') lostPath = pathOf(use);
    else if (failure !== undefined && failure.class !== 'permanent') break;
  }
  const named = nameFindings(target, names);
  checks.push(...named.checks);
  const fails = checks.some(({ status }) => status === 'failure');
  if (target.uses.length === 0) checks.push(check('calls', 'note', `nothing was asked of it under ${provider.name}`));
  const advice = provider.type === 'simulator' ? [] : probeDialect.advice;
  return {
    verdict: fails ? 'would-fail' : 'ok',
    checks,
    changes: [...probeDialect.changes, ...named.changes],
    ...(advice.length === 0 ? {} : { advice }),
  };
}

const pathOf = ({ role }: Use): string => (role === 'chat' ? 'chat' : 'completions');

function examineUse(
  use: Use,
  probeDialect: ProbeDialect,
  options: Parameters<typeof examineForcing>[2],
): Probe<Examined> {
  switch (use.role) {
    case 'completion':
      return examineCompletion(use, probeDialect, options.listing);
    case 'forcing':
      return examineForcing(use, probeDialect, options);
    case 'chat':
      return examineChat(use, probeDialect);
  }
}

function ownOf(raw: Parameters<typeof choiceOf>[0]): SampleRow | undefined {
  const { text } = choiceOf(raw);
  return typeof text === 'string' && text !== '' ? ownAnswer(PLAIN.prompt, text) : undefined;
}

/** A setting that had to be changed: the model works, the pipeline as it is written does not. */
function changeCheck({ setting, value, because }: Change): Check {
  const hint =
    setting === 'temperature'
      ? 'works without a temperature: it then samples at its own, whatever a policy or judge file says'
      : `works with '${setting}: ${String(value)}'`;
  return check(setting, 'failure', because, hint);
}

function priceCheck({ ref, provider }: ProbeTarget, prices: PriceBook): Check {
  const million = (inputTokens: number, outputTokens: number) =>
    prices.cost(ref.identity, ref.model, { inputTokens, cachedInputTokens: 0, outputTokens });
  const [input, output] = [million(1e6, 0), million(0, 1e6)];
  if (input !== undefined && output !== undefined) {
    const origin = prices.origin?.(ref.identity, ref.model);
    const read = origin === undefined ? '' : ` (${origin})`;
    return check(
      'price',
      'ok',
      `${pricePerMillion(input)} in, ${pricePerMillion(output)} out for a million tokens${read}`,
    );
  }
  const hint = `add '${ref.model}: { input: …, output: … }' to the price table (0 for a server of your own)`;
  return prices.simulated(ref.identity)
    ? check('price', 'note', 'none is known; the money is simulated')
    : check('price', 'failure', `none is known, so nothing is bought from ${provider.name} under this name`, hint);
}

function listedChecks({ ref }: ProbeTarget, listing: Listing | undefined): Check[] {
  if (listing === undefined) return [];
  const listed = listing.models.find((name) => isExpected(ref.model, name, undefined));
  const context = listing.contexts.get(listed ?? ref.model);
  const length = context === undefined ? '' : `, with a context of ${context} tokens`;
  const as = listed === ref.model ? '' : ` as ${listed}`;
  if (listed !== undefined) return [check('listed', 'ok', `the provider lists it${as}${length}`)];
  return [check('listed', 'note', `it is not among the ${listing.models.length} models that the provider lists`)];
}

function withNearest(
  found: Check,
  reason: string | undefined,
  { ref }: ProbeTarget,
  listing: Listing | undefined,
): Check {
  if (found.status !== 'failure' || reason !== 'unknown_model' || listing === undefined) return found;
  if (listing.models.includes(ref.model)) return { ...found, hint: 'it is listed, but not served in this way' };
  const meant = nearest(ref.model, listing.models);
  if (meant !== undefined) return { ...found, hint: `did you mean 'model: ${meant}'?` };
  const [first] = listing.models;
  return first === undefined
    ? found
    : { ...found, hint: `the provider lists ${listing.models.slice(0, 3).join(', ')}` };
}

interface NameFindings {
  readonly checks: readonly Check[];
  readonly changes: readonly FoundSetting[];
}

/** A build refuses replies of another model, unless the file says that it is the one that is meant. */
function nameFindings({ ref, served }: ProbeTarget, names: ReadonlySet<string>): NameFindings {
  const told = (status: Check['status'], detail: string, hint?: string): NameFindings => ({
    checks: [check('name', status, detail, hint)],
    changes: [],
  });
  if (names.size === 0) return { checks: [], changes: [] };
  const others = [...names].filter((name) => name !== ref.model);
  if (others.length === 0) return told('ok', 'answers under the name that was asked for');
  const detail = `asked for ${ref.model}, answers as ${others.map(servedName).join(' and ')}`;
  const wrong = others.filter((name) => !isExpected(ref.model, name, served)).map(servedName);
  if (wrong.length === 0) {
    const pin = "what stands behind it may change: 'model:' with the exact name pins it (and makes other keys)";
    return told('note', detail, pin);
  }
  if (served?.mismatch === 'note') return told('warning', `${detail}; taken, as 'model_mismatch: note' says`);
  const value = [...(served?.answersAs ?? []), ...wrong];
  const hint = `works with 'answers_as: ${JSON.stringify(value)}', if that is the model you mean`;
  return { checks: [check('answers_as', 'failure', detail, hint)], changes: [{ setting: 'answers_as', value }] };
}
