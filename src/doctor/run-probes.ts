/** Puts the probes to a provider, through its limits and within the budget, and never through the cache. */

import type { BatchApis } from '../core/batch-port.ts';
import type { CallFailure, Request } from '../core/call.ts';
import type { Provider } from '../core/graph.ts';
import type { JsonObject } from '../core/json.ts';
import type { Listing } from '../core/protocol.ts';
import type { PriceBook } from '../core/provider-port.ts';
import { keyCall } from '../engine/keys.ts';
import { chatProtocolOf } from '../protocols/chat-protocols.ts';
import type { HttpProviderClient } from '../providers/client.ts';
import type { SeenExchange } from '../providers/client-options.ts';
import type { Clock } from '../providers/clock.ts';
import type { NetworkEnvironment } from '../providers/connections.ts';
import { proxyFor } from '../providers/proxy.ts';
import { credentialsOf, keyVariables, type Secrets } from '../providers/secrets.ts';
import { buyCall } from '../replies/http.ts';
import { requestOf } from '../replies/source.ts';
import type { Spend } from '../replies/spend.ts';
import { failureHint } from './answers.ts';
import { batchTrials, tryBatch } from './batches.ts';
import type { ModelChecked, ProviderChecked } from './events.ts';
import { limitFindings } from './limits.ts';
import { type Check, check, failureText, type Probe, type ProbeReply } from './probe.ts';
import { type ModelFindings, notAsked, probeModel } from './probe-model.ts';
import type { ProbeTarget } from './probe-targets.ts';
import type { SampleRow } from './sample-call.ts';

export interface ConsultOptions {
  readonly buyer: HttpProviderClient;
  readonly spend: Spend;
  readonly prices: PriceBook;
  readonly secrets: Secrets;
  /** What the environment says of proxies. */
  readonly environment: NetworkEnvironment;
  readonly overlong: SampleRow | undefined;
  /** Present where batches of one are to be made. */
  readonly batches?: { readonly apis: BatchApis; readonly clock: Clock };
  /** A draw that no call had before: a server must not answer a call with another's reply, nor with an earlier run's. */
  readonly newDraw: () => string;
  /** What servers said of their limits so far; filled by the buyer. */
  readonly seen: readonly SeenExchange[];
  readonly signal: AbortSignal;
  /** Told what is being asked. */
  readonly onProgress: (text: string) => void;
}

/** What the calls to one model came to. */
interface CallMeter {
  calls: number;
  failed: number;
  /** Dollars billed. */
  cost: number;
  /** Dollars set aside for tries of unknown outcome. */
  unknown: number;
}

export interface Findings {
  readonly provider: ProviderChecked;
  readonly models: readonly ModelChecked[];
  /** Calls without a reply. */
  readonly failed: number;
}

/** A provider and its models, one call after another. */
export async function runProbes(
  provider: Provider,
  targets: readonly ProbeTarget[],
  options: ConsultOptions,
): Promise<Findings> {
  const { checks, listing, unreachable } = await look(provider, options);
  const models: ModelChecked[] = [];
  let stopped = unreachable;
  let failed = 0;
  for (const target of targets) {
    const meter: CallMeter = { calls: 0, failed: 0, cost: 0, unknown: 0 };
    const { prices, overlong } = options;
    const last: { failure: CallFailure | undefined } = { failure: undefined };
    const examination =
      stopped === undefined
        ? await answered(probeModel(target, { prices, listing, overlong }), target, meter, last, options)
        : notAsked([], stopped);
    const tried = stopped === undefined ? await batchesTried(target, meter, options) : [];
    const isBroken = tried.some(({ status }) => status === 'failure');
    const verdict = isBroken && examination.verdict === 'ok' ? 'would-fail' : examination.verdict;
    models.push(modelChecked(target, { ...examination, verdict, checks: [...examination.checks, ...tried] }, meter));
    failed += meter.failed;
    if (stopped === undefined && last.failure !== undefined && stopsProvider(last.failure)) {
      stopped = last.failure.reason.replaceAll('_', ' ');
    }
  }
  const limits = limitFindings(
    provider,
    options.seen.filter(({ identity }) => identity === provider.identity),
  );
  const { name, identity } = provider;
  return {
    provider: {
      type: 'provider-checked',
      provider: name,
      identity,
      checks: [...checks, ...limits.checks],
      settings: limits.settings,
    },
    models,
    failed,
  };
}

/** True for what every other call to the provider would end in as well. */
function stopsProvider(failure: CallFailure): boolean {
  if (failure.class === 'fatal') return failure.reason !== 'unknown_model';
  if (failure.class === 'stopped') return failure.reason === 'interrupted';
  return failure.class === 'transient' && (failure.reason === 'connection' || failure.reason === 'timeout');
}

interface ListingResult {
  readonly checks: readonly Check[];
  readonly listing: Listing | undefined;
  /** Why nothing can be asked. */
  readonly unreachable: string | undefined;
}

interface KeyResult {
  readonly checks: Check[];
  /** Why nothing can be asked. */
  readonly unusable: string | undefined;
}

/** Every variable is named, since it is the later ones that nobody thinks of until the first is refused. */
function keyCheck(provider: Provider, secrets: Secrets): KeyResult {
  const result = (status: Check['status'], detail: string, hint?: string, unusable?: string): KeyResult => ({
    checks: [check('key', status, detail, hint)],
    unusable,
  });
  if (provider.access?.keyCommand !== undefined) return result('note', 'what key_command prints');
  const variables = keyVariables(provider);
  const [first] = variables;
  if (first === undefined) {
    return provider.type === 'simulator' ? { checks: [], unusable: undefined } : result('note', 'none is asked for');
  }
  const isSet = (name: string) => (secrets(name) ?? '').trim() !== '';
  const present = variables.filter(isSet);
  const absent = variables.filter((name) => !isSet(name));
  const credential = credentialsOf(provider, secrets);
  if (!credential.ok) {
    if (present.length > 0) return result('failure', credential.failure.message, undefined, 'the key is no key');
    return result('failure', `${list(absent)} not set`, `export ${first}=…`, 'no key');
  }
  if (absent.length === 0) return result('ok', `${list(present)} set`);
  return result('warning', `${list(present)} set, ${list(absent)} not`, 'one that is not set is passed over');
}

/** `A is`, `A and B are`. */
const list = (names: readonly string[]): string => `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'}`;

async function look(
  provider: Provider,
  { buyer, secrets, environment, signal, onProgress }: ConsultOptions,
): Promise<ListingResult> {
  const { identity } = provider;
  const key = keyCheck(provider, secrets);
  const checks: Check[] = key.checks;
  if (key.unusable !== undefined) return { checks, listing: undefined, unreachable: key.unusable };
  const proxy = provider.baseUrl === undefined ? undefined : proxyFor(provider.baseUrl, environment);
  if (proxy !== undefined) {
    const detail = `through ${proxy}, as the environment says`;
    checks.push(check('proxy', 'note', detail, 'NO_PROXY lists hosts that are reached without it'));
  }

  onProgress(`${provider.name}: models`);
  const { models } = chatProtocolOf(provider);
  const looked = await buyer.look(identity, models.path, signal);
  if (looked.ok) {
    const listing = models.read(looked.body);
    const lists = listing === undefined ? 'in a shape that is not read' : String(listing.models.length);
    checks.push(check('server', 'ok', `answers; models listed: ${lists}`));
    return { checks, listing, unreachable: undefined };
  }
  const { failure, status } = looked;
  if (failure.class === 'stopped') return { checks, listing: undefined, unreachable: failure.message };
  if (status === null) {
    checks.push(check('server', 'failure', failureText(failure), failureHint(failure.reason)));
    return { checks, listing: undefined, unreachable: 'the server does not answer' };
  }
  // A listing is a courtesy: whether the key is good for what is needed, the calls will tell.
  checks.push(check('server', 'note', `answers, and lists no models (${failure.message})`));
  return { checks, listing: undefined, unreachable: undefined };
}

async function answered(
  probe: Probe<ModelFindings>,
  { ref, aliases, provider }: ProbeTarget,
  meter: CallMeter,
  last: { failure: CallFailure | undefined },
  options: ConsultOptions,
): Promise<ModelFindings> {
  let step = probe.next();
  while (!step.done) {
    meter.calls++;
    options.onProgress(`${provider.name}: ${aliases[0] ?? ref.model}, call ${meter.calls}`);
    const reply = await ask(step.value, ref.model, meter, options);
    last.failure = reply.ok ? undefined : reply.failure;
    step = probe.next(reply);
  }
  return step.value;
}

/** A batch of one of each way of asking that can wait, or might. */
async function batchesTried(target: ProbeTarget, meter: CallMeter, options: ConsultOptions): Promise<Check[]> {
  const { batches, onProgress } = options;
  const api = await batches?.apis(target.provider.identity);
  if (batches === undefined || api === undefined) return [];
  const checks: Check[] = [];
  for (const each of batchTrials(target)) {
    onProgress(`${target.provider.name}: ${target.aliases[0] ?? target.ref.model}, a batch of one`);
    const tried = await tryBatch(each, { ...options, api, clock: batches.clock });
    checks.push(tried.check);
    if (tried.settled === undefined) continue;
    meter.calls++;
    if (tried.settled.certain) meter.cost += tried.settled.dollars ?? 0;
    else meter.unknown += tried.settled.dollars ?? 0;
  }
  return checks;
}

/** Asks once, within the budget; where that forbids it, that is the answer. */
async function ask(request: Request, model: string, meter: CallMeter, options: ConsultOptions): Promise<ProbeReply> {
  const { spend, buyer, signal, onProgress } = options;
  const call = keyCall({ ...request, draw: options.newDraw() });
  const { result, billed, unknown, tries } = await buyCall(buyer, spend, requestOf(call), model, {
    signal,
    onRetry: (failure) => onProgress(`trying again after ${failureText(failure)}`),
  });
  meter.cost += billed;
  meter.unknown += unknown;
  if (result.ok) return { ok: true, raw: JSON.parse(result.raw) as JsonObject };
  const { failure, raw } = result;
  if (failure.class === 'stopped' && failure.reason === 'budget' && tries === 0) {
    meter.calls--;
    return { ok: false, failure };
  }
  // A reply that is no answer is what a probe looks at: why it is none is for the probe to find.
  if (raw !== undefined) return { ok: true, raw: JSON.parse(raw) as JsonObject };
  meter.failed++;
  return { ok: false, failure };
}

function modelChecked(
  target: ProbeTarget,
  { verdict, checks, changes, advice = [] }: ModelFindings,
  meter: CallMeter,
): ModelChecked {
  return {
    type: 'model-checked',
    provider: target.provider.name,
    model: target.ref.model,
    aliases: target.aliases,
    nodes: target.uses.flatMap(({ nodes }) => nodes),
    verdict,
    checks,
    settings: Object.fromEntries([...changes, ...advice].map(({ setting, value }) => [setting, value])),
    calls: meter.calls,
    cost: meter.cost,
    unknown: meter.unknown,
  };
}
