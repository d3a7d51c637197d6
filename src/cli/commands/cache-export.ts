/** `cje cache export`: what one build depends on, in one file. */

import { relative, resolve } from 'node:path';
import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { checkPackable, findBuild, wholeBuild } from '../../engine/build-name.ts';
import { count } from '../../text/numbers.ts';
import { counted } from '../../text/plural.ts';
import { size } from '../../text/size.ts';
import { CATEGORY, CacheCommand } from '../cache/command.ts';

export class CacheExportCommand extends CacheCommand {
  static override paths = [['cache', 'export']];
  static override usage = Command.Usage({
    category: CATEGORY,
    description: 'write what one build depends on into one file, a pack',
    details: `
      A pack holds outputs, records and the replies behind them, but no key and no credential. Whoever imports it into a copy
      of the project builds the same bytes with --offline. The printed digest is the SHA-256 of the file: give it to them,
      and \`cje cache import --expect\` proves that they have what you made.
    `,
    examples: [['For a colleague', 'cje cache export --build last -o results.pack']],
  });

  build = Option.String('--build', 'last', { description: 'the build: last, last~1, an id or a tag' });
  output = Option.String('-o,--output', { required: true, description: 'the file to write' });

  run(): Promise<ExitCode> {
    return this.reading(async (store) => {
      const { exportPack } = await import('../../store/pack/export.ts');
      const record = findBuild(store.builds, this.build);
      checkPackable(store.builds, record);
      const target = resolve(this.output);
      const done = await exportPack(store, record, target);
      if (this.json) {
        this.printJson({ type: 'cache-exported', version: 1, build: record.id, file: target, ...done });
        return EXIT.built;
      }
      const file = relative(process.cwd(), target);
      if (record.exit !== EXIT.built) {
        this.print(
          `Build ${record.id} ended with exit ${record.exit}; the pack holds what it finished. ${wholeBuild(store.builds)}\n`,
        );
      }
      this.print(
        `Packed build ${record.id} into ${file}: ${counted(done.actions, 'finished node')}, ${counted(done.blobs, 'output')}, ` +
          `${count(done.replies)} replies, ${size(done.bytes)}.\n\n${done.digest}\n`,
      );
      return EXIT.built;
    });
  }
}
