/** `cje plan`: what a build would do, what it would cost, and how long it would take. Buys and writes nothing. */

import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { makePlan } from '../../engine/plan/plan.ts';
import { planEvent, savePlan } from '../../engine/plan/saved-plan.ts';
import { planText } from '../../terminal/plan-text.ts';
import { batchOptions, checkLane } from '../batch-options.ts';
import { wholeNumber } from '../numbers.ts';
import { PipelineCommand } from '../pipeline-command.ts';

/** Changed requests that are shown unless told. */
const EXAMPLES = 3;

export class PlanCommand extends PipelineCommand {
  static override paths = [['plan']];
  static override usage = Command.Usage({
    category: 'Building',
    description: 'what build would do: calls, reasons, tokens, dollars, minutes',
    details: `
      Looks, key by key, at what the cache has, and evaluates in memory what can be evaluated. Exact where a node's inputs are
      known, a stated bound below a reply that is not bought yet. Buys nothing, writes nothing, needs no credential.

      After an edit it shows some of the requests that change, beside those of the last build. Tokens are those recorded
      for like calls; where there are none yet, they are guessed, and the plan says so.
    `,
    examples: [
      ['What would an edit cost?', 'cje plan ablations'],
      ['What would the whole experiment cost?', 'cje plan --profile full ablations'],
      ['What would it cost in batches?', 'cje plan --profile full --lane batch'],
      ['Build what was planned, and nothing else', 'cje plan --out plan.json && cje build --plan plan.json'],
    ],
  });

  targetPatterns = Option.Rest({ name: 'target' });
  force = Option.Array('--force', [], { description: 'plan as if these nodes had to run again' });
  retryFailed = Option.Boolean('--retry-failed', false, {
    description: 'plan to ask again for every item whose row cannot be used',
  });
  askAgain = Option.Array('--ask-again', [], {
    description: 'plan to ask again for what is kept of NODE, or of one item of it: NODE:ITEM',
  });
  examples = Option.String('--examples', { description: `changed requests to show (default ${EXAMPLES})` });
  lane = Option.String('--lane', { description: 'also say what it comes to with build --lane: batch or online' });
  out = Option.String('--out', { description: 'write the plan to this file, for build --plan' });

  run(): Promise<ExitCode> {
    return this.withSession({ readOnly: true }, async (session) => {
      const targets = this.targets(session, this.targetPatterns);
      const { lane } = batchOptions(this.lane, undefined, Date.now());
      checkLane(lane, session.graph);
      const force = new Set(this.force.length === 0 ? [] : this.targets(session, this.force));
      const examples = wholeNumber('--examples', this.examples) ?? EXAMPLES;
      const askAgain = this.chosenItems(session, this.askAgain, targets);
      const options = { force, retryFailed: this.retryFailed, askAgain, examples };
      const plan = await makePlan(session.graph, targets, options, session.ports);
      if (this.out !== undefined) savePlan(this.out, plan);
      if (this.json) this.printJson(planEvent(plan));
      else {
        this.print(planText(plan, session.graph, { verbose: this.verbose, lane }));
        if (plan.examples.length > 0) {
          const { examplesText } = await import('../../terminal/example-text.ts');
          this.print(examplesText(plan.examples, this.look));
        }
        if (this.out !== undefined) this.print(`\nSaved. To build it: cje build --plan ${this.out}\n`);
      }
      return EXIT.built;
    });
  }
}
