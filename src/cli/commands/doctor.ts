/** `cje doctor`: probes every provider and model that the pipeline asks. */

import { Command, Option } from 'clipanion';
import { type BuildEvent, EVENTS_VERSION, NOTHING_DONE } from '../../core/events.ts';
import type { Graph, Provider } from '../../core/graph.ts';
import { EXIT, type ExitCode, nearest, ProblemError } from '../../core/problem.ts';
import type { DoctorEvent } from '../../doctor/events.ts';
import type { ProbeCost } from '../../doctor/probe-cost.ts';
import type { ProbeTarget } from '../../doctor/probe-targets.ts';
import type { Findings } from '../../doctor/run-probes.ts';
import { approvalOf } from '../../engine/plan/approval.ts';
import type { ConnectedClient, SeenExchange } from '../../providers/client.ts';
import { Budget } from '../../replies/budget.ts';
import { Spend } from '../../replies/spend.ts';
import { duration } from '../../text/duration.ts';
import { printable } from '../../text/escape.ts';
import { dollars } from '../../text/money.ts';
import { painter } from '../../text/paint.ts';
import { counted } from '../../text/plural.ts';
import { truncate } from '../../text/width.ts';
import { jsonText } from '../../ui/json.ts';
import { confirmed } from '../approval.ts';
import { openBatchApis, openClient, type Session } from '../compose.ts';
import { watchInterrupts } from '../interrupts.ts';
import { number, positiveNumber } from '../numbers.ts';
import { PipelineCommand } from '../pipeline-command.ts';
import { secrets } from '../secrets.ts';
import { columnsOfTerminal, isDumb } from '../terminal-look.ts';

/** A server that hangs or refuses is told of, not waited for as long as a build would. */
const MOST_TRIES = 3;
const LONGEST_WAIT_SECONDS = 60;

export class DoctorCommand extends PipelineCommand {
  static override paths = [['doctor']];
  static override readonly many = 'provider';
  static override usage = Command.Usage({
    category: 'Looking',
    description: 'probe every provider the pipeline names: key, models, echo, logprobs, BOS, limits',
    details: `
      Asks each model that a node of the pipeline calls, with the very parameters that the node sends, and says what would
      fail, why, and which lines of the provider file would mend it. The calls are small: how many they can be, and what they
      cannot cost more than, is said first. Nothing is kept, and nothing that is found alters a request.

      Exit codes: 0 all that the pipeline needs is there · 1 something is missing or broken · 2 bad pipeline, config or
      arguments · 3 stopped by the budget or not approved · 130 interrupted.
    `,
    examples: [
      ['Before a build with hosted models', 'cje doctor --profile test'],
      ['One provider alone', 'cje doctor --profile test fireworks'],
      ['Is a prompt beyond the context refused, or cut in silence?', 'cje doctor --profile test --context 131072'],
    ],
  });

  providerNames = Option.Rest({ name: DoctorCommand.many });
  maxCost = Option.String('--max-cost', { description: 'stop before this many dollars are spent' });
  contextTokens = Option.String('--context', {
    description: 'also send a prompt of more than this many tokens: is it refused, or cut in silence?',
  });
  batch = Option.Boolean('--batch', false, {
    description: 'also make a batch of one of each way of asking that can wait, and cancel it',
  });
  yes = Option.Boolean('--yes', false, { description: 'approve what the calls may cost' });

  async run(): Promise<ExitCode> {
    const interrupts = watchInterrupts(() => this.#progress('stopping'));
    try {
      return await this.withSession({ readOnly: true }, (session) => this.#probeModel(session, interrupts.interrupt));
    } finally {
      this.#progress('');
      interrupts.stop();
    }
  }

  async #probeModel(session: Session, signal: AbortSignal): Promise<ExitCode> {
    const [{ targetsOf }, { probeCostOf }, { overlong: overlongRow }, { runProbes }, { networkEnvironment }] =
      await Promise.all([
        import('../../doctor/probe-targets.ts'),
        import('../../doctor/probe-cost.ts'),
        import('../../doctor/sample-call.ts'),
        import('../../doctor/run-probes.ts'),
        import('../../providers/connections.ts'),
      ]);
    const startedAt = performance.now();
    const { graph, kinds, ports } = session;
    const { prices } = ports;
    const maxCost = number('--max-cost', this.maxCost) ?? graph.budget.maxCost;
    const contextTokens = positiveNumber('--context', this.contextTokens);
    const overlong = contextTokens === undefined ? undefined : overlongRow(contextTokens);

    const all = targetsOf(graph, kinds);
    const providers = this.#providers(graph, all);
    const probeTargets = all.filter(({ provider }) => providers.includes(provider));
    // Without a key nothing is asked, and nothing is spent.
    const prospect = probeCostOf(probeTargets, overlong, prices, this.batch);
    const simulated = providers.every(({ type }) => type === 'simulator');
    if (!this.json) this.print(`${this.#announcement(graph, prospect, simulated)}\n`);
    const approved = await this.#approve(graph, prospect, simulated, maxCost);

    const nodes = probeTargets.flatMap(({ uses }) => uses.flatMap((use) => use.nodes));
    const { name: experiment, profile } = graph;
    this.#emit({ type: 'started', version: EVENTS_VERSION, experiment, profile, targets: nodes, nodes: nodes.length });
    this.#emit({ type: 'probes-planned', ...prospect, simulated });

    const seen: SeenExchange[] = [];
    const buyer = await openClient({ ...graph, providers: providers.map(impatient) }, this.context.bundle, {
      observe: (exchange) => seen.push(exchange),
    });
    const batches = this.batch
      ? await openBatches({ ...graph, providers: providers.map(impatient) }, buyer)
      : undefined;
    const unapprovedCost = approved ? undefined : graph.budget.confirmAbove;
    let draws = 0;
    const options = {
      buyer,
      spend: new Spend(new Budget({ maxCost, unapprovedCost, maxCalls: undefined }, prices), () => {}),
      prices,
      secrets,
      environment: networkEnvironment(process.env),
      overlong,
      ...(batches === undefined ? {} : { batches }),
      newDraw: () => `doctor ${ports.now()}/${++draws}`,
      seen,
      signal,
      onProgress: (text: string) => this.#progress(text),
    };
    const findings: Findings[] = [];
    try {
      const consulted = providers.map((provider) =>
        runProbes(
          provider,
          probeTargets.filter((probeTarget) => probeTarget.provider === provider),
          options,
        ),
      );
      // Told in the order of the provider file, each as soon as those before it are done.
      for (const each of consulted) {
        const found = await each;
        findings.push(found);
        await this.#tell(found);
      }
    } finally {
      await buyer.close();
    }
    const exit = signal.aborted ? EXIT.interrupted : exitOf(findings);
    const unused = graph.providers.filter(
      (one) => !providers.includes(one) && !all.some(({ provider }) => provider === one),
    );
    await this.#conclude(findings, graph, unused, { exit, milliseconds: performance.now() - startedAt });
    return exit;
  }

  /** The providers that are named; without names, those whose models the pipeline calls. */
  #providers(graph: Graph, probeTargets: readonly ProbeTarget[]): readonly Provider[] {
    const known = graph.providers.map(({ name }) => name);
    for (const name of this.providerNames) {
      if (known.includes(name)) continue;
      const meant = nearest(name, known);
      throw new ProblemError({
        id: 'CJE-UNKNOWN-PROVIDER',
        headline: `there is no provider ${JSON.stringify(name)}`,
        facts: [
          ['profile', graph.profile],
          ['known', known.length === 0 ? 'none' : known.join(', ')],
        ],
        ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }),
      });
    }
    if (this.providerNames.length > 0) return graph.providers.filter(({ name }) => this.providerNames.includes(name));
    return graph.providers.filter((provider) => probeTargets.some((probeTarget) => probeTarget.provider === provider));
  }

  /** What the probes may come to, before any is sent. */
  #announcement({ name, profile }: Graph, { calls, dollars: most }: ProbeCost, simulated: boolean): string {
    const title = printable(`${name}, profile ${profile}`);
    if (calls === 0) return `${title}: no model is called\n`;
    const cost = most === null ? 'at an unknown price' : `never above ${dollars(most)}`;
    const money = simulated ? '; simulated: nothing is charged' : '';
    return `${title}: at most ${counted(calls, 'call')}, ${cost}${money}\n`;
  }

  /** The rule of builds: real money above the pipeline's `confirm_above` is asked for. */
  async #approve(
    { budget }: Graph,
    { calls, dollars: most }: ProbeCost,
    simulated: boolean,
    maxCost: number | undefined,
  ): Promise<boolean> {
    if (simulated) return true;
    const approval = approvalOf(most, budget.confirmAbove, { yes: this.yes, maxCost });
    if (approval !== 'needed') return approval === 'approved';
    const cost = most === null ? 'an unknown amount' : `at most ${dollars(most)}`;
    if (!this.json && process.stdin.isTTY === true && process.stdout.isTTY === true) {
      if (await confirmed(`At most ${counted(calls, 'call')} for ${cost}.`, this.context)) return true;
    }
    throw new ProblemError(
      {
        id: 'CJE-NOT-APPROVED',
        headline: `these probes may cost ${cost}, and nobody has approved it`,
        facts: [['calls', String(calls)]],
        hint: 'approve with --yes, or cap it with --max-cost',
      },
      EXIT.stopped,
    );
  }

  async #tell(found: Findings): Promise<void> {
    this.#progress('');
    if (this.json) {
      this.#emit(found.provider);
      for (const model of found.models) this.#emit(model);
      return;
    }
    const { findingsText } = await import('../text/doctor-text.ts');
    this.print(`${findingsText(found, this.#textOptions)}\n`);
  }

  async #conclude(
    findings: readonly Findings[],
    graph: Graph,
    unused: readonly Provider[],
    { exit, milliseconds }: { readonly exit: ExitCode; readonly milliseconds: number },
  ): Promise<void> {
    const models = findings.flatMap((found) => found.models);
    const calls = models.reduce((sum, model) => sum + model.calls, 0);
    const failed = findings.reduce((sum, found) => sum + found.failed, 0);
    const billed = models.reduce((sum, model) => sum + model.cost, 0);
    const unknown = models.reduce((sum, model) => sum + model.unknown, 0);
    if (this.json) {
      this.#emit({
        type: 'finished',
        exit,
        build: null,
        milliseconds: Math.round(milliseconds),
        ...NOTHING_DONE,
        calls: { bought: calls - failed, cached: 0, failed },
        cost: { ...NOTHING_DONE.cost, billed, unknown },
      });
      return;
    }
    const { settingsText, summaryText } = await import('../text/doctor-text.ts');
    const file = graph.providers[0]?.place.file ?? 'the provider file';
    this.print(settingsText(findings, file, this.#textOptions));
    this.print(
      summaryText(
        findings,
        unused.map(({ name }) => name),
        this.#textOptions,
      ),
    );
    const spent = `${counted(calls, 'call')}, ${dollars(billed)}${unknown > 0 ? ` and ${dollars(unknown)} reserved for unknown outcomes` : ''}, ${duration(milliseconds)}`;
    this.print(`${painter(this.look.color)('dim', spent)}\n`);
    if (exit === EXIT.interrupted) this.print('interrupted\n');
  }

  get #textOptions() {
    return { paint: painter(this.look.color), columns: this.look.width };
  }

  #emit(event: BuildEvent | DoctorEvent): void {
    if (this.json) this.print(`${jsonText(event)}\n`);
  }

  /** What is being asked, on a line that is written over; for people who watch. */
  #progress(text: string): void {
    const { stderr } = process;
    if (this.json || stderr.isTTY !== true || process.stdout.isTTY !== true || isDumb(process.env)) return;
    stderr.write(`\r\u001b[K${truncate(printable(text), columnsOfTerminal(stderr) - 1)}`);
  }
}

async function openBatches(graph: Graph, buyer: ConnectedClient) {
  const { systemClock } = await import('../../providers/clock.ts');
  return { apis: await openBatchApis(graph, async () => buyer), clock: systemClock };
}

const impatient = (provider: Provider): Provider => ({
  ...provider,
  limits: {
    ...provider.limits,
    attempts: Math.min(provider.limits.attempts, MOST_TRIES),
    timeoutSeconds: Math.min(provider.limits.timeoutSeconds, LONGEST_WAIT_SECONDS),
  },
});

function exitOf(findings: readonly Findings[]): ExitCode {
  const models = findings.flatMap((found) => found.models);
  const broken =
    findings.some(({ provider }) => provider.checks.some(({ status }) => status === 'failure')) ||
    models.some(({ verdict }) => verdict === 'would-fail');
  if (broken) return EXIT.failed;
  return models.some(({ verdict }) => verdict === 'not-asked') ? EXIT.stopped : EXIT.built;
}
