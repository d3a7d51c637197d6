/** `cje batch forget`: give batches up. */

import { Command, Option } from 'clipanion';
import type { ExitCode } from '../../core/problem.ts';
import { namedBatches } from '../../engine/build/batches.ts';
import { BATCH_CATEGORY, careFor } from '../batch-care.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class BatchForgetCommand extends PipelineCommand {
  static override paths = [['batch', 'forget']];
  static override usage = Command.Usage({
    category: BATCH_CATEGORY,
    description: 'give batches up that cannot be taken in',
    details: `
      Looks at each once more, and takes in what is back. What is not is bought again by the next build, and what it may have cost is
      booked as unknown: the provider may bill it all the same. To end a batch that runs, cancel it.
    `,
    examples: [['Give up a batch whose results cannot be read', 'cje batch forget 3f2a9c01']],
  });

  names = Option.Rest({ name: 'batch', required: 1 });

  run(): Promise<ExitCode> {
    return careFor(this, ({ store }) => ({
      type: 'forget',
      ids: namedBatches(store.batches.list(), this.names).map(({ id }) => id),
    }));
  }
}
