/** `cje batch list`: the batches that are out. */

import { Command } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { batchesText } from '../../terminal/batch-text.ts';
import { BATCH_CATEGORY } from '../batch-care.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class BatchListCommand extends PipelineCommand {
  static override paths = [['batch', 'list']];
  static override usage = Command.Usage({
    category: BATCH_CATEGORY,
    description: 'the batches that are out',
    details: `
      Shows what the last look found, and asks no provider; "cje batch harvest" looks. Exits 0.
    `,
    examples: [['What is out?', 'cje batch list']],
  });

  run(): Promise<ExitCode> {
    return this.withSession({ readOnly: true }, async ({ store, ports }) => {
      const out = store.batches.list();
      if (this.json) for (const submission of out) this.printJson({ type: 'batch', version: 1, ...submission });
      else this.print(batchesText(out, ports.now()));
      return EXIT.built;
    });
  }
}
