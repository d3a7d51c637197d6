/** `cje batch adopt`: say which batch of the provider one of ours has become. */

import { Command, Option } from 'clipanion';
import type { ExitCode } from '../../core/problem.ts';
import { namedBatches } from '../../engine/build/batches.ts';
import { BATCH_CATEGORY, careFor } from '../batch-care.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class BatchAdoptCommand extends PipelineCommand {
  static override paths = [['batch', 'adopt']];
  static override usage = Command.Usage({
    category: BATCH_CATEGORY,
    description: 'say which batch of the provider one of ours has become',
    details: `
      A batch whose id was never learnt, because the process died or the answer was lost, is found by itself; this is for one that is not.
      With no provider’s id, it is looked for once more.
    `,
    examples: [['It is this one', 'cje batch adopt 3f2a9c01 batch_6780bb2f']],
  });

  batch = Option.String({ name: 'batch' });
  provider = Option.String({ name: 'provider-id', required: false });

  run(): Promise<ExitCode> {
    return careFor(this, async ({ store }) => {
      const [submission] = namedBatches(store.batches.list(), [this.batch]);
      if (submission !== undefined && this.provider !== undefined) {
        await store.batches.put({ ...submission, state: 'running', batch: this.provider });
      }
      return { type: 'harvest' };
    });
  }
}
