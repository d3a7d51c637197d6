/** `cje cache import`: takes a pack into the cache, whole or not at all. */

import { resolve } from 'node:path';
import { Command, Option } from 'clipanion';
import { badOption, EXIT, type ExitCode } from '../../core/problem.ts';
import { printable } from '../../text/escape.ts';
import { count } from '../../text/numbers.ts';
import { CATEGORY, CacheCommand } from '../cache/command.ts';

export class CacheImportCommand extends CacheCommand {
  static override paths = [['cache', 'import']];
  static override usage = Command.Usage({
    category: CATEGORY,
    description: 'take a pack into the cache, whole or not at all',
    details: `
      The pack is checked from end to end before anything is written. A damaged one is refused, and what is damaged in it is
      named. With --expect only the very file that was exported is taken. What the cache has already stays as it is.

      Exit codes: 0 imported · 2 not a pack · 4 a build is running · 5 the pack is damaged, or not the expected one.
    `,
    examples: [['From a colleague', 'cje cache import results.pack --expect sha256:…']],
  });

  pack = Option.String({ name: 'pack' });
  expect = Option.String('--expect', { description: 'the digest that export printed: sha256:…' });

  async run(): Promise<ExitCode> {
    const { expect } = this;
    if (expect !== undefined && !/^sha256:[0-9a-f]{64}$/i.test(expect)) {
      throw badOption(
        `--expect takes sha256: and 64 hex digits, not ${JSON.stringify(expect)}`,
        '`cje cache export` prints it',
      );
    }
    const { importPack } = await import('../../store/pack/import.ts');
    const { digest, record, added, different } = await this.writing((store) =>
      importPack(store, resolve(this.pack), expect),
    );
    if (this.json) {
      this.printJson({
        type: 'cache-imported',
        version: 1,
        build: record.id,
        digest,
        proven: expect !== undefined,
        added,
        different,
      });
      return EXIT.built;
    }
    this.print(
      `Imported build ${record.id} (${printable(record.experiment)}, profile ${printable(record.profile)}): ` +
        `${count(added.actions)} finished nodes, ${count(added.blobs)} outputs and ${count(added.replies)} replies were new.\n`,
    );
    if (different > 0)
      this.print(`${count(different)} entries were here already with other contents; those were kept.\n`);
    this.print(expect === undefined ? `${digest} (not compared: no --expect)\n` : `${digest}, as expected\n`);
    this.print(`\nNext: cje build --offline ${printable(record.targets.join(' '))}\n`);
    return EXIT.built;
  }
}
