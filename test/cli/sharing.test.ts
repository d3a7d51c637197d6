/** What a build and `cje cache` do with a shared cache that is a folder: who says what is needed, and what is removed. */

import { mkdirSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type PricedProject, pricedProject } from '../helpers/priced-project.ts';

let at: PricedProject;
let place: string;
let key: string;
beforeEach(async () => {
  at = await pricedProject({ confirmAbove: 100, prompts: 3 });
  place = join(at.project.folder, 'shared');
  mkdirSync(place);
  // No settings and no key of whoever runs this.
  vi.stubEnv('XDG_CONFIG_HOME', join(at.project.folder, 'config'));
  vi.stubEnv('HOME', at.project.folder);
  vi.stubEnv('CJE_SIGNING_KEY', '');
  key = (await at.cje('cache', 'keygen', '--json')).finished.public;
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await at.close();
});

const OTHER = `ed25519:${'A'.repeat(43)}`;
const settings = (trusted: string, more = '') =>
  at.project.write('cje.remote.yaml', `remote:\n  url: ${place}\n  trusted: ['${trusted} who']\n${more}`);
const holds = () => files('holds');
const files = (folder: string) => {
  try {
    return readdirSync(join(place, folder));
  } catch {
    return [];
  }
};

describe('a build', () => {
  it('says what it needs there where others believe it, and nowhere else', async () => {
    settings(OTHER);
    const built = await at.cje('build', 'responses/brief', '--json');
    expect([built.exit, holds(), files('segments')]).toEqual([0, [], []]);
    settings(key);
    await at.cje('build', 'responses/brief', '--force', 'responses/brief', '--json');
    // It gives nothing unless it is told to.
    expect([holds().length, files('segments').length]).toEqual([1, 0]);
    settings(key, '  push: after\n');
    await at.cje('build', 'responses/brief', '--force', 'responses/brief', '--json');
    expect(files('segments').length).toBeGreaterThan(0);
  });

  it('asks nobody there when it is offline', async () => {
    settings(key, '  push: after\n');
    const offline = await at.cje('build', 'prompts', '--offline', '--json');
    expect([offline.exit, files('segments'), holds()]).toEqual([0, [], []]);
  });
});

describe('cje cache push and pull', () => {
  it('say what is needed where others believe it; a push whose key nobody trusts ends before it writes', async () => {
    await at.cje('build', 'responses/brief');
    settings(OTHER);
    const refused = await at.cje('cache', 'push');
    expect([refused.exit, refused.stderr.includes('CJE-REMOTE-NOT-TRUSTED')]).toEqual([2, true]);
    expect((await at.cje('cache', 'pull')).exit).toBe(0);
    expect([holds(), files('segments')]).toEqual([[], []]);
    settings(key);
    expect((await at.cje('cache', 'pull')).exit).toBe(0);
    expect(holds()).toHaveLength(1);
    const pushed = await at.cje('cache', 'push', '--json');
    expect(pushed.exit).toBe(0);
    expect(pushed.finished.segments).toBeGreaterThan(0);
    expect((await at.cje('cache', 'push')).stdout).toBe('Everything is there already.\n');
  });
});

describe('cje cache gc --remote', () => {
  it('removes what is old and needed by nobody, and only when it is told to', async () => {
    settings(key);
    await at.cje('build', 'responses/brief');
    expect((await at.cje('cache', 'push')).exit).toBe(0);
    // Left by a push that ended early, a long time ago.
    mkdirSync(join(place, 'tmp'), { recursive: true });
    const left = join(place, 'segments', 'f'.repeat(64));
    const [segment = ''] = files('segments');
    at.project.write(join('shared', 'segments', 'f'.repeat(64)), 'x');
    utimesSync(left, 1e9, 1e9);
    const gc = (...more: string[]) => at.cje('cache', 'gc', '--remote', '--older-than', '90d', '--json', ...more);
    for (const more of [[], ['--dry-run'], ['--delete', '--dry-run']]) {
      expect((await gc(...more)).finished).toMatchObject({
        dryRun: true,
        held: 1,
        removed: [`segments/${'f'.repeat(64)}`],
      });
      expect(files('segments')).toHaveLength(2);
    }
    const done = await gc('--delete');
    expect([done.exit, done.finished.dryRun, done.finished.removed.length]).toEqual([0, false, 1]);
    expect(files('segments')).toEqual([segment]);
  });
});
