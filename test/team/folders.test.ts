/** Which folders and files a team's commands take: temporary ones of processes, and cje.remote.yaml. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { configFolder, pathIn, remoteFilePath } from '../../src/team/remote-settings.ts';
import { scratchFolder } from '../../src/team/scratch-folder.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cje-folders-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('a scratch folder', () => {
  it('is a new one, and removes what processes of this host that are gone have left', () => {
    vi.stubEnv('TMPDIR', folder);
    const host = hostname();
    const left = [
      `cje-work-${host}-99999999-abc`,
      `cje-work-${host}-${process.pid}-abc`,
      `cje-work-${host}-notes`,
      `cje-work-other-${host}-99999999-abc`,
      `cje-till-${host}-99999999-abc`,
    ];
    for (const name of left) mkdirSync(join(folder, name));
    writeFileSync(join(folder, left[0]!, 'file'), 'x');
    const made = scratchFolder('work');
    expect(made.startsWith(join(folder, `cje-work-${host}-${process.pid}-`))).toBe(true);
    expect(readdirSync(made)).toEqual([]);
    expect(left.map((name) => existsSync(join(folder, name)))).toEqual([false, true, true, true, true]);
  });
});

describe('cje.remote.yaml', () => {
  it('is the one beside the pipeline, else the one of the configuration folder', () => {
    vi.stubEnv('XDG_CONFIG_HOME', join(folder, 'config'));
    expect(configFolder()).toBe(join(folder, 'config', 'cje'));
    const [root, general] = [join(folder, 'root'), join(folder, 'config', 'cje', 'cje.remote.yaml')];
    mkdirSync(root);
    expect(remoteFilePath(root)).toBeUndefined();
    mkdirSync(configFolder(), { recursive: true });
    writeFileSync(general, '');
    expect(remoteFilePath(root)).toBe(general);
    writeFileSync(join(root, 'cje.remote.yaml'), '');
    expect(remoteFilePath(root)).toBe(join(root, 'cje.remote.yaml'));
  });

  it.each([
    ['~', homedir()],
    ['~/keys/mine.pem', join(homedir(), 'keys/mine.pem')],
    ['/etc/key.pem', '/etc/key.pem'],
    ['key.pem', '/project/key.pem'],
    ['../shared/key.pem', '/shared/key.pem'],
    ['~other/key.pem', '/project/~other/key.pem'],
  ])('names the path %s', (written, path) => {
    expect(pathIn('/project/cje.remote.yaml', written)).toBe(path);
  });
});
