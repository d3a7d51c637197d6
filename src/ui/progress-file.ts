/** Writes down how far a build is, for `cje view`: at most twice a second, whole each time, and gone when the build ends. */

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildProgress } from '../core/build-progress.ts';
import type { BuildEvent } from '../core/events.ts';
import { Progress, ratesOf } from './progress.ts';

/** In the cache's folder. Without it a viewer shows less, and nothing else. */
const PROGRESS_FILE = 'progress.json';
/** Milliseconds between two writes. */
const PAUSE = 500;

interface ProgressFile {
  readonly listener: (event: BuildEvent) => void;
  close(): void;
}

/** @param cache the cache's folder. @param pid of the process that builds */
export function progressFile(cache: string, pid: number, now: () => number): ProgressFile {
  const path = join(cache, PROGRESS_FILE);
  const progress = new Progress();
  let written = Number.NEGATIVE_INFINITY;
  let working = false;
  let failed = false;
  let later: NodeJS.Timeout | undefined;
  const write = () => {
    clearTimeout(later);
    later = undefined;
    const at = now();
    written = at;
    const { active, nodes, finished, bought, cost } = progress;
    const { share = null, remaining = null, dollars } = progress.whole(at);
    const told: BuildProgress = {
      pid,
      nodes,
      finished,
      bought,
      cost,
      share,
      remaining,
      expected: dollars,
      active: Object.fromEntries(
        [...active.values()].map((node) => {
          const rates = ratesOf(node, at);
          const { name, items = null, done, bought: of, cost: spent } = node;
          return [
            name,
            { items, done, bought: of, cost: spent, rate: rates.calls ?? null, remaining: rates.remaining ?? null },
          ];
        }),
      ),
    };
    try {
      writeFileSync(`${path}.tmp`, JSON.stringify(told));
      renameSync(`${path}.tmp`, path);
    } catch {
      // A full disk ends the build for better reasons than this one.
      failed = true;
    }
  };
  return {
    listener(event) {
      const at = now();
      progress.follow(event, at);
      // A build that waits for another one's lock starts no node.
      working ||= event.type === 'node-started';
      if (!working || failed) return;
      // What comes too soon after a write is written a little later: it may be the last thing that happens for long.
      if (at - written >= PAUSE) write();
      else later ??= setTimeout(write, PAUSE).unref();
    },
    close() {
      clearTimeout(later);
      if (working) rmSync(path, { force: true });
    },
  };
}

/** How far the build of a process is; undefined where nobody builds, and where what is written is of a build that is gone. */
export function readProgress(cache: string, pid: number | undefined): BuildProgress | undefined {
  if (pid === undefined) return undefined;
  try {
    const progress = JSON.parse(readFileSync(join(cache, PROGRESS_FILE), 'utf8')) as BuildProgress;
    return progress.pid === pid ? progress : undefined;
  } catch {
    return undefined;
  }
}
