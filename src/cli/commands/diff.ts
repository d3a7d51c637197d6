/** `cje diff`: two builds' results side by side. */

import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { findBuild } from '../../engine/build-name.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class DiffCommand extends PipelineCommand {
  static override paths = [['diff']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: "two builds' results side by side: edits, scores, estimates, ranking, cost",
    details: `
      Builds are named by id, by tag (\`build --tag\`), or as last, last~1 and so on. Works for any two builds whose outputs
      are still in the cache. Scores are compared on the same responses alone. The interval of an estimate's difference is
      paired by prompt; by default for the leading estimator of each scorer, with --verbose for all (which computes every
      one of them twice).
    `,
    examples: [
      ['What did the last edit do?', 'cje diff'],
      ['Since a tagged build', 'cje diff v1 last'],
    ],
  });

  before = Option.String({ name: 'before', required: false });
  after = Option.String({ name: 'after', required: false });

  run(): Promise<ExitCode> {
    return this.withSession({ readOnly: true }, async ({ ports }) => {
      const { builds } = ports.store;
      const b = findBuild(builds, this.after ?? 'last');
      const a = findBuild(builds, this.before ?? 'last~1');
      const { differenceOf } = await import('../../compare/difference.ts');
      const difference = differenceOf(a, b, ports, this.verbose);
      if (this.json) {
        const side = ({ id, tags = [], profile, targets, finishedAt, totals }: typeof a) => ({
          id,
          tags,
          profile,
          targets,
          finishedAt,
          calls: totals.calls,
          cost: totals.cost,
        });
        this.printJson({ type: 'diff', version: 1, ...difference, a: side(a), b: side(b) });
      } else {
        const { compareText } = await import('../../terminal/compare-text.ts');
        this.print(compareText(difference, this.look, { verbose: this.verbose }));
      }
      return EXIT.built;
    });
  }
}
