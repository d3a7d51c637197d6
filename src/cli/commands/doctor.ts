/** `cje doctor`: probes every provider and model that the pipeline asks. */

import { Command, Option } from 'clipanion';
import { EVENTS_VERSION } from '../../core/events.ts';
import type { Graph, Provider } from '../../core/graph.ts';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import type { Findings } from '../../doctor/run-probes.ts';
import type { ConnectedClient, SeenExchange } from '../../providers/client.ts';
import { secrets } from '../../providers/environment.ts';
import { Budget } from '../../replies/budget.ts';
import { Spend } from '../../replies/spend.ts';
import { openBatchApis, openClient, type Session } from '../compose.ts';
import { announcement, approveProbes, chosenProviders } from '../doctor/consent.ts';
import { Telling } from '../doctor/telling.ts';
import { watchInterrupts } from '../interrupts.ts';
import { number, positiveNumber } from '../numbers.ts';
import { PipelineCommand } from '../pipeline-command.ts';

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
    const { json, look } = this;
    const telling = new Telling({ json, color: look.color, width: look.width, print: (text) => this.print(text) });
    const interrupts = watchInterrupts(() => telling.progress('stopping'));
    try {
      return await this.withSession({ readOnly: true }, (session) =>
        this.#probe(session, telling, interrupts.interrupt),
      );
    } finally {
      telling.progress('');
      interrupts.stop();
    }
  }

  async #probe(session: Session, telling: Telling, signal: AbortSignal): Promise<ExitCode> {
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
    const providers = chosenProviders(this.providerNames, graph, all);
    const probeTargets = all.filter(({ provider }) => providers.includes(provider));
    // Without a key nothing is asked, and nothing is spent.
    const cost = probeCostOf(probeTargets, overlong, prices, this.batch);
    const simulated = providers.every(({ type }) => type === 'simulator');
    const probing = { graph, cost, simulated };
    if (!this.json) this.print(`${announcement(probing)}\n`);
    const interactive = !this.json && process.stdin.isTTY === true && process.stdout.isTTY === true;
    const approved = await approveProbes(probing, { yes: this.yes, maxCost, interactive, context: this.context });

    const nodes = probeTargets.flatMap(({ uses }) => uses.flatMap((use) => use.nodes));
    const { name: experiment, profile } = graph;
    const started = { experiment, profile, targets: nodes, nodes: nodes.length };
    telling.emit({ type: 'started', version: EVENTS_VERSION, ...started });
    telling.emit({ type: 'probes-planned', ...cost, simulated });

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
      environment: networkEnvironment(),
      overlong,
      ...(batches === undefined ? {} : { batches }),
      newDraw: () => `doctor ${ports.now()}/${++draws}`,
      seen,
      signal,
      onProgress: (text: string) => telling.progress(text),
    };
    const findings: Findings[] = [];
    try {
      const probed = providers.map((provider) =>
        runProbes(
          provider,
          probeTargets.filter((probeTarget) => probeTarget.provider === provider),
          options,
        ),
      );
      // Told in the order of the provider file, each as soon as those before it are done.
      for (const each of probed) {
        const found = await each;
        findings.push(found);
        await telling.tell(found);
      }
    } finally {
      await buyer.close();
    }
    const exit = signal.aborted ? EXIT.interrupted : exitOf(findings);
    const asked = new Set([...providers, ...all.map(({ provider }) => provider)]);
    await telling.conclude(findings, {
      exit,
      milliseconds: performance.now() - startedAt,
      file: graph.providers[0]?.place.file ?? 'the provider file',
      unused: graph.providers.filter((one) => !asked.has(one)).map(({ name }) => name),
    });
    return exit;
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
