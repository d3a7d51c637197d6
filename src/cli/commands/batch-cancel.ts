/** `cje batch cancel`: cancel batches, and take in what they have done. */

import { Command, Option } from 'clipanion';
import type { ExitCode } from '../../core/problem.ts';
import { namedBatches } from '../../engine/build/batches.ts';
import { BATCH_CATEGORY, careFor } from '../batch-care.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class BatchCancelCommand extends PipelineCommand {
  static override paths = [['batch', 'cancel']];
  static override usage = Command.Usage({
    category: BATCH_CATEGORY,
    description: 'cancel batches, and take in what they have done',
    details: `
      Without a name, all that are out. What a provider had done by then is billed and kept; the rest is bought by the next build.
    `,
    examples: [
      ['Cancel all that are out', 'cje batch cancel'],
      ['Cancel one', 'cje batch cancel 3f2a9c01'],
    ],
  });

  names = Option.Rest({ name: 'batch' });

  run(): Promise<ExitCode> {
    return careFor(this, ({ store }) => {
      const all = store.batches.list();
      const chosen = this.names.length === 0 ? all : namedBatches(all, this.names);
      return { type: 'cancel', ids: chosen.map(({ id }) => id) };
    });
  }
}
