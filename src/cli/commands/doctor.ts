/** `cje doctor`: probes every provider and model that the pipeline asks. */

import { Command, Option } from 'clipanion';
import { EVENTS_VERSION } from '../../core/events.ts';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { unaskedDollars } from '../../engine/plan/approval.ts';
import type { SeenExchange } from '../../providers/client-options.ts';
import { systemClock } from '../../providers/clock.ts';
import { secrets } from '../../providers/environment.ts';
import { Budget } from '../../replies/budget.ts';
import { Spend } from '../../replies/spend.ts';
import { approveProbes } from '../approval.ts';
import { openBatchApis, openClient, type Session } from '../compose.ts';
import { Telling } from '../doctor-telling.ts';
import { watchInterrupts } from '../interrupts.ts';
import { number, positiveNumber } from '../numbers.ts';
import { PipelineCommand } from '../pipeline-command.ts';

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
    const [{ networkEnvironment }, { exitOf, impatient, LONGEST_SILENCE, planProbes, probeAll }, { announcement }] =
      await Promise.all([
        import('../../providers/connections.ts'),
        import('../../doctor/probing.ts'),
        import('../../terminal/doctor-text.ts'),
      ]);
    const startedAt = performance.now();
    const { graph, kinds, ports } = session;
    const { prices } = ports;
    const { name: experiment, profile } = graph;
    const maxCost = number('--max-cost', this.maxCost) ?? graph.budget.maxCost;
    const contextTokens = positiveNumber('--context', this.contextTokens);
    const asked = { names: this.providerNames, contextTokens, batch: this.batch };
    const probing = planProbes(graph, kinds, prices, asked);
    const { cost, simulated, nodes, unused } = probing;
    if (!this.json) this.print(`${announcement({ experiment, profile, ...probing })}\n`);
    const consent = { yes: this.yes, maxCost, interactive: this.interactive, context: this.context };
    const approved = simulated || (await approveProbes(graph, cost, consent));
    telling.emit({
      type: 'started',
      version: EVENTS_VERSION,
      experiment,
      profile,
      targets: nodes,
      nodes: nodes.length,
    });
    telling.emit({ type: 'probes-planned', ...cost, simulated });

    const hurried = { ...graph, providers: probing.providers.map(impatient) };
    const seen: SeenExchange[] = [];
    const observe = (exchange: SeenExchange) => seen.push(exchange);
    const buyer = await openClient(hurried, this.context.bundle, {
      observe,
      patience: LONGEST_SILENCE,
    });
    const unapprovedCost = unaskedDollars(approved, graph.budget);
    let draws = 0;
    const options = {
      buyer,
      spend: new Spend(new Budget({ maxCost, unapprovedCost, maxCalls: undefined }, prices), () => {}),
      prices,
      secrets,
      environment: networkEnvironment(),
      ...(this.batch ? { batches: { apis: await openBatchApis(hurried, async () => buyer), clock: systemClock } } : {}),
      newDraw: () => `doctor ${ports.now()}/${++draws}`,
      seen,
      signal,
      onProgress: (text: string) => telling.progress(text),
    };
    const findings = await probeAll(probing, options, (found) => telling.tell(found)).finally(() => buyer.close());
    const exit = signal.aborted ? EXIT.interrupted : exitOf(findings);
    const milliseconds = performance.now() - startedAt;
    const file = graph.providers[0]?.place.file ?? 'the provider file';
    await telling.conclude(findings, { exit, milliseconds, file, unused });
    return exit;
  }
}
