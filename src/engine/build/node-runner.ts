/** Brings one node up to date once its inputs are: a hit in the store, or a run. */

import type { CallFailure, StoppedCall, TransientFailure } from '../../core/call.ts';
import type { ProblemId } from '../../core/catalogue.ts';
import type { NodeOutcome } from '../../core/events.ts';
import type { GraphNode } from '../../core/graph.ts';
import { type CallsKind, ROWS, type SourceKind, type TransformKind } from '../../core/kind.ts';
import { EXIT, type ExitCode, type Problem } from '../../core/problem.ts';
import { mixedText, ruleOf } from '../../core/served-model.ts';
import { type Action, DamageError, type ModelBill, type OutputRef } from '../../core/storage.ts';
import { systemProblem } from '../../core/system-problem.ts';
import { addMeter, type CallMeter, newMeter, type Replies } from '../../replies/source.ts';
import { asksAgain, mustRerun, unknownItems } from '../again.ts';
import { type Cause, causeText, incompleteText } from '../cause.ts';
import { evaluatePure, isHeavy, sizesOf, withSummary } from '../evaluate.ts';
import type { Executor } from '../executor.ts';
import { type NodeOutput, nodeInputs, type Upstream } from '../inputs.ts';
import type { BuildOptions } from '../options.ts';
import type { Ports } from '../ports.ts';
import { findAction, incompleteProblem, intolerable, type Keyed, keyNode } from '../survey.ts';
import type { PricedUsage } from '../tally.ts';
import { runCallsNode } from './calls-node.ts';
import { hopelessText } from './prospects.ts';

export interface NodeResult {
  readonly outcome: NodeOutcome;
  readonly action?: Action;
  readonly reason?: string;
  readonly problem?: Problem;
  /** Calls that are out in batches, where the node waits for nothing else. */
  readonly waiting?: number;
  /** Set when the build stopped before the node was done; one cause stops many nodes. */
  readonly stop?: { readonly id: ProblemId; readonly cause: string; readonly missing: number; readonly hint: string };
  /** The exit code that a failure calls for, where it is not the ordinary one. */
  readonly exit?: ExitCode;
  readonly calls?: { readonly bought: number; readonly cached: number; readonly failed: number };
  /** Dollars billed. */
  readonly cost?: number;
  /** Dollars set aside for tries of unknown outcome. */
  readonly unknown?: number;
  /** Dollars that what came in batches cost less than online. */
  readonly discount?: number;
  /** What came in batches of the calls behind its rows, in this build or before. */
  readonly batched?: readonly PricedUsage[];
  readonly models?: readonly ModelBill[];
  readonly milliseconds?: number;
}

/** Shared by all nodes of a build. */
export interface RunControl {
  /** Set when a failure means that nothing new should start. */
  halted: boolean;
}

type HopelessNode = Extract<Awaited<ReturnType<typeof runCallsNode>>, { type: 'hopeless' }>;

/** Milliseconds between two progress events of a node. */
const PROGRESS_EVERY = 100;

export class NodeRunner {
  readonly #ports: Ports;
  readonly #options: BuildOptions;
  readonly #control: RunControl;
  /** Undefined where nothing may be bought. */
  readonly #replies: Replies | undefined;
  /** What the nodes' calls came to so far: a node that waits for batches runs several times. */
  readonly #meters = new Map<string, CallMeter>();

  constructor(ports: Ports, options: BuildOptions, control: RunControl, replies: Replies | undefined) {
    this.#ports = ports;
    this.#options = options;
    this.#control = control;
    this.#replies = replies;
  }

  async run(node: GraphNode, output: (name: string) => Action): Promise<NodeResult> {
    const { store, now, emit } = this.#ports;
    let started = now();
    try {
      const keyed = await keyNode(node, output, this.#ports);
      const recorded = store.actions.get(keyed.key);
      const action = findAction(store, keyed.key);
      if (action !== undefined && !mustRerun(node, keyed.shape, action, this.#options)) {
        return judge(keyed, action, { outcome: 'cached' });
      }
      const reason = causeText(this.#cause(node, recorded, action), node.kind);
      const begin = () => {
        started = now();
        emit({ type: 'node-started', node: node.name, stage: node.stage, kind: node.kind, reason });
      };
      const result = await this.#execute(keyed, begin);
      return { ...result, milliseconds: now() - started };
    } catch (error) {
      const problem = systemProblem(error);
      if (problem !== undefined) return { ...failure(problem.problems[0]!, problem.exit), ...this.#spentBy(node.name) };
      if (error instanceof DamageError) {
        if (error.ref !== undefined) store.blobs.setAside(error.ref);
        return { ...failure(damageProblem(`node ${node.name}`, error), EXIT.damaged), ...this.#spentBy(node.name) };
      }
      throw error;
    }
  }

  #cause(node: GraphNode, recorded: Action | undefined, present: Action | undefined): Cause {
    if (this.#options.force.has(node.name)) return { type: 'forced' };
    if (present !== undefined) return { type: 'retry-failed' };
    return { type: recorded === undefined ? 'no-result' : 'output-missing' };
  }

  /** @param begin says that the node has started; a heavy one waits for a place first. */
  async #execute(keyed: Keyed, begin: () => void): Promise<NodeResult> {
    const { node, upstream } = keyed;
    const { kind } = this.#ports.kinds.get(node.kind)!;
    const { executor } = this.#ports;
    if (executor !== undefined && isHeavy(kind, node, upstream)) return this.#executeApart(keyed, executor, begin);
    begin();
    switch (kind.shape) {
      case 'source':
      case 'transform': {
        const pure = kind as SourceKind<unknown> | TransformKind<unknown>;
        const output = await evaluatePure(node, pure, upstream, this.#ports.store.blobs, this.#ports.sources);
        return judge(keyed, await this.#record(keyed, output), { outcome: 'run' });
      }
      case 'calls':
        return await this.#executeCalls(keyed, kind as CallsKind<unknown, unknown>);
    }
  }

  async #executeApart(keyed: Keyed, executor: Executor, begin: () => void): Promise<NodeResult> {
    const { node, upstream } = keyed;
    let begun = false;
    // Asked for each block of the work.
    const admit = () => {
      if (this.#control.halted || this.#options.interrupt.aborted) return false;
      if (!begun) begin();
      begun = true;
      return true;
    };
    const task = { node: node.name, kind: node.kind, params: node.params, upstream: valuesOf(upstream) };
    const result = await executor.run(task, admit);
    if (result === undefined) return { outcome: 'skipped', reason: 'the build stopped before it' };
    return judge(keyed, await this.#record(keyed, result.output), { outcome: 'run' });
  }

  async #executeCalls(keyed: Keyed, kind: CallsKind<unknown, unknown>): Promise<NodeResult> {
    const { node, upstream } = keyed;
    const { store, emit, now } = this.#ports;
    const inputs = nodeInputs(upstream, store.blobs);
    const unknown = unknownItems(this.#options, node.name, kind, kind.items(node.params, inputs));
    if (unknown.length > 0) return failure(unknownItemProblem(node, unknown), EXIT.badInput);
    const meter = this.#meterOf(node.name);
    const { items } = kind.expect(node.params, sizesOf(upstream));
    emit({ type: 'node-items', node: node.name, items });
    let last = 0;
    const progress = (done: number) => {
      if (now() - last < PROGRESS_EVERY && done < items) return;
      last = now();
      const cached = Math.max(0, done - meter.bought - meter.failed);
      const { bought, failed, inFlight, cost } = meter;
      emit({ type: 'node-progress', node: node.name, done, items, bought, cached, failed, inFlight, cost });
    };
    // A row that a flipped byte has changed must not be asked for and paid: inputs are read through before the first call.
    for (const ref of inputBlobs(upstream)) for (const _ of store.blobs.chunks(ref));
    const result = await runCallsNode({
      node: node.name,
      kind,
      params: node.params,
      inputs,
      calls: store.calls,
      protocols: this.#ports.protocols,
      blobs: store.blobs,
      replies: this.#replies,
      tolerate: node.tolerate,
      window: this.#options.jobs,
      asksAgain: asksAgain(this.#options, node, kind),
      meter,
      progress,
      onFailure: (item, callFailure) => emit({ type: 'call-failed', node: node.name, item, failure: callFailure }),
      halted: () => this.#control.halted,
    });
    if (meter.doubted > 0) emit({ type: 'note', text: doubtedText(node.name, meter.doubted, meter.unknown) });
    const { cost, unknown: reserved, discount, models } = meter;
    const spent = { cost, unknown: reserved, discount, models };
    if (result.type !== 'written') {
      const calls = { bought: meter.bought, cached: 0, failed: meter.failed };
      if (result.type === 'waiting') {
        const { missing: waiting } = result;
        const reason = `waits for ${waiting} ${waiting === 1 ? 'call' : 'calls'} of batches`;
        return { outcome: 'skipped', reason, waiting, exit: EXIT.waiting, calls, ...spent };
      }
      const ended =
        result.type === 'hopeless'
          ? failure(hopelessProblem(node, result, meter), EXIT.failed)
          : incomplete(node, result.missing, items, result.failure, this.#control.halted);
      return { ...ended, calls, ...spent };
    }
    for (const tally of result.summary.calls) {
      const told = mixedText(tally, ruleOf(node.served, tally.identity, tally.model));
      if (told !== undefined) emit({ type: 'note', text: `${node.name}: ${told}` });
    }
    const output = await withSummary({ [ROWS]: result.rows }, result.summary, store.blobs);
    const action = await this.#record(keyed, output, result.keys);
    const calls = { bought: meter.bought, cached: Math.max(0, result.calls - meter.bought), failed: meter.failed };
    return judge(keyed, action, { outcome: 'run', calls, batched: result.batched, ...spent });
  }

  /** What a node without rows has bought and paid for. */
  #spentBy(node: string): Pick<NodeResult, 'calls' | 'cost' | 'unknown' | 'discount' | 'models'> {
    const meter = this.#meters.get(node);
    if (meter === undefined) return {};
    const { bought, failed, cost, unknown, discount, models } = meter;
    return { calls: { bought, cached: 0, failed }, cost, unknown, discount, models };
  }

  /** The node's meter, with what came in batches for it. */
  #meterOf(node: string): CallMeter {
    let meter = this.#meters.get(node);
    if (meter === undefined) {
      meter = newMeter();
      this.#meters.set(node, meter);
    }
    const harvest = this.#replies?.takeHarvest(node);
    if (harvest !== undefined) addMeter(meter, harvest);
    return meter;
  }

  async #record(keyed: Keyed, { outputs, summary }: NodeOutput, calls?: OutputRef): Promise<Action> {
    const action: Action = {
      key: keyed.key,
      kind: keyed.node.kind,
      outputs,
      summary,
      parts: keyed.parts,
      finishedAt: this.#ports.now(),
      ...(calls === undefined ? {} : { calls }),
    };
    await this.#ports.store.actions.put(action);
    return action;
  }
}

const doubtedText = (node: string, replies: number, unknown: number): string =>
  `${node}: the usage of ${replies} ${replies === 1 ? 'reply' : 'replies'} is missing or cannot be true; ` +
  `$${unknown.toFixed(4)} may have been billed and is booked as unknown`;

function* inputBlobs(upstream: Upstream): Generator<OutputRef> {
  for (const group of upstream.values()) for (const { outputs } of group.values()) yield* Object.values(outputs);
}

/** Without what else a record holds, which need not cross to a thread. */
function valuesOf(upstream: Upstream): Upstream {
  return new Map(
    [...upstream].map(([name, group]) => [
      name,
      new Map([...group].map(([label, { outputs, summary }]) => [label, { outputs, summary }])),
    ]),
  );
}

/** A recorded node is a result, a refusal, or, where the stage tolerates less, a failure. */
function judge({ node, shape }: Keyed, action: Action, result: NodeResult): NodeResult {
  const why = intolerable(node, shape, action);
  if (why !== undefined) {
    const reason = incompleteText(why);
    return { ...result, outcome: 'failed', action, reason, problem: incompleteProblem(node, why, action.summary) };
  }
  const { refusal } = action.summary;
  return refusal === undefined ? { ...result, action } : { ...result, outcome: 'refused', action, reason: refusal };
}

function failure(problem: Problem, exit: ExitCode): NodeResult {
  return { outcome: 'failed', reason: problem.headline, problem, exit };
}

function incomplete(
  node: GraphNode,
  missing: number,
  items: number,
  cause: CallFailure | undefined,
  halted: boolean,
): NodeResult {
  const facts: [string, string][] = [['missing', `${missing} of ${items} items`]];
  const { place } = node;
  if (cause === undefined) {
    if (halted) return { outcome: 'skipped', reason: 'stopped after a failure elsewhere; what was bought is kept' };
    return failure(
      {
        id: 'CJE-OFFLINE',
        headline: `${node.name} needs replies that are not in the cache, and --offline forbids to buy them`,
        facts,
        place,
        hint: 'build without --offline',
      },
      EXIT.failed,
    );
  }
  switch (cause.class) {
    case 'stopped':
      return {
        outcome: 'failed',
        reason: cause.message,
        exit: STOPS[cause.reason].exit,
        stop: { id: STOPS[cause.reason].id, cause: cause.message, missing, hint: STOPS[cause.reason].hint },
      };
    case 'fatal':
      return failure(
        {
          id: FATAL_IDS[cause.reason],
          headline: `${node.name} failed: ${cause.message}`,
          facts,
          place,
          hint: FATAL_HINTS[cause.reason],
        },
        cause.reason === 'no_key' ? EXIT.badInput : EXIT.failed,
      );
    case 'transient':
      if (isOfBatches(cause.reason)) {
        const { id, hint } = OF_BATCHES[cause.reason];
        return failure({ id, headline: `${node.name} failed: ${cause.message}`, facts, place, hint }, EXIT.failed);
      }
      return failure(
        {
          id: 'CJE-RETRIES-SPENT',
          headline: `${node.name} failed: ${cause.outOfTime ? cause.message : `retries are spent (${cause.message})`}`,
          facts,
          place,
          hint: 'what was bought is kept; build again when the provider is well',
        },
        EXIT.failed,
      );
    case 'permanent':
      throw new Error('Internal error: a permanent failure does not stop a node');
  }
}

const unknownItemProblem = (node: GraphNode, items: readonly string[]): Problem => ({
  id: 'CJE-UNKNOWN-ITEM',
  headline: `${node.name} has no item ${items.join(', ')}, so nothing was asked again`,
  hint: 'name an item by its prompt id, or by its number counted from 0',
});

/** The longest part of a reply that is quoted. */
const EXCERPT = 200;

function hopelessProblem(node: GraphNode, { why, missing, example }: HopelessNode, meter: CallMeter): Problem {
  const facts: [string, string][] = [
    ['not bought', `${missing} items`],
    [
      'spent',
      `$${meter.cost.toFixed(4)}${meter.unknown === 0 ? '' : `, and $${meter.unknown.toFixed(4)} may have been billed`}`,
    ],
  ];
  if (example !== undefined) {
    const { item, reply } = example;
    const told = reply === undefined ? 'no reply' : reply.length <= EXCERPT ? reply : `${reply.slice(0, EXCERPT)}…`;
    facts.push(['first of them', `${item}: ${told}`]);
  }
  return {
    id: 'CJE-STOPPED-EARLY',
    headline: `${node.name} ${hopelessText(why)}`,
    facts,
    place: node.place,
    hint: hopelessHint(why.statuses[0]?.[0]),
  };
}

/** @param status of most rows that cannot be used */
const hopelessHint = (status: string | undefined): string =>
  status === 'key_repeated'
    ? 'the server writes its key into what it answers, and no key is ever kept: mend that there (a debug mode, a proxy that ' +
      'repeats headers), or take another key where this one is a word of the answers; then ask again with --retry-failed'
    : '`cje doctor` asks the model and says which setting mends it; then ask again with --retry-failed';

const STOPS = {
  budget: {
    id: 'CJE-BUDGET-REACHED',
    exit: EXIT.stopped,
    hint: 'what was bought is kept; go on with a higher --max-cost or --max-calls (or budget: in pipeline.yaml), or approve with --yes',
  },
  interrupted: {
    id: 'CJE-INTERRUPTED',
    exit: EXIT.interrupted,
    hint: 'what was bought is kept; the next build goes on from here',
  },
  offline: { id: 'CJE-OFFLINE', exit: EXIT.stopped, hint: 'build without --offline' },
  no_till: {
    id: 'CJE-REDIS-UNREACHABLE',
    exit: EXIT.failed,
    hint: 'is Redis running? What was bought is kept, here and at the till; the next build goes on',
  },
  till_failed: {
    id: 'CJE-TILL-FAILED',
    exit: EXIT.failed,
    hint: 'what `cje till` says there tells more; what was bought is kept, and the next build goes on',
  },
  till_cap: {
    id: 'CJE-BUDGET-REACHED',
    exit: EXIT.stopped,
    hint: 'what was bought is kept; go on with a higher `cap:` of the till in its cje.remote.yaml, and open the till again',
  },
  elsewhere: {
    id: 'CJE-ANSWER-ELSEWHERE',
    exit: EXIT.stopped,
    hint: 'open the till where its cache is, or give that to the shared cache with `cje cache push`; where it is lost, `cje cluster resolve --missing` lets such calls be bought again, and says so in the books',
  },
  unresolved: {
    id: 'CJE-CALLS-UNRESOLVED',
    exit: EXIT.stopped,
    hint: 'look at the bill; `cje cluster resolve` lets such calls be bought again',
  },
} as const satisfies Readonly<Record<StoppedCall['reason'], { id: ProblemId; exit: ExitCode; hint: string }>>;

const FATAL_IDS = {
  no_key: 'CJE-NO-KEY',
  bad_key: 'CJE-KEY-REFUSED',
  no_credit: 'CJE-NO-CREDIT',
  unknown_model: 'CJE-MODEL-NOT-SERVED',
  not_allowed: 'CJE-MODEL-NOT-ALLOWED',
  moved: 'CJE-ADDRESS-MOVED',
  untrusted: 'CJE-CERTIFICATE',
  bad_setting: 'CJE-PROVIDER-SETTING',
  engine_lost: 'CJE-LOCAL-ENGINE',
} as const;

/** What is told of calls that went in batches, by what came of them. */
const OF_BATCHES = {
  lost_in_batch: {
    id: 'CJE-BATCH-LOST',
    hint: 'what came back is kept; build again to ask for what is missing, and tell the provider the name of the batch',
  },
  batch_refused: {
    id: 'CJE-BATCH-REFUSED',
    hint: 'nothing was billed. Where it is about what the batch holds, `--lane online` buys the same calls one by one, and says which of them is wrong; a limit of the account holds there as well',
  },
  batch_limit: {
    id: 'CJE-BATCH-LIMIT',
    hint: 'nothing was billed. Build again when other batches of the account are back; a single call that is too much needs a higher limit there, or `--lane online`, whose limits are others',
  },
} as const satisfies Partial<Record<TransientFailure['reason'], { id: ProblemId; hint: string }>>;

const isOfBatches = (reason: TransientFailure['reason']): reason is keyof typeof OF_BATCHES => reason in OF_BATCHES;

const FATAL_HINTS = {
  no_key: 'set the variable that the provider file names under `key:`, or mend its `key_command:`',
  bad_key: 'the provider refuses the credential; check the variable that the provider file names',
  no_credit: 'the account has no credit left; what was bought is kept',
  unknown_model:
    'check `model:` in the provider file; `models:` maps each alias to a served model. A server that speaks chat alone answers the same to a policy without `api: chat`',
  not_allowed: 'the credential may not use this model',
  moved: 'is `base_url:` right? Redirects are not followed, because they would carry the credential elsewhere',
  untrusted:
    'name the certificate of whoever signed it under `ca_file:` in the provider file, or in the environment variable NODE_EXTRA_CA_CERTS',
  bad_setting: 'do what it says; settings stand in the provider file, or in the environment variable that is named',
  engine_lost:
    'what was answered is kept, and the next build goes on; if it ends again: is the file whole (compare its SHA-256 with its source), and is there memory for it (`context:`, `concurrency:`)?',
} as const;

/** What is said of a damaged output that was set aside. */
export function damageProblem(where: string, error: DamageError): Problem {
  return {
    id: 'CJE-CACHE-DAMAGED',
    headline: `the cache is damaged: ${error.message}`,
    facts: [
      ['met by', where],
      ['damaged', error.what],
    ],
    hint: 'build again: the damaged output was set aside and is made anew from the stored replies; `cje cache verify` looks for more',
  };
}
