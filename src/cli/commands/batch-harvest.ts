/** `cje batch harvest`: look at every batch once, and take in those that are back. */

import { Command } from 'clipanion';
import type { ExitCode } from '../../core/problem.ts';
import { BATCH_CATEGORY, careFor } from '../batch-care.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class BatchHarvestCommand extends PipelineCommand {
  static override paths = [['batch', 'harvest']];
  static override usage = Command.Usage({
    category: BATCH_CATEGORY,
    description: 'look at every batch once, and take in those that are back',
    details: `
      Exits 0 when none is out any more, 6 while some are, 1 where one came back without some of its calls.
    `,
    examples: [['Take in what is back', 'cje batch harvest']],
  });

  run(): Promise<ExitCode> {
    return careFor(this, () => ({ type: 'harvest' }));
  }
}
