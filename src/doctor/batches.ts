/** Batches: which of a model's calls can wait in them, and, where that is asked for, whether a batch of one is taken. */

import { type BatchApi, type BatchState, type NewBatch, ResultsCut } from '../core/batch-port.ts';
import type { Request } from '../core/call.ts';
import { digestText } from '../core/digest.ts';
import { isJsonObject } from '../core/json.ts';
import type { TryOutcome } from '../core/provider-port.ts';
import { keyCall } from '../engine/keys.ts';
import { lanesOf } from '../engine/lanes.ts';
import { protocolAt } from '../protocols/index.ts';
import type { Clock } from '../providers/clock.ts';
import type { Settled } from '../replies/budget.ts';
import { requestOf } from '../replies/source.ts';
import type { Spend } from '../replies/spend.ts';
import { type Check, check, choiceOf, failureText } from './probe.ts';
import { type ProbeTarget, sampleOf, type Use } from './probe-targets.ts';

/** One way of asking a model that goes in batches, or might. */
interface BatchTrial {
  readonly request: Request;
  /** Names of kinds that ask so. */
  readonly kinds: readonly string[];
  /** Whether it asks for the log probabilities of its prompt. */
  readonly echoes: boolean;
  /** Whether the provider file lets it go in batches. */
  readonly isOn: boolean;
}

/** The ways in which the pipeline asks the model by a path that its provider's batches take. */
export function batchTrials({ provider, uses }: Pick<ProbeTarget, 'provider' | 'uses'>): readonly BatchTrial[] {
  const { canBatch } = lanesOf({ nodes: new Map(), providers: [provider] }, protocolAt, undefined);
  const trials = new Map<string, BatchTrial>();
  for (const use of uses) {
    const request = sampleOf(use);
    if (request === undefined) continue;
    const { identity, path, body } = request;
    if (!canBatch(identity, path, false)) continue;
    const echoes = protocolAt(path).echoes(body);
    const name = `${path} ${echoes}`;
    const kinds = new Set([...(trials.get(name)?.kinds ?? []), use.kind.name]);
    trials.set(name, { request, kinds: [...kinds], echoes, isOn: canBatch(identity, path, echoes) });
  }
  return [...trials.values()];
}

/** What the provider file and the API say, without asking anybody. */
export function batchChecks(target: Pick<ProbeTarget, 'provider' | 'uses'>): Check[] {
  const { provider, uses } = target;
  if (uses.length === 0) return [];
  const { batch } = provider;
  if (batch === undefined) {
    return [check('batches', 'note', 'none are known of this provider, so all is asked online', HINT)];
  }
  const kindsOf = (some: readonly Use[]) => [...new Set(some.map(({ kind }) => kind.name))].join(', ');
  const waiting = new Set(batchTrials(target).flatMap(({ kinds, isOn }) => (isOn ? kinds : [])));
  const online = uses.filter(({ kind }) => !waiting.has(kind.name));
  const share = `${Math.round(batch.price * 100)} % of the price`;
  const taken = waiting.size === 0 ? `none of these calls (API: ${batch.api})` : [...waiting].join(', ');
  const rest = online.length === 0 || waiting.size === 0 ? '' : `; online: ${kindsOf(online)}`;
  return [check('batches', 'note', `take ${taken}${waiting.size === 0 ? '' : `, for ${share}`}${rest}`)];
}

const HINT = '`batch:` in the provider file says otherwise (docs/batch.md)';

interface TrialPorts {
  readonly api: BatchApi;
  readonly spend: Spend;
  readonly newDraw: () => string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface TrialFindings {
  readonly check: Check;
  /** Undefined where nothing was asked. */
  readonly settled: Settled | undefined;
}

/** Milliseconds that a batch of one is waited for, and between two looks at it. */
const LONGEST_STAY = 30_000;
const LOOK = 2_000;

/** Makes a batch of one, waits for it a little, and cancels it. */
export async function tryBatch(tried: BatchTrial, ports: TrialPorts): Promise<TrialFindings> {
  const { request, echoes } = tried;
  const call = keyCall({ ...request, draw: ports.newDraw() });
  const { path } = request;
  const model = protocolAt(path).modelOf(request.body);
  const name = echoes ? 'batch_echo' : 'batch';
  const permit = await ports.spend.admit(requestOf(call), model, 'batch');
  if ('class' in permit) return { check: check(name, 'note', `not asked: ${permit.message}`), settled: undefined };
  const batch = { id: digestText(`batch ${call.key}`), model, path, calls: [{ key: call.key, body: call.body }] };
  const end = await endOf(batch, ports);
  return { check: checkOf(name, tried, end), settled: permit.settle(end.outcome) };
}

/** What became of a batch of one. */
type End =
  | { readonly type: 'refused'; readonly why: string; readonly outcome: TryOutcome }
  | { readonly type: 'cancelled'; readonly why: string; readonly outcome: TryOutcome }
  | { readonly type: 'answered'; readonly raw: string; readonly outcome: TryOutcome };

async function endOf(batch: NewBatch, { api, clock, signal }: TrialPorts): Promise<End> {
  const uploaded = await api.upload(batch);
  if (!uploaded.ok) return { type: 'refused', why: failureText(uploaded.failure), outcome: { billed: 'no' } };
  const created = await api.create(batch, uploaded.value);
  if (!created.ok) {
    const billed = created.maybeDone ? 'maybe' : 'no';
    return { type: 'refused', why: failureText(created.failure), outcome: { billed } };
  }
  let state = created.value;
  const begun = clock.now();
  while (state.end === undefined && clock.now() - begun < LONGEST_STAY && !signal.aborted) {
    await clock.sleep(LOOK, signal);
    const looked = await api.look(state.id);
    if (looked.ok) state = looked.value;
  }
  if (state.end === undefined) return cancelled(state, api);
  if (state.end === 'refused') {
    return { type: 'refused', why: state.mistakes[0]?.message ?? state.status, outcome: { billed: 'no' } };
  }
  return readAnswer(batch, state, api);
}

async function cancelled(state: BatchState, api: BatchApi): Promise<End> {
  const { ok } = await api.cancel(state.id);
  const why = ok ? `cancelled while it was ${state.status}` : `${state.id} could not be cancelled`;
  return { type: 'cancelled', why, outcome: { billed: 'maybe' } };
}

async function readAnswer({ path, model }: NewBatch, state: BatchState, api: BatchApi): Promise<End> {
  try {
    for await (const rows of api.rows(state)) {
      for (const row of rows) {
        if (row.type !== 'response') continue;
        const { result, outcome } = api.judge({ identity: '', path, model }, row);
        if (result.ok) return { type: 'answered', raw: result.raw, outcome };
        return { type: 'refused', why: failureText(result.failure), outcome };
      }
    }
  } catch (error) {
    if (!(error instanceof ResultsCut)) throw error;
    return { type: 'cancelled', why: `its results cannot be read: ${error.message}`, outcome: { billed: 'maybe' } };
  }
  return { type: 'cancelled', why: `it ended without an answer (${state.status})`, outcome: { billed: 'maybe' } };
}

function checkOf(name: string, { kinds, echoes, isOn }: BatchTrial, end: End): Check {
  const what = kinds.join(', ');
  switch (end.type) {
    case 'refused':
      return isOn
        ? check(name, 'failure', `${what}: a batch of one is refused (${end.why})`, '`lane: online`, or mend `batch:`')
        : check(name, 'note', `${what}: a batch of one is refused (${end.why}), so these stay online`);
    case 'cancelled':
      return check(name, 'ok', `${what}: a batch of one is taken; ${end.why}`);
    case 'answered':
      if (!echoes) return check(name, 'ok', `${what}: a batch of one is answered`);
      if (!hasLogprobs(end.raw)) {
        const detail = `${what}: a batch of one comes back without log probabilities`;
        return isOn
          ? check(name, 'failure', detail, "take 'echo: true' out of `batch:`")
          : check(name, 'note', `${detail}, so these stay online`);
      }
      return isOn
        ? check(name, 'ok', `${what}: a batch of one comes back with log probabilities`)
        : check(
            name,
            'note',
            `${what}: a batch of one comes back with log probabilities`,
            "add 'echo: true' to `batch:`",
          );
  }
}

function hasLogprobs(raw: string): boolean {
  const reply: unknown = JSON.parse(raw);
  const { logprobs } = choiceOf(isJsonObject(reply) ? reply : undefined);
  return isJsonObject(logprobs) && Array.isArray(logprobs.token_logprobs) && logprobs.token_logprobs.length > 1;
}
