/** `cje cache export`: what one build depends on, in one file. */

import { relative, resolve } from 'node:path';
import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode, ProblemError } from '../../core/problem.ts';
import type { BuildLog, BuildRecord } from '../../core/storage.ts';
import { countedBuilds, findBuild } from '../../engine/build-name.ts';
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
      checkFinished(store.builds, record);
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

/** @throws ProblemError where nothing of the build is there to pack. */
function checkFinished(builds: BuildLog, { id, exit, nodes }: BuildRecord): void {
  if (exit === EXIT.built || Object.values(nodes).some(({ key }) => key !== null)) return;
  throw new ProblemError(
    {
      id: 'CJE-BUILD-NOT-WHOLE',
      headline: `build ${id} ended with exit ${exit} and finished no node, so there is nothing to pack`,
      hint: wholeBuild(builds),
    },
    EXIT.failed,
  );
}

/** Which build to pack in the place of one that did not finish. */
function wholeBuild(builds: BuildLog): string {
  const back = countedBuilds(builds).findIndex(({ exit }) => exit === EXIT.built);
  if (back < 0) return 'No build has finished yet: build again, then export.';
  return `The last one that finished is \`--build ${back === 0 ? 'last' : `last~${back}`}\`.`;
}
