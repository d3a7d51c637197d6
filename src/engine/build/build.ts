/** A build: makes targets up to date, buys only what the store lacks, and says what it did. */

import { type BuildEvent, EVENTS_VERSION, type NodeOutcome, type Totals } from '../../core/events.ts';
import { type Graph, type GraphNode, upstreamNames } from '../../core/graph.ts';
import { EXIT, type ExitCode, type Problem, type ProblemError } from '../../core/problem.ts';
import { type Action, type BuildRecord, DamageError, type LockHolder, type ModelBill } from '../../core/storage.ts';
import { systemProblem } from '../../core/system-problem.ts';
import { batchDiscount } from '../../replies/batch-discount.ts';
import { chain } from '../../replies/chain.ts';
import { addModels, type CallMeter, newMeter, type Replies } from '../../replies/source.ts';
import { answeredSince, asksAnew, mustRerun, unlistedAnswers } from '../again.ts';
import { incompleteText } from '../cause.ts';
import type { BuildOptions } from '../options.ts';
import { chainPorts, type Ports } from '../ports.ts';
import { nodeOf, reach } from '../select.ts';
import { type FinishedNode, incompleteProblem, intolerable, survey } from '../survey.ts';
import { lockedProblem, takeLock } from './lock.ts';
import { damageProblem, type NodeResult, NodeRunner, type RunControl } from './node-runner.ts';
import { problemsOf } from './problems.ts';

export interface BuildOutcome {
  readonly exit: ExitCode;
  readonly totals: Totals;
  /** The record's id; null for a build that found everything up to date. */
  readonly build: string | null;
  readonly results: ReadonlyMap<string, NodeResult>;
  readonly holder?: LockHolder;
}

/** What is built, with what, and since when. */
interface BuildRequest {
  readonly graph: Graph;
  readonly targets: readonly string[];
  /** All that the targets reach. */
  readonly nodes: readonly GraphNode[];
  readonly options: BuildOptions;
  readonly ports: Ports;
  readonly startedAt: number;
}

export async function build(
  graph: Graph,
  targets: readonly string[],
  options: BuildOptions,
  ports: Ports,
): Promise<BuildOutcome> {
  const nodes = reach(graph, targets);
  const request: BuildRequest = { graph, targets, nodes, options, ports, startedAt: ports.now() };
  const { emit } = ports;
  emit({
    type: 'started',
    version: EVENTS_VERSION,
    experiment: graph.name,
    profile: graph.profile,
    targets,
    nodes: nodes.length,
    stages: nodesByStage(nodes),
  });

  const idle = await upToDate(request);
  if (idle !== undefined) return idle;

  const lock = await takeLock(options, ports).catch(cannotWrite);
  switch (lock.type) {
    case 'unwritable':
      for (const problem of lock.error.problems) emit({ type: 'problem', problem });
      return nothingDone(request, lock.error.exit);
    case 'held':
      emit({ type: 'problem', problem: lockedProblem(lock.holder) });
      return { ...nothingDone(request, EXIT.locked), holder: lock.holder };
    case 'interrupted':
      return nothingDone(request, EXIT.interrupted);
    case 'taken':
      break;
  }
  let replies: Replies | undefined;
  try {
    // The build that was waited for may have done the work.
    const done = lock.waited ? await upToDate(request) : undefined;
    if (done !== undefined) return done;
    replies = options.offline ? undefined : chain(chainPorts(options, ports));
    await replies?.open();
    const results = await runRounds(request, replies);
    const found = new Map<string, { action: Action }>();
    for (const [name, { action }] of results) if (action !== undefined) found.set(name, { action });
    const made = nodes.filter((node) => found.has(node.name));
    const uncopied = await syncOut(graph, made, found, ports);
    const rest = replies?.takeRest();
    tellSharedAnew(request, results);
    const outcome = await finish(request, { results, id: ports.buildId(), uncopied, rest });
    // Where this fails, what is unknown is told twice rather than not at all.
    if (outcome.build !== null) await replies?.booked().catch(() => {});
    return outcome;
  } finally {
    replies?.close();
    await ports.store.lock.release();
  }
}

/** What keeps the lock from being written, as a full disk does. */
function cannotWrite(error: unknown): { readonly type: 'unwritable'; readonly error: ProblemError } {
  const told = systemProblem(error);
  if (told === undefined) throw error;
  return { type: 'unwritable', error: told };
}

/** Nodes that share calls with one that asked anew keep what was made of the earlier answers; how they take the new ones. */
function tellSharedAnew({ options, ports }: BuildRequest, results: ReadonlyMap<string, NodeResult>): void {
  if (![...results.keys()].some((name) => asksAnew(options, name))) return;
  for (const [name, { outcome, action }] of results) {
    if (outcome !== 'cached' || action === undefined) continue;
    const calls = answeredSince(action, ports.store);
    if (calls === 0) continue;
    const text = `${name} shares ${calls === 1 ? 'a call' : `${calls} calls`} that another node asked anew, and keeps the earlier answers; \`--force ${name}\` takes the new ones, and buys nothing`;
    ports.emit({ type: 'note', text });
  }
}

/** A name that is taken out of the provider file takes no answer out of a finished node: how those are asked anew. */
function tellUnlisted({ graph, ports }: BuildRequest, results: ReadonlyMap<string, NodeResult>): void {
  for (const [name, { outcome, action }] of results) {
    if (outcome !== 'cached' || action === undefined) continue;
    const unlisted = unlistedAnswers(nodeOf(graph, name), action);
    if (unlisted === undefined) continue;
    const { name: by, model, answers } = unlisted;
    const text = `${name} keeps ${answers === 1 ? 'an answer' : `${answers} answers`} of ${by}, which no \`answers_as:\` lists for ${model} now; \`--ask-again ${name}\` asks the model anew`;
    ports.emit({ type: 'note', text });
  }
}

/** How many nodes each stage has, as a build's first event says. */
export function nodesByStage(nodes: readonly GraphNode[]): Record<string, number> {
  const stages = new Map<string, number>();
  for (const { stage } of nodes) stages.set(stage, (stages.get(stage) ?? 0) + 1);
  return Object.fromEntries(stages);
}

/** The outcome of a build with nothing to do, which takes no lock and leaves no record; undefined where there is work. */
async function upToDate(request: BuildRequest): Promise<BuildOutcome | undefined> {
  const { graph, nodes, options, ports } = request;
  const found = await survey(nodes, ports);
  const fresh = nodes.every((node) => {
    const entry = found.get(node.name);
    return entry !== undefined && !mustRerun(node, entry.shape, entry.action, options);
  });
  if (!fresh || !sameAsLast(nodes, found, ports)) return undefined;
  const uncopied = await syncOut(graph, nodes, found, ports);
  const results = new Map(nodes.map((node) => [node.name, cachedResult(node, found.get(node.name)!)]));
  return finish(request, { results, id: null, uncopied });
}

function nothingDone(request: BuildRequest, exit: ExitCode): BuildOutcome {
  const { nodes, ports } = request;
  const outcome = { exit, totals: totalsOf(new Map(), nodes, new Map(), ports), build: null, results: new Map() };
  emitFinished(request, outcome);
  return outcome;
}

/** Runs what can be run, and what waits for batches again when they are back; each node that has its end is told of once. */
async function runRounds(
  request: BuildRequest,
  replies: Replies | undefined,
): Promise<ReadonlyMap<string, NodeResult>> {
  const { options, ports } = request;
  const control: RunControl = { halted: false };
  const runner = new NodeRunner(ports, options, control, replies);
  const known = new Map<string, NodeResult>();
  for (;;) {
    const results = await runAll(request, runner, control, known);
    const turn = (await replies?.turn()) ?? 'done';
    for (const [name, result] of results) if (turn !== 'again' || !isWaiting(result)) known.set(name, result);
    if (turn === 'again' && !options.interrupt.aborted) continue;
    for (const [name, result] of results) {
      if (isWaiting(result)) ports.emit(finishedEvent(nodeOf(request.graph, name), result));
    }
    return results;
  }
}

/** Whether a node waits for batches, by itself or for one that does. */
const isWaiting = ({ exit }: NodeResult): boolean => exit === EXIT.waiting;

/** @param known how nodes ended that need not be looked at again */
async function runAll(
  { graph, nodes, options, ports }: BuildRequest,
  runner: NodeRunner,
  control: RunControl,
  known: ReadonlyMap<string, NodeResult>,
): Promise<Map<string, NodeResult>> {
  // A node is one memoised promise: its inputs, its key, then a hit or a run.
  const promises = new Map<string, Promise<NodeResult>>();
  const settle = (name: string): Promise<NodeResult> => {
    let promise = promises.get(name);
    if (promise === undefined) {
      promise = settleNode(name);
      promises.set(name, promise);
    }
    return promise;
  };
  const settleNode = async (name: string): Promise<NodeResult> => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const node = nodeOf(graph, name);
    const upstream = new Map<string, NodeResult>();
    await Promise.all(upstreamNames(node).map(async (input) => upstream.set(input, await settle(input))));
    const lacking = [...upstream].find(([, result]) => actionOf(result) === undefined || result.outcome === 'failed');
    let result: NodeResult;
    if (lacking !== undefined) {
      const [blocker, why] = lacking;
      const waiting = isWaiting(why);
      const reason = `${blocker} ${waiting ? 'waits for batches' : 'has no result'}`;
      result = { outcome: 'skipped', reason, ...(waiting ? { exit: EXIT.waiting } : {}) };
    } else if (control.halted || options.interrupt.aborted) {
      result = { outcome: 'skipped', reason: 'the build stopped before it' };
    } else {
      result = await runner.run(node, (input) => actionOf(upstream.get(input))!);
    }
    if (result.outcome === 'failed' && options.onFailure === 'stop-new') control.halted = true;
    if (!isWaiting(result)) ports.emit(finishedEvent(node, result));
    return result;
  };
  await Promise.all(nodes.map((node) => settle(node.name)));
  const results = new Map<string, NodeResult>();
  for (const node of nodes) results.set(node.name, await settle(node.name));
  return results;
}

function finishedEvent(node: GraphNode, result: NodeResult): BuildEvent {
  const action = actionOf(result);
  return {
    type: 'node-finished',
    node: node.name,
    stage: node.stage,
    outcome: result.outcome,
    ...(result.stop === undefined ? {} : { unfinished: true as const }),
    ...(action === undefined ? {} : { summary: action.summary }),
    ...(result.reason === undefined ? {} : { reason: result.reason }),
    calls: result.calls ?? { bought: 0, cached: 0, failed: 0 },
    cost: result.cost ?? 0,
    ...((result.unknown ?? 0) === 0 ? {} : { unknown: result.unknown! }),
    milliseconds: result.milliseconds ?? 0,
  };
}

const actionOf = (result: NodeResult | undefined): Action | undefined => result?.action;

function cachedResult(node: GraphNode, { action, shape }: FinishedNode): NodeResult {
  const why = intolerable(node, shape, action);
  if (why !== undefined) {
    return {
      outcome: 'failed',
      action,
      reason: incompleteText(why),
      problem: incompleteProblem(node, why, action.summary),
    };
  }
  const refusal = action.summary.refusal;
  return refusal === undefined ? { outcome: 'cached', action } : { outcome: 'refused', action, reason: refusal };
}

/** Whether each node has the key that it had in the newest build that knew it: a build of other targets does not count. */
function sameAsLast(nodes: readonly GraphNode[], found: ReadonlyMap<string, FinishedNode>, ports: Ports): boolean {
  const open = new Set(nodes.map((node) => node.name));
  for (const record of ports.store.builds.list()) {
    for (const name of open) {
      const known = record.nodes[name];
      if (known === undefined) continue;
      if (known.key !== found.get(name)!.action.key) return false;
      open.delete(name);
    }
    if (open.size === 0) return true;
  }
  return false;
}

/** What kept the copies under `out/` from being made. */
interface CopyFailure {
  readonly problem: Problem;
  readonly exit: ExitCode;
}

/** Makes the copies under `out/` be right; says why not where an output is damaged, which is set aside then. */
async function syncOut(
  graph: Graph,
  nodes: readonly GraphNode[],
  found: ReadonlyMap<string, { readonly action: Action }>,
  ports: Ports,
): Promise<CopyFailure | undefined> {
  try {
    await ports.out.sync(
      nodes.map(({ name }) => ({ name, outputs: found.get(name)!.action.outputs })),
      new Set(graph.nodes.keys()),
    );
    return undefined;
  } catch (error) {
    if (error instanceof DamageError) {
      return { problem: damageProblem('the copies under out/', error), exit: EXIT.damaged };
    }
    const told = systemProblem(error);
    if (told === undefined) throw error;
    return { problem: told.problems[0]!, exit: told.exit };
  }
}

/** What came of the nodes, before it is told and recorded. */
interface Ending {
  readonly results: ReadonlyMap<string, NodeResult>;
  /** Of the record; null for a build that leaves none. */
  readonly id: string | null;
  /** Why the copies under `out/` are not all there. */
  readonly uncopied: CopyFailure | undefined;
  readonly rest?: Rest['rest'] | undefined;
}

interface Rest {
  /** What came in batches by node and is in no result: the node had ended before, or is not built. */
  readonly rest: ReadonlyMap<string, CallMeter>;
}

async function finish(
  request: BuildRequest,
  { results, id, uncopied, rest = new Map() }: Ending,
): Promise<BuildOutcome> {
  const { graph, options, ports } = request;
  const nodes = [...results.keys()].map((name) => nodeOf(graph, name));
  const exit = uncopied === undefined ? exitOf(results, options) : uncopied.exit;
  const totals = totalsOf(results, nodes, rest, ports);
  tellUnlisted(request, results);
  const problems = problemsOf(results);
  if (uncopied !== undefined) addProblem(problems, uncopied.problem);
  const record = id === null ? undefined : recordOf(request, { id, results, rest, totals, exit, uncopied });
  const unrecorded = record === undefined ? undefined : await writeRecord(record, ports);
  for (const problem of unrecorded?.problems ?? []) addProblem(problems, problem);
  for (const problem of problems) ports.emit({ type: 'problem', problem });
  const outcome: BuildOutcome =
    unrecorded === undefined
      ? { exit, totals, build: id, results }
      : { exit: exit === EXIT.built ? unrecorded.exit : exit, totals, build: null, results };
  emitFinished(request, outcome);
  return outcome;
}

/** What keeps the copies or the record from being written may be what stopped the nodes; a full disk is told once. */
function addProblem(problems: Problem[], problem: Problem): void {
  const full = 'CJE-CACHE-FULL';
  if (problem.id === full && problems.some(({ id }) => id === full)) return;
  if (!problems.some(({ headline }) => headline.includes(problem.headline))) problems.push(problem);
}

/** @returns why it could not be written, as on a full disk. */
async function writeRecord(record: BuildRecord, ports: Ports): Promise<ProblemError | undefined> {
  try {
    await ports.store.builds.put(record);
    return undefined;
  } catch (error) {
    const problem = systemProblem(error);
    if (problem === undefined) throw error;
    return problem;
  }
}

function emitFinished({ ports, startedAt }: BuildRequest, outcome: BuildOutcome): void {
  const { exit, build: id, totals } = outcome;
  ports.emit({ type: 'finished', exit, build: id, milliseconds: ports.now() - startedAt, ...totals });
}

function exitOf(results: ReadonlyMap<string, NodeResult>, options: BuildOptions): ExitCode {
  const all = [...results.entries()];
  const failures = all.filter(([, result]) => result.outcome === 'failed');
  for (const exit of [EXIT.interrupted, EXIT.damaged, EXIT.badInput, EXIT.stopped] as const) {
    if (failures.some(([, result]) => result.exit === exit)) return exit;
  }
  if (options.interrupt.aborted && all.some(([, result]) => result.outcome === 'skipped')) return EXIT.interrupted;
  if (failures.length > 0) return EXIT.failed;
  if (all.some(([, result]) => isWaiting(result))) return EXIT.waiting;
  if (all.some(([name, result]) => result.outcome === 'refused' && options.named.has(name))) return EXIT.failed;
  return EXIT.built;
}

function totalsOf(
  results: ReadonlyMap<string, NodeResult>,
  nodes: readonly GraphNode[],
  rest: ReadonlyMap<string, CallMeter>,
  ports: Ports,
): Totals {
  const counts: Record<NodeOutcome, number> = { run: 0, cached: 0, failed: 0, refused: 0, skipped: 0 };
  const calls = { bought: 0, cached: 0, failed: 0 };
  let billed = 0;
  let unknown = 0;
  let saved = 0;
  let discount = 0;
  let reproduce: number | null = 0;
  for (const result of results.values()) {
    counts[result.outcome]++;
    calls.bought += result.calls?.bought ?? 0;
    calls.cached += result.calls?.cached ?? 0;
    calls.failed += result.calls?.failed ?? 0;
    billed += result.cost ?? 0;
    unknown += result.unknown ?? 0;
    const cost = costOf(result.action, ports);
    if (cost === null || reproduce === null) reproduce = null;
    else reproduce += cost;
    discount += result.discount ?? 0;
    if (result.calls !== undefined && cost !== null) {
      // What came in batches is worth what batches cost, whichever build they came in.
      const less = (result.batched ?? []).reduce((sum, each) => sum + batchDiscount(ports.prices, each, each.usage), 0);
      saved += Math.max(0, cost - less - (result.cost ?? 0) - (result.unknown ?? 0));
    }
  }
  for (const meter of rest.values()) {
    calls.bought += meter.bought;
    calls.failed += meter.failed;
    billed += meter.cost;
    unknown += meter.unknown;
    discount += meter.discount;
  }
  if (results.size < nodes.length) reproduce = null;
  return {
    nodes: counts,
    calls,
    cost: {
      billed: settled(billed),
      unknown: settled(unknown),
      saved: settled(saved),
      ...(settled(discount) === 0 ? {} : { discount: settled(discount) }),
      reproduce: reproduce === null ? null : settled(reproduce),
    },
  };
}

/** Without the dust that sums of floating-point dollars leave; a billionth of a dollar is no money. */
const settled = (dollars: number): number => Math.round(dollars * 1e9) / 1e9;

/**
 * Dollars to buy a node's replies from nothing; 0 for a node without calls. Null where a price is unknown, or the node was not made,
 * so that nobody knows which calls it takes.
 */
function costOf(action: Action | undefined, ports: Ports): number | null {
  if (action === undefined) return null;
  let total = 0;
  for (const tally of action.summary.calls) {
    const cost = ports.prices.cost(tally.identity, tally.model, tally);
    if (cost === undefined) return null;
    total += cost;
  }
  return total;
}

function recordOf(
  { graph, targets, ports, startedAt, options: { look } }: BuildRequest,
  {
    id,
    results,
    rest,
    totals,
    exit,
    uncopied,
  }: Pick<BuildRecord, 'id' | 'totals' | 'exit'> & Pick<Ending, 'results' | 'uncopied'> & Rest,
): BuildRecord {
  const nodes: Record<string, BuildRecord['nodes'][string]> = {};
  for (const name of new Set([...results.keys(), ...rest.keys()])) {
    const result: NodeResult = results.get(name) ?? { outcome: 'skipped' };
    const late = rest.get(name) ?? newMeter();
    const models: ModelBill[] = [];
    for (const bills of [result.models ?? [], late.models]) addModels(models, bills);
    const unknown = (result.unknown ?? 0) + late.unknown;
    nodes[name] = {
      key: result.action?.key ?? null,
      outcome: result.outcome,
      outputs: result.action?.outputs ?? {},
      bought: (result.calls?.bought ?? 0) + late.bought,
      cost: (result.cost ?? 0) + late.cost,
      ...(unknown === 0 ? {} : { unknown }),
      ...(result.outcome === 'failed' && result.reason !== undefined ? { reason: result.reason } : {}),
      ...(models.length === 0 ? {} : { models }),
    };
  }
  const { name: experiment, profile } = graph;
  const gate = look === undefined ? {} : { gate: look.of ?? id };
  const lacking = uncopied === undefined ? {} : { uncopied: uncopied.problem.headline };
  const finishedAt = ports.now();
  return { id, ...gate, startedAt, finishedAt, experiment, profile, targets, exit, ...lacking, totals, nodes };
}
