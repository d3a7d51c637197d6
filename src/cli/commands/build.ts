/** `cje build`: make targets up to date. */

import { join } from 'node:path';
import { Command, Option } from 'clipanion';
import { type BuildEvent, EVENTS_VERSION, type Listener, NOTHING_DONE } from '../../core/events.ts';
import { mostInFlight } from '../../core/graph.ts';
import { EXIT, type ExitCode, type Problem } from '../../core/problem.ts';
import { blobsOf } from '../../core/storage.ts';
import { isPlain } from '../../engine/again.ts';
import { type BuildOutcome, build, nodesByStage } from '../../engine/build/build.ts';
import type { Executor } from '../../engine/executor.ts';
import { lanesOf } from '../../engine/lanes.ts';
import type { BuildOptions } from '../../engine/options.ts';
import { unaskedDollars } from '../../engine/plan/approval.ts';
import { expectation } from '../../engine/plan/expectation.ts';
import type { Plan } from '../../engine/plan/planned.ts';
import { readPlan } from '../../engine/plan/saved-plan.ts';
import { reach } from '../../engine/select.ts';
import { checkTag, tagBuild } from '../../engine/tags.ts';
import { systemClock } from '../../providers/clock.ts';
import { secrets } from '../../providers/environment.ts';
import type { OpenTill } from '../../replies/chain.ts';
import { keepSchemas } from '../../scaffold/editor-schemas.ts';
import { dataFileOf } from '../../store/lmdb/open.ts';
import { type SharedCache, withSharedCache } from '../../team/around-build.ts';
import { withTill } from '../../team/open-cluster.ts';
import { withWorkers } from '../../team/open-workers.ts';
import { buildResult } from '../../terminal/build-result.ts';
import { progressFile } from '../../ui/progress-file.ts';
import { createScreen, type Screen } from '../../ui/screen.ts';
import { upToDateText } from '../../ui/up-to-date.ts';
import { approve } from '../approval.ts';
import { batchOptions, checkLane } from '../batch-options.ts';
import { BUILD_DIGEST, VERSION } from '../build-info.ts';
import { runCanary } from '../canary.ts';
import { placesHere, type Session } from '../compose.ts';
import { holdToPlan } from '../held-plan.ts';
import { watchInterrupts } from '../interrupts.ts';
import { forget, remember } from '../last-build.ts';
import { number, positiveNumber, wholeNumber } from '../numbers.ts';
import { PipelineCommand } from '../pipeline-command.ts';
import { isDumb } from '../terminal-look.ts';

/** Milliseconds between two looks at a lock that another build holds. */
const LOCK_POLL = 250;

/** What a build works on and with; the last three are what cje.remote.yaml lends it. */
interface Work {
  readonly session: Session;
  readonly interrupts: { readonly interrupt: AbortSignal; readonly kill: AbortSignal };
  readonly shared?: SharedCache | undefined;
  readonly till?: OpenTill | undefined;
  readonly executor?: Executor | undefined;
}

export class BuildCommand extends PipelineCommand {
  static override paths = [['build']];
  static override usage = Command.Usage({
    category: 'Building',
    description: 'make targets up to date, buying only what the cache lacks',
    details: `
      Targets are nodes (\`scores/deterministic/pi_cot\`), stages (\`scores\`) or globs (\`scores/**\`); without any, the
      pipeline's default is built. Every reply is kept, so a build that stops, for whatever reason, goes on where it stopped.

      With --lane batch what can wait is bought in batches, at half the price or so: the build ends with 6 while they are out,
      and the next one takes them in. With --until it stays, and at that time buys at once what is not back (docs/batch.md).

      Exit codes: 0 built · 1 a node failed · 2 bad pipeline, config or arguments · 3 stopped by the budget or not approved ·
      4 another build holds the lock · 5 the cache is damaged · 6 waiting for batches · 130 interrupted.
    `,
    examples: [
      ['Build every ablation', 'cje build ablations'],
      ['Build one judge on one policy', 'cje build scores/deterministic/pi_cot'],
      ['Try an edit on fifty items first', 'cje build ablations --canary 50'],
      ['Build what was planned, and nothing else', 'cje plan --out plan.json && cje build --plan plan.json'],
      ['Buy what can wait at batch prices', 'cje build --profile full --lane batch'],
      ['Wait for batches until six, then buy the rest', 'cje build --lane batch --until 06:00'],
      ['Spend at most two dollars on the hosted models', 'cje build --profile test --max-cost 2'],
    ],
  });

  targetPatterns = Option.Rest({ name: 'target' });
  jobs = Option.String('-j,--jobs', { description: 'calls in flight at most' });
  keepGoing = Option.Boolean('-k,--keep-going', false, { description: 'go on with what does not depend on a failure' });
  force = Option.Array('--force', [], { description: 'run these nodes again; stored replies are still used' });
  retryFailed = Option.Boolean('--retry-failed', false, {
    description: 'ask again for every item whose row cannot be used',
  });
  askAgain = Option.Array('--ask-again', [], {
    description: 'ask again for what is kept of NODE, or of one item of it: NODE:ITEM',
  });
  maxCost = Option.String('--max-cost', { description: 'stop before this many dollars are spent' });
  maxCalls = Option.String('--max-calls', { description: 'stop after this many calls' });
  offline = Option.Boolean('--offline', false, { description: 'a reply that is not in the cache is an error' });
  wait = Option.Boolean('--wait', false, { description: 'wait for a build that holds the lock' });
  plan = Option.String('--plan', { description: 'refuse (exit 3) unless this plan, from plan --out, still holds' });
  canary = Option.String('--canary', { description: 'buy this many items of what would be bought, compare, and stop' });
  full = Option.Boolean('--full', false, { description: 'show every table at the end, in place of one screen' });
  tag = Option.String('--tag', { description: 'name the finished build, for diff and log' });
  lane = Option.String('--lane', {
    description: 'online: buy at once, and cancel batches that hold what is needed · batch: cheaper and later',
  });
  until = Option.String('--until', {
    description: 'stay until batches are back, or until 06:00, or for 8h; what is then missing is bought online',
  });
  yes = Option.Boolean('--yes', false, { description: 'approve what the plan costs' });

  async run(): Promise<ExitCode> {
    const screen = createScreen({
      json: this.json,
      verbose: this.verbose,
      stdout: this.context.stdout as NodeJS.WriteStream,
      dumb: isDumb(process.env),
      color: this.look.color,
    });
    const interrupts = watchInterrupts(
      () => screen.note('stopping: what is in flight is kept; press Ctrl-C again to drop it'),
      () => this.json && this.printFinished(EXIT.interrupted),
    );
    try {
      return await this.withSession({ readOnly: false, emit: screen.listener }, (session) => {
        if (this.offline) return this.#build(screen, { session, interrupts });
        const options = {
          command: this.commandLine,
          note: (text: string) => screen.note(text),
          now: Date.now,
        };
        return withSharedCache(session, options, (shared) =>
          withTill(session, (till) =>
            withWorkers(session, { shared, version: VERSION, placesHere: placesHere(), ...interrupts }, (executor) =>
              this.#build(screen, { session, interrupts, shared, till, executor }),
            ),
          ),
        );
      });
    } finally {
      interrupts.stop();
      screen.close();
    }
  }

  async #build(screen: Screen, work: Work): Promise<ExitCode> {
    const { session, interrupts, shared, till } = work;
    const { graph } = session;
    keepSchemas(this.file, this.context.bundle, BUILD_DIGEST);
    const orders = this.#orders(work);
    const { targets, again, items, limits, batches } = orders;
    if (!isPlain(again)) forget(session.cache);
    if (this.plan !== undefined) await holdToPlan(session, this.plan, targets, again);
    await shared?.take();
    let plan: Plan | undefined;
    const approved =
      this.offline ||
      (await approve(session, targets, {
        ...again,
        // A plan that somebody saved and hands over is an approval.
        yes: this.yes || this.plan !== undefined,
        maxCost: limits.maxCost,
        lane: batches.lane ?? graph.lane,
        ...(items === undefined ? {} : { calls: items }),
        interactive: this.interactive,
        context: this.context,
        // A till has the keys.
        secrets: till === undefined ? secrets : (variable) => secrets(variable) ?? 'held by the till',
        onPlan: (made) => {
          plan = made;
        },
      }));
    const options: BuildOptions = {
      jobs: orders.jobs,
      onFailure: this.keepGoing ? 'continue' : 'stop-new',
      ...again,
      offline: this.offline,
      batches: { laneOf: lanesOf(graph, session.ports.protocols, batches.lane).laneOf, manner: batches.manner },
      limits: { ...limits, unapprovedCost: unaskedDollars(approved, graph.budget) },
      command: this.commandLine,
      settings: this.settings(),
      named: new Set(this.targetPatterns.length > 0 ? targets : []),
      ...(this.wait ? { pause: () => systemClock.sleep(LOCK_POLL, interrupts.interrupt) } : {}),
      ...interrupts,
    };
    if (items !== undefined) return this.#tryCanary(session, targets, { ...options, items }, screen);
    const outcome = await this.#make(screen, work, targets, { ...options, approved: plan });
    if (outcome.exit !== EXIT.built) return outcome.exit;
    if (this.tag !== undefined) await tagBuild(session.ports.store.builds, this.tag, outcome.build);
    else if (isPlain(again) && this.plan === undefined) this.#remember(session, targets, outcome);
    return outcome.exit;
  }

  /** What the options say. @throws ProblemError for one that says nothing that can be done */
  #orders({ session, till }: Work) {
    const { graph } = session;
    // A plan knows its own targets.
    const planned = this.plan === undefined || this.targetPatterns.length > 0 ? undefined : readPlan(this.plan).targets;
    const targets = this.targets(session, planned ?? this.targetPatterns);
    const force = new Set(this.force.length === 0 ? [] : this.targets(session, this.force));
    const maxCost = number('--max-cost', this.maxCost) ?? graph.budget.maxCost;
    const maxCalls = wholeNumber('--max-calls', this.maxCalls) ?? graph.budget.maxCalls;
    // What waits at a till is not in flight; the till keeps to what the provider takes.
    const jobs = positiveNumber('--jobs', this.jobs) ?? (till === undefined ? 1 : 4) * mostInFlight(graph);
    const items = positiveNumber('--canary', this.canary);
    const batches = batchOptions(this.lane, this.until, Date.now());
    checkLane(batches.lane, graph);
    if (this.tag !== undefined) checkTag(this.tag);
    const again = { force, retryFailed: this.retryFailed, askAgain: this.chosenItems(session, this.askAgain, targets) };
    return { targets, again, jobs, items, limits: { maxCost, maxCalls }, batches };
  }

  /** Builds, and tells it: the result, then problems, then the summary, as what matters most is last on the screen. */
  async #make(
    screen: Screen,
    { session, interrupts, shared, till, executor }: Work,
    targets: readonly string[],
    options: BuildOptions & { readonly approved: Plan | undefined },
  ): Promise<BuildOutcome> {
    const { cache, graph, ports } = session;
    const problems: Problem[] = [];
    let last: BuildEvent | undefined;
    const written = progressFile(cache, process.pid, ports.now);
    const tell: Listener = (event) => {
      written.listener(event);
      screen.listener(event);
    };
    const expected = expectation(graph, targets, options, { ...ports, emit: tell });
    const outcome = await build(graph, targets, options, {
      ...ports,
      ...(executor === undefined ? {} : { executor }),
      bring: shared?.bring,
      till,
      emit: (event) => {
        if (event.type === 'finished') last = event;
        else if (event.type === 'problem' && !this.json) problems.push(event.problem);
        else tell(event);
        expected.listener(event);
      },
    }).finally(written.close);
    await expected.close();
    const result = this.#result(session, targets, outcome);
    if (result !== '') screen.print(`${result}\n`);
    this.complain(problems, outcome.exit);
    if (outcome.build !== null && !interrupts.interrupt.aborted) await shared?.give(outcome.totals.calls);
    if (last !== undefined) screen.listener(last);
    return outcome;
  }

  /** Buys a few items of what the build would buy, tells what they say, and stops. */
  async #tryCanary(
    session: Session,
    targets: readonly string[],
    options: BuildOptions & { readonly items: number },
    screen: Screen,
  ): Promise<ExitCode> {
    const { ports, graph } = session;
    const startedAt = ports.now();
    const { name: experiment, profile } = graph;
    if (this.json) {
      const nodes = reach(graph, targets).length;
      screen.listener({ type: 'started', version: EVENTS_VERSION, experiment, profile, targets, nodes });
    }
    const { exit, outcome } = await runCanary(session, targets, options, {
      text: (text) => this.print(text),
      json: this.json ? (value) => this.printJson(value) : undefined,
    });
    if (this.json) {
      screen.listener({
        type: 'finished',
        exit,
        ...NOTHING_DONE,
        calls: { ...NOTHING_DONE.calls, ...outcome?.calls },
        cost: { ...NOTHING_DONE.cost, billed: outcome?.cost ?? 0 },
        build: null,
        milliseconds: ports.now() - startedAt,
      });
    }
    return exit;
  }

  #result(session: Session, targets: readonly string[], outcome: Pick<BuildOutcome, 'results' | 'build'>): string {
    return this.json ? '' : buildResult(session, targets, outcome, { look: this.look, full: this.full });
  }

  /** Leaves behind what the fast path needs to answer the same command line again. */
  #remember(session: Session, targets: readonly string[], outcome: BuildOutcome): void {
    const { cache, out, store, read } = session;
    const blobs: [string, number][] = [];
    const copies: string[] = [];
    for (const [name, { action }] of outcome.results) {
      if (action === undefined) continue;
      for (const ref of blobsOf(action)) {
        const path = store.blobs.locate(ref);
        if (path === undefined) return;
        blobs.push([path, ref.size]);
      }
      for (const file of Object.keys(action.outputs)) copies.push(join(out, name, file));
    }
    // The next build moves nothing, so its result stands beside no other.
    const result = this.#result(session, targets, { ...outcome, build: null });
    const { name: experiment, profile } = session.graph;
    const stages = nodesByStage(reach(session.graph, targets));
    const about = { experiment, profile, targets, nodes: outcome.results.size, stages };
    const text = upToDateText(about, outcome.totals, result, { json: this.json, color: this.look.color });
    remember(cache, BUILD_DIGEST, this.context.args, { ...read, copies, blobs, records: dataFileOf(cache) }, text);
  }
}
