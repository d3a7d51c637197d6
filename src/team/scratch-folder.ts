/** Temporary folders of long-running processes: a process that was killed leaves its own, and the next one removes it. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemProcesses } from '../store/disk/processes.ts';

/** @param purpose a word for its name */
export function scratchFolder(purpose: string): string {
  // Other hosts, or containers, may have the same folder and other processes.
  const ours = `cje-${purpose}-${hostname()}-`;
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(ours) ? Number(/^(\d+)-/.exec(name.slice(ours.length))?.[1] ?? Number.NaN) : Number.NaN;
    if (Number.isNaN(pid) || systemProcesses.startOf(pid) !== undefined) continue;
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
  return mkdtempSync(join(tmpdir(), `${ours}${process.pid}-`));
}
