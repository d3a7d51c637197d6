/** `cje batch wait`: wait until every batch is back, and take it in. */

import { Command } from 'clipanion';
import type { ExitCode } from '../../core/problem.ts';
import { BATCH_CATEGORY, careFor } from '../batch-care.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class BatchWaitCommand extends PipelineCommand {
  static override paths = [['batch', 'wait']];
  static override usage = Command.Usage({
    category: BATCH_CATEGORY,
    description: 'wait until every batch is back, and take it in',
    details: `
      Builds wait for the lock meanwhile. Exits 0, or 1 where a batch came back without some of its calls. Ctrl-C ends the waiting, and
      leaves the batches out.
    `,
    examples: [['Wait, then build', 'cje batch wait && cje build']],
  });

  run(): Promise<ExitCode> {
    return careFor(this, () => ({ type: 'wait' }));
  }
}
