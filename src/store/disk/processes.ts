/** Identifies this process, and says whether another process still runs. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { LockHolder } from '../../core/storage.ts';
import { errorCode } from './disk.ts';

export interface Processes {
  readonly pid: number;
  readonly host: string;
  /** Changes with every start of the machine; '' where the system does not say. */
  bootId(): string;
  /** When the process began, in the system's own notation; '' where it does not say, undefined when it has ended. */
  startOf(pid: number): string | undefined;
}

export const systemProcesses: Processes = {
  pid: process.pid,
  host: hostname(),
  bootId() {
    try {
      if (process.platform === 'linux') return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      if (process.platform === 'darwin') return run('sysctl', ['-n', 'kern.boottime']);
    } catch {
      // Without it the process id and the start time decide.
    }
    return '';
  },
  startOf(pid) {
    if (!isAlive(pid)) return undefined;
    try {
      if (process.platform === 'linux') return startFromStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      if (process.platform !== 'win32') return run('ps', ['-o', 'lstart=', '-p', String(pid)]);
    } catch {
      // The process may have ended since the first check, or this system does not say.
      return isAlive(pid) ? '' : undefined;
    }
    return '';
  },
};

/** True when the process that took a lock has ended. One on another machine cannot be checked, so it counts as running. */
export function isGone(holder: LockHolder, processes: Processes): boolean {
  if (holder.host !== processes.host) return false;
  const bootId = processes.bootId();
  if (holder.bootId !== '' && bootId !== '' && holder.bootId !== bootId) return true;
  const start = processes.startOf(holder.pid);
  if (start === undefined) return true;
  return start !== '' && holder.processStart !== '' && start !== holder.processStart;
}

/**
 * Field 22 of `/proc/PID/stat`: clock ticks between the machine's start and the process's. Undefined for a process that
 * has ended and whose parent has not read its exit yet. Field 2, the command, may hold blanks and brackets.
 */
export function startFromStat(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  if (state === 'Z' || state === 'X') return undefined;
  return fields[19] ?? '';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process runs, as another user.
    return errorCode(error) !== 'ESRCH';
  }
}

/** Runs with an environment of its own, because `ps` would write times in the user's language. */
function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, {
    encoding: 'utf8',
    env: { LC_ALL: 'C', PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}
