/** Plans one node after the other, from what is known of those before it. */

import type { KeyedCall } from '../../core/call.ts';
import { type GraphNode, upstreamNames } from '../../core/graph.ts';
import type { JsonObject } from '../../core/json.ts';
import { type CallsKind, type Inputs, type Kind, ROWS, type SourceKind, type TransformKind } from '../../core/kind.ts';
import type { Action } from '../../core/storage.ts';
import { lookUp, storedReply } from '../../replies/local.ts';
import { asksAgain, asksAnew, mustRerun } from '../again.ts';
import type { Cause } from '../cause.ts';
import { ownChanges } from '../changes.ts';
import { drive } from '../drive.ts';
import { evaluatePure, examineSource, isHeavy, ownParts, sizesOf, withSummary } from '../evaluate.ts';
import { type History, partsOf } from '../history.ts';
import { nodeInputs, type Upstream } from '../inputs.ts';
import { changedParts, type KeyParts, type PartChange } from '../keys.ts';
import type { CanBatch } from '../lanes.ts';
import { findAction, intolerable, keyNode } from '../survey.ts';
import { BlobMeter, partialRef } from './overlay.ts';
import { partDigests } from './plan-check.ts';
import { builtCalls, expectedCalls, mergeCalls, type PlannedCalls } from './plan-cost.ts';
import { PlannedItems } from './plan-items.ts';
import type { MissingItem, PlannedNode, PlanOptions, PlanPorts } from './planned.ts';
import { type PlannedOutput, PlannedOutputs } from './planned-outputs.ts';
import { RecordedUsage } from './usage.ts';

interface Planned {
  readonly planned: PlannedNode;
  readonly output: PlannedOutput;
}

/** What every plan of a node begins with. */
type Base = Pick<PlannedNode, 'node' | 'stage' | 'kind' | 'parts'>;
type Why = Pick<PlannedNode, 'key' | 'why' | 'changes' | 'waitsFor'>;

const NOTHING_TO_BUY = { hits: 0, unsettled: 0, calls: 0, exact: true, models: [] } as const;

export class NodePlanner {
  readonly #history: History;
  readonly #options: PlanOptions;
  readonly #ports: PlanPorts;
  readonly #usage: RecordedUsage;
  readonly #outputs: PlannedOutputs;
  readonly #parts = new Map<string, KeyParts>();
  /** Nodes that some node with calls depends on, so that their outputs decide what is bought. */
  readonly #deciding = new Set<string>();
  /** Keys of calls that the plan buys already: equal requests are one call, whichever nodes ask. */
  readonly #planned = new Set<string>();
  readonly #examplesWanted: number;
  readonly #canBatch: CanBatch;
  /** The first items of each edited node that ask what is not stored. */
  readonly missing: MissingItem[] = [];

  constructor(
    reached: readonly GraphNode[],
    history: History,
    options: PlanOptions,
    ports: PlanPorts,
    examplesWanted: number,
    canBatch: CanBatch,
  ) {
    this.#canBatch = canBatch;
    this.#history = history;
    this.#options = options;
    this.#ports = ports;
    this.#examplesWanted = examplesWanted;
    this.#usage = new RecordedUsage(history, ports.store);
    this.#outputs = new PlannedOutputs(reached, ports, options.keepRows === true);
    for (const node of reached.toReversed()) {
      if (ports.kinds.get(node.kind)?.kind.shape !== 'calls' && !this.#deciding.has(node.name)) continue;
      for (const name of upstreamNames(node)) this.#deciding.add(name);
    }
  }

  /** Nodes come in topological order. */
  async plan(node: GraphNode): Promise<PlannedNode> {
    const { planned, output } = await this.#plan(node);
    this.#outputs.set(node, output);
    return planned;
  }

  /** What the key of a node was made of; undefined while the outputs that it depends on are not known. */
  partsOf(node: string): KeyParts | undefined {
    return this.#parts.get(node);
  }

  /** The inputs of a planned node as far as their rows are known; undefined where nothing is. The plan must keep its rows. */
  inputsOf(node: GraphNode): Inputs | undefined {
    return this.#outputs.inputsOf(node);
  }

  async #plan(node: GraphNode): Promise<Planned> {
    const { kind } = this.#ports.kinds.get(node.kind)!;
    const names = { node: node.name, stage: node.stage, kind: node.kind };
    const waitsFor = this.#outputs.unknownTo(node);
    if (waitsFor.length > 0) return this.#planWaiting(node, kind, names, waitsFor);

    const keyed = await keyNode(node, (name) => this.#outputs.of(name) as Action, this.#ports);
    const base: Base = { ...names, parts: partDigests(node, keyed.parts) };
    this.#parts.set(node.name, keyed.parts);
    const action = findAction(this.#ports.store, keyed.key);
    if (action !== undefined && !mustRerun(node, kind.shape, action, this.#options)) {
      const { items } = action.summary;
      const lacking = intolerable(node, kind.shape, action);
      const planned: PlannedNode = {
        ...base,
        ...NOTHING_TO_BUY,
        action: 'cached',
        why: lacking ?? { type: 'up-to-date' },
        key: keyed.key,
        changes: [],
        waitsFor: [],
        items,
      };
      return { planned, output: { type: 'known', output: action, evaluated: false } };
    }
    const past = this.#history.of(node.name);
    const changes = past === undefined ? [] : changedParts(partsOf(past.action), keyed.parts);
    const cause = this.#causeOf(node, past?.action, changes);
    const why: Why = { key: keyed.key, why: cause, changes, waitsFor: [] };
    if (kind.shape !== 'calls') return this.#planPure(node, kind, keyed.upstream, base, why);
    if (this.#options.fromSizes === true) return this.#planFromSizes(node, kind, base, why);
    return this.#planCalls(node, kind, keyed.upstream, base, why);
  }

  #causeOf(node: GraphNode, last: Action | undefined, changes: readonly PartChange[]): Cause {
    if (this.#options.force.has(node.name)) return { type: 'forced' };
    if (last === undefined) return { type: 'new' };
    if (changes.length > 0) return { type: 'changed', changes };
    return { type: asksAnew(this.#options, node.name) ? 'retry-failed' : 'output-missing' };
  }

  /** A node below one whose output is not known: what it would do with the rows that are there, and a bound for the rest. */
  async #planWaiting(
    node: GraphNode,
    kind: Kind,
    names: Omit<Base, 'parts'>,
    waitsFor: readonly string[],
  ): Promise<Planned> {
    const past = this.#history.of(node.name);
    const now = await ownParts(node, this.#ports.kinds.get(node.kind)!, this.#ports.sources);
    const base: Base = { ...names, parts: partDigests(node, now) };
    const changes = past === undefined ? [] : ownChanges(partsOf(past.action), now);
    const why: Why = { key: null, why: { type: 'waits', on: waitsFor, changes }, changes, waitsFor };
    if (kind.shape === 'calls' && this.#outputs.areReadable(node) && this.#options.fromSizes !== true) {
      return this.#planCalls(node, kind, this.#outputs.upstreamOf(node), base, why);
    }
    if (kind.shape === 'source') await examineSource(node, kind, this.#ports.sources);
    return this.#planFromSizes(node, kind, base, why);
  }

  /** What the kind expects of inputs of such sizes. */
  #planFromSizes(node: GraphNode, kind: Kind, base: Base, why: Why): Planned {
    const expectation = kind.expect(node.params, this.#outputs.sizesFor(node));
    const models = mergeCalls(
      expectation.calls.map((calls) => {
        const typical = this.#usage.typical(node.name, node.kind, calls.model);
        return expectedCalls(calls, typical, this.#ports.prices, this.#canBatch);
      }),
    );
    const calls = models.reduce((sum, model) => sum + model.calls, 0);
    const { items } = expectation;
    const planned: PlannedNode = {
      ...base,
      ...why,
      action: 'run',
      items,
      unsettled: items,
      hits: 0,
      calls,
      exact: models.length === 0,
      models,
    };
    return { planned, output: { type: 'expected', items } };
  }

  async #planPure(node: GraphNode, kind: Kind, upstream: Upstream, base: Base, why: Why): Promise<Planned> {
    const pure = kind as SourceKind<unknown> | TransformKind<unknown>;
    const planned = (items: number): PlannedNode => ({
      ...base,
      ...why,
      ...NOTHING_TO_BUY,
      action: 'run',
      items,
    });
    // Skip nodes that nobody reads, and slow nodes that do not affect what is bought.
    const unread = !this.#outputs.isRead(node.name);
    const idle = !this.#deciding.has(node.name) && isHeavy(kind, node, upstream);
    if (unread || idle || (pure.shape === 'source' && needsDownload(pure, node))) {
      const { items } = kind.expect(node.params, sizesOf(upstream));
      return { planned: planned(items), output: { type: 'expected', items } };
    }
    const output = await evaluatePure(node, pure, upstream, this.#outputs.blobs, this.#ports.sources);
    return { planned: planned(output.summary.items), output: { type: 'known', output, evaluated: true } };
  }

  /** Drives every item against the store. `upstream` may be partial, and then holds the rows that are known. */
  async #planCalls(
    node: GraphNode,
    kind: CallsKind<unknown, unknown>,
    upstream: Upstream,
    base: Base,
    why: Why,
  ): Promise<Planned> {
    const { prices } = this.#ports;
    const past = this.#history.of(node.name);
    const within = kind.expect(node.params, sizesOf(upstream));
    const perItem = within.items === 0 ? 1 : Math.ceil(callsIn(within.calls) / within.items);
    const unread = !this.#outputs.isRead(node.name);
    const meter = unread ? undefined : new BlobMeter();
    const counted = new PlannedItems({
      node: node.name,
      kind,
      params: node.params,
      known: this.#lookUp(),
      asksAgain: asksAgain(this.#options, node, kind),
      planned: this.#planned,
      protocols: this.#ports.protocols,
      canBatch: this.#canBatch,
      perItem,
      meter,
      examples: past === undefined ? 0 : this.#examplesWanted,
    });
    for (const item of kind.items(node.params, nodeInputs(upstream, this.#outputs.blobs))) counted.add(item);
    this.missing.push(...counted.missing);
    const { tally, items, unsettled, calls } = counted;

    const built = [...counted.demands.values()];
    const models = built.map((demand) => {
      const typical = this.#usage.typical(node.name, node.kind, demand, counted.answered);
      return builtCalls(demand, typical, within.calls, prices);
    });
    const first = models.reduce((sum, model) => sum + model.calls, 0);
    // Beyond the first missing reply of an item, and for items that are not there yet, only the number is known.
    const total = kind.expect(node.params, this.#outputs.sizesFor(node));
    const unknown = calls - first + Math.max(0, callsIn(total.calls) - callsIn(within.calls));
    const more = this.#expectedRest(node, total.calls, unknown, counted);
    const partial = unsettled > 0 || why.waitsFor.length > 0;
    const planned: PlannedNode = {
      ...base,
      ...why,
      requests: { items, unsettled, edited: past !== undefined },
      action: 'run',
      items: Math.max(items, total.items),
      unsettled,
      hits: tally.calls,
      calls: first + unknown,
      exact: unknown === 0 && why.waitsFor.length === 0,
      models: mergeCalls([...models, ...more]),
    };
    if (unread) return { planned, output: { type: 'expected', items: planned.items } };
    const rows = () => this.#settledRows(node, kind, upstream);
    if (partial) {
      const ref = partialRef(node.name);
      this.#outputs.blobs.derive(ref, rows);
      const output = { outputs: { [ROWS]: ref }, summary: tally.summary() };
      return { planned, output: { type: 'partial', output, items: planned.items } };
    }
    const ref = meter!.finish();
    this.#outputs.blobs.derive(ref, rows);
    const output = await withSummary({ [ROWS]: ref }, tally.summary(), this.#outputs.blobs);
    return { planned, output: { type: 'known', output, evaluated: true } };
  }

  #lookUp() {
    const { calls } = this.#ports.store;
    // An empty ledger need not be asked for each request.
    let find = storedReply;
    for (const _ of calls.scanFailures()) {
      find = lookUp;
      break;
    }
    return (call: KeyedCall) => find(calls, call);
  }

  /** The rows that stored replies settle, made again from them. */
  *#settledRows(node: GraphNode, kind: CallsKind<unknown, unknown>, upstream: Upstream): Generator<JsonObject> {
    const known = this.#lookUp();
    const again = asksAgain(this.#options, node, kind);
    let index = 0;
    for (const item of kind.items(node.params, nodeInputs(upstream, this.#outputs.blobs))) {
      if (again?.(item, index++, known) === true) continue;
      const end = drive(kind.row(item, node.params), undefined, known, () => {});
      if (end.done) yield end.row;
    }
  }

  #expectedRest(
    node: GraphNode,
    expected: ReturnType<Kind['expect']>['calls'],
    calls: number,
    { demands, answered }: Pick<PlannedItems, 'demands' | 'answered'>,
  ): PlannedCalls[] {
    const [first] = expected;
    if (calls === 0 || first === undefined) return [];
    const typical = this.#usage.typical(node.name, node.kind, first.model, answered);
    const inputTokens = demands.inputTokens(first.model) ?? first.inputTokens;
    return [expectedCalls({ ...first, calls, inputTokens }, typical, this.#ports.prices, this.#canBatch)];
  }
}

const callsIn = (expected: readonly { readonly calls: number }[]): number =>
  expected.reduce((sum, { calls }) => sum + calls, 0);

function needsDownload(kind: SourceKind<unknown>, node: GraphNode): boolean {
  return Object.values(kind.locate(node.params)).some((location) => location.type === 'url');
}
