// Builds dist/ where it is older than what it is made of: before tests that run the bundle, and by hand.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const DIST = process.env.CJE_DIST ?? 'dist';
const LOCK = join(ROOT, `${DIST}.lock`);
/** A build takes seconds; who waits longer waits for something else. */
const PATIENCE_MILLISECONDS = 120_000;

/** What vitest calls once before the tests. Several runs may start at once: one builds, the others wait for it. */
export default async function setup() {
  for (const started = Date.now(); stale() !== undefined; ) {
    if (takeLock()) {
      try {
        const reason = stale();
        if (reason !== undefined) buildBundle(reason);
      } finally {
        rmSync(LOCK, { force: true });
      }
    } else if (Date.now() - started > PATIENCE_MILLISECONDS) {
      throw new Error(`another process has been building ${DIST}/ for two minutes; if none is, remove ${LOCK}`);
    } else {
      await sleep(100);
    }
  }
}

/** Why the bundle must be built; undefined where it is fresh. */
function stale() {
  const built = statSync(join(ROOT, DIST, 'code-digests.json'), { throwIfNoEntry: false })?.mtimeMs;
  if (built === undefined) return 'there is no bundle';
  const newer = ['src', 'scripts', 'package.json', 'package-lock.json'].find(
    (path) => newest(join(ROOT, path)) >= built,
  );
  return newer && `${newer} is newer than the bundle`;
}

/** The newest stamp in a folder; a folder's own tells of what was removed from it. */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce((most, name) => Math.max(most, newest(join(path, name))), stat.mtimeMs);
}

function buildBundle(reason) {
  console.log(`Building ${DIST}/: ${reason}.`);
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/build.mjs')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${DIST}/ must be built (${reason}), and building failed:\n${stderr}`);
  if (stale() !== undefined) throw new Error(`${DIST}/ was edited under its build: run this again`);
}

/** A lock of a process that is gone is removed. */
function takeLock() {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  if (!isAlive(holder())) rmSync(LOCK, { force: true });
  return false;
}

function holder() {
  try {
    return Number(readFileSync(LOCK, 'utf8'));
  } catch {
    // It was released in between.
    return Number.NaN;
  }
}

function isAlive(pid) {
  if (!(pid > 0)) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setup();
