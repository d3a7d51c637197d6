/** What the commands on batches share: their names, their work, and what they print. */

import { EXIT, type ExitCode, type Problem, ProblemError } from '../core/problem.ts';
import { type BatchCare, careForBatches } from '../engine/build/batches.ts';
import { lockedError } from '../engine/build/lock.ts';
import { batchesText, harvestText } from '../terminal/batch-text.ts';
import { createScreen } from '../ui/screen.ts';
import type { Session } from './compose.ts';
import { watchInterrupts } from './interrupts.ts';
import { forget } from './last-build.ts';
import type { PipelineCommand } from './pipeline-command.ts';

export const BATCH_CATEGORY = 'Batches';

/** Does the work under the build lock, and prints what is left. */
export async function careFor(
  command: PipelineCommand,
  care: (session: Session) => BatchCare | Promise<BatchCare>,
): Promise<ExitCode> {
  const screen = createScreen({
    json: command.json,
    verbose: command.verbose,
    stdout: command.context.stdout as NodeJS.WriteStream,
    color: command.look.color,
  });
  const interrupts = watchInterrupts(() => screen.note('stopping: what is out stays out'));
  try {
    return await command.withSession({ readOnly: false, emit: screen.listener }, async (session) => {
      forget(session.cache);
      const { interrupt, kill } = interrupts;
      const work = { care: await care(session), command: ['cje', ...command.context.args].join(' '), interrupt, kill };
      const outcome = await careForBatches(work, session.ports);
      if (outcome.type === 'held') throw lockedError(outcome.holder);
      if (outcome.type === 'interrupted') return EXIT.interrupted;
      const { out, harvest, losses } = outcome;
      if (command.json) {
        for (const submission of out) command.printJson({ type: 'batch', version: 1, ...submission });
        const { bought, failed, cost, unknown } = harvest;
        command.printJson({ type: 'batches', version: 1, out: out.length, bought, failed, cost, unknown, losses });
      } else {
        command.print(harvestText(harvest));
        command.print(batchesText(out, session.ports.now()));
      }
      if (losses.length > 0) throw new ProblemError(losses.map(lossProblem), EXIT.failed);
      if (interrupt.aborted) return EXIT.interrupted;
      return out.length === 0 ? EXIT.built : EXIT.waiting;
    });
  } finally {
    interrupts.stop();
    screen.close();
  }
}

const lossProblem = (message: string): Problem => ({
  id: 'CJE-BATCH-LOST',
  headline: message,
  hint: 'what came back is kept; the next build asks again for the rest',
});
