/** Finds cje.remote.yaml and reads it; who has none loads nothing of it. */

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { RemoteFile } from '../pipeline/remote-file.ts';
import { secrets } from '../providers/environment.ts';

const NAME = 'cje.remote.yaml';
/** Where somebody may write a credential by mistake. */
const SECRET_KEYS = ['redis', 'key_command', 'sign_with'];

/** Where people keep what is theirs on every project of the machine. */
export const configFolder = (): string => join(secrets('XDG_CONFIG_HOME') || join(homedir(), '.config'), 'cje');

/** The file beside pipeline.yaml, else the one of the configuration folder; undefined where there is none. */
export function remoteFilePath(root: string): string | undefined {
  return [join(root, NAME), join(configFolder(), NAME)].find((path) => existsSync(path));
}

interface FoundSettings {
  readonly path: string;
  readonly settings: RemoteFile;
}

/** @throws ProblemError with every mistake in the file */
export async function readRemoteSettings(root: string): Promise<FoundSettings | undefined> {
  const path = remoteFilePath(root);
  if (path === undefined) return undefined;
  const [{ readCheckedFile }, { remoteFile }] = await Promise.all([
    import('../pipeline/checked-file.ts'),
    import('../pipeline/remote-file.ts'),
  ]);
  return {
    path,
    settings: readCheckedFile({ path, option: NAME, cwd: process.cwd(), secretKeys: SECRET_KEYS }, remoteFile),
  };
}

/** A path as it is written in the file: below the home folder, absolute, or from where the file lies. */
export function pathIn(file: string, written: string): string {
  if (written === '~' || written.startsWith('~/')) return join(homedir(), written.slice(2));
  return resolve(dirname(file), written);
}
