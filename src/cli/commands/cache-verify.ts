/** `cje cache verify`: hashes everything again, and takes out what is damaged. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { lockedError } from '../../engine/build/lock.ts';
import type { Saved } from '../../store/upkeep/salvage.ts';
import type { Damage, Verification } from '../../store/upkeep/verify.ts';
import { count } from '../../text/numbers.ts';
import { counted } from '../../text/plural.ts';
import { table } from '../../text/table.ts';
import { CATEGORY, CacheCommand } from '../cache/command.ts';
import { size } from '../cache/sizes.ts';
import { forget } from '../last-build.ts';

/** Damaged entries that are named without being asked. */
const NAMED = 20;

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

function verifiedText({ checked, bytes, damaged }: Verification, saved: Saved | undefined, verbose: boolean): string {
  const what = [
    counted(checked.replies, 'reply').replace('replys', 'replies'),
    counted(checked.actions, 'finished node'),
    counted(checked.blobs, 'output'),
  ].join(', ');
  const read = `Checked ${what}: ${size(bytes)} read.\n`;
  if (damaged.length === 0) return `${read}Nothing is damaged.\n`;
  const shown = verbose ? damaged : damaged.slice(0, NAMED);
  const rows = shown.map(({ kind, name, reason, node }) => [
    kind,
    name,
    node === undefined ? reason : `${reason} (${node})`,
  ]);
  const more =
    damaged.length > shown.length ? `… and ${count(damaged.length - shown.length)} more (--verbose names all)\n` : '';
  const rescued =
    saved === undefined
      ? ''
      : `Saved from the data file: ${count(saved.replies)} replies, ${count(saved.actions)} finished nodes, ${count(saved.builds)} builds.\n`;
  return (
    `${read}${rescued}\nDamaged:\n${table(rows)}\n${more}\n` +
    'They were taken out; copies lie in .cache/quarantine. The next build makes them again, and buys the replies that are lost.\n'
  );
}
