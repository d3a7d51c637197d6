/** Opens the shared cache that cje.remote.yaml names. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ProblemError } from '../core/problem.ts';
import type { RemoteSettings } from '../pipeline/remote-file.ts';
import { systemClock } from '../providers/clock.ts';
import { networkEnvironment } from '../providers/connections.ts';
import { secrets } from '../providers/environment.ts';
import { runCommand } from '../providers/key-ring.ts';
import { folderStore } from '../remote/folder.ts';
import { KnownSegments } from '../remote/known.ts';
import type { ObjectStore } from '../remote/object-store.ts';
import { knownFolder, type Remote } from '../remote/remote.ts';
import { isPublicKey, type PublicKey, readSigningKey, type SigningKey } from '../remote/signing.ts';
import { configFolder, pathIn, readRemoteSettings } from './remote-settings.ts';

/** Holds a private key itself, for machines that have no file of it, such as those of CI. */
const KEY_VARIABLE = 'CJE_SIGNING_KEY';
/** Milliseconds after which credentials are read anew: those of a command expire. */
const CREDENTIALS_LAST = 300_000;

export interface OpenedRemote extends Remote {
  readonly settings: RemoteSettings;
}

interface OpenOptions {
  /** The folder of pipeline.yaml. */
  readonly root: string;
  /** The cache folder. */
  readonly cache: string;
  readonly note: (text: string) => void;
}

/** The shared cache; undefined where none is named. For the caller to close. @throws ProblemError for a mistake in it */
export async function openRemote({ root, cache, note }: OpenOptions): Promise<OpenedRemote | undefined> {
  const found = await readRemoteSettings(root);
  const settings = found?.settings.remote;
  if (found === undefined || settings === undefined) return undefined;
  const objects = await openObjects(settings, found.path);
  return {
    settings,
    objects,
    trusted: new Set(settings.trusted.map((text) => text.split(' ')[0]!).filter(isPublicKey)) as ReadonlySet<PublicKey>,
    key: signingKey(settings, found.path),
    known: new KnownSegments(knownFolder(cache, `${settings.endpoint ?? ''} ${objects.place}`)),
    now: systemClock.now,
    note,
  };
}

/** The same for a command that is about nothing else. */
export async function openNamedRemote(options: OpenOptions): Promise<OpenedRemote> {
  const remote = await openRemote(options);
  if (remote !== undefined) return remote;
  throw new ProblemError({
    id: 'CJE-REMOTE-MISSING',
    headline: 'no shared cache is named here',
    facts: [['looked in', `${options.root}, ${configFolder()}`]],
    hint: 'write a cje.remote.yaml with `remote:`; docs/team.md shows five lines',
  });
}

async function openObjects(settings: RemoteSettings, file: string): Promise<ObjectStore> {
  const { url, endpoint, region, profile, key_command: keyCommand, ca_file: caFile } = settings;
  if (!url.startsWith('s3://')) return folderStore(url.startsWith('file:') ? fileURLToPath(url) : pathIn(file, url));
  const { bucketStore } = await import('../remote/s3.ts');
  const { s3Credentials } = await import('../remote/s3-credentials.ts');
  const [bucket = '', ...path] = url.slice('s3://'.length).split('/');
  const prefix = path.filter((step) => step !== '').join('/');
  let credentials: { readonly read: ReturnType<typeof s3Credentials>; readonly at: number } | undefined;
  return bucketStore({
    address: {
      bucket,
      prefix: prefix === '' ? '' : `${prefix}/`,
      endpoint,
      region,
      ...(caFile === undefined ? {} : { caFile: pathIn(file, caFile) }),
    },
    credentials: () => {
      const now = systemClock.now();
      if (credentials === undefined || now - credentials.at > CREDENTIALS_LAST) {
        credentials = { read: s3Credentials({ keyCommand, profile, secrets, run: runCommand }), at: now };
      }
      return credentials.read;
    },
    clock: systemClock,
    environment: networkEnvironment(),
  });
}

/** Where the key lies that this machine signs with. */
export const keyFile = (settings: RemoteSettings | undefined, file: string): string =>
  settings?.sign_with === undefined ? `${configFolder()}/signing-key.pem` : pathIn(file, settings.sign_with);

/** Undefined where there is none: such a machine reads only. @throws ProblemError for a file that holds no key */
function signingKey(settings: RemoteSettings, file: string): SigningKey | undefined {
  const path = keyFile(settings, file);
  const inEnvironment = (secrets(KEY_VARIABLE) ?? '').trim();
  const text = inEnvironment === '' ? contentOf(path) : `${inEnvironment}\n`;
  if (text === undefined) return undefined;
  const key = readSigningKey(text);
  if (key !== undefined) return key;
  throw new ProblemError({
    id: 'CJE-REMOTE-NO-SIGNING-KEY',
    headline: `there is no private key of Ed25519 in ${inEnvironment === '' ? path : `the variable ${KEY_VARIABLE}`}`,
    hint: '`cje cache keygen` makes one',
  });
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
