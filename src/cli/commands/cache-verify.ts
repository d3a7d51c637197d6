/** `cje cache verify`: hashes everything again, and takes out what is damaged. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { lockedError } from '../../engine/build/lock.ts';
import type { Saved } from '../../store/upkeep/salvage.ts';
import type { Damage } from '../../store/upkeep/verify.ts';
import { verifiedText } from '../../terminal/cache-text.ts';
import { CATEGORY, CacheCommand } from '../cache/command.ts';
import { forget } from '../last-build.ts';

export class CacheVerifyCommand extends CacheCommand {
  static override paths = [['cache', 'verify']];
  static override usage = Command.Usage({
    category: CATEGORY,
    description: 'hash everything again; what is damaged is taken out and made or bought again',
    details: `
      Replies are checked against their digests and keys, records against the outputs they name, outputs against their
      names. What is damaged is named, moved to .cache/quarantine, and made again or bought again by the next build.

      Exit codes: 0 nothing is damaged · 4 a build is running · 5 something was damaged.
    `,
    examples: [['After a crash of the machine', 'cje cache verify']],
  });

  async run(): Promise<ExitCode> {
    if (!existsSync(this.cache)) {
      if (this.json) this.printJson({ type: 'cache-verified', version: 1, checked: NOTHING, bytes: 0, damaged: [] });
      else this.print('Nothing is stored yet.\n');
      return EXIT.built;
    }
    const broken = await this.#mendDataFile();
    const found = await this.writing(async (store) => {
      const { verifyStore } = await import('../../store/upkeep/verify.ts');
      return verifyStore(store);
    });
    const damaged = broken === undefined ? found.damaged : [broken.damage, ...found.damaged];
    if (this.json) {
      const { checked, bytes } = found;
      const saved = broken === undefined ? {} : { saved: broken.saved };
      this.printJson({ type: 'cache-verified', version: 1, checked, bytes, damaged, ...saved });
    } else {
      this.print(verifiedText({ ...found, damaged }, broken?.saved, this.verbose));
    }
    return damaged.length === 0 ? EXIT.built : EXIT.damaged;
  }

  /** Where LMDB's own file is broken, makes a new one of what can be read. */
  async #mendDataFile(): Promise<{ readonly damage: Damage; readonly saved: Saved } | undefined> {
    const [{ dataFileDamage, lockHolders, salvageDataFile }, { nodeDisk }, { isGone, systemProcesses }] =
      await Promise.all([
        import('../../store/upkeep/salvage.ts'),
        import('../../store/disk/disk.ts'),
        import('../../store/disk/processes.ts'),
      ]);
    const { cache } = this;
    // A writer at work changes pages while they are looked at; only what is there twice is a fault.
    if (dataFileDamage(nodeDisk, cache) === undefined) return undefined;
    const holder = lockHolders(nodeDisk, cache).find((found) => !isGone(found, systemProcesses));
    if (holder !== undefined) throw lockedError(holder);
    const reason = dataFileDamage(nodeDisk, cache);
    if (reason === undefined) return undefined;
    forget(cache);
    const saved = await salvageDataFile(nodeDisk, cache);
    return { damage: { kind: 'data file', name: join('.cache', 'lmdb', 'data.mdb'), reason }, saved };
  }
}

const NOTHING = { replies: 0, failures: 0, actions: 0, builds: 0, blobs: 0, downloads: 0 };
