/** `cje plan`: what a build would do, what it would cost, and how long it would take. Buys and writes nothing. */

import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { makePlan } from '../../engine/plan.ts';
import { PipelineCommand } from '../pipeline-command.ts';
import { planText } from '../plan-text.ts';

export class PlanCommand extends PipelineCommand {
  static override paths = [['plan']];
  static override usage = Command.Usage({
    category: 'Building',
    description: 'what build would do: calls, reasons, tokens, dollars, minutes',
    details: `
      Looks, key by key, at what the cache has, and evaluates in memory what can be evaluated. Exact where a node's inputs are
      known, a stated bound below a reply that is not bought yet. Needs no credential.
    `,
    examples: [
      ['What would an edit cost?', 'cje plan ablations'],
      ['What would the whole experiment cost?', 'cje plan --profile full ablations'],
    ],
  });

  targetPatterns = Option.Rest({ name: 'target' });
  force = Option.Array('--force', [], { description: 'plan as if these nodes had to run again' });
  retryFailed = Option.Boolean('--retry-failed', false, { description: 'plan to ask again for what failed for good' });

  run(): Promise<ExitCode> {
    return this.withSession({ readOnly: true }, async (session) => {
      const targets = this.targets(session, this.targetPatterns);
      const force = new Set(this.force.length === 0 ? [] : this.targets(session, this.force));
      const plan = await makePlan(session.graph, targets, { force, retryFailed: this.retryFailed }, session.ports);
      if (this.json) this.printJson({ type: 'plan', version: 1, ...plan });
      else this.print(planText(plan, session.graph, { verbose: this.verbose }));
      return EXIT.built;
    });
  }
}
