/** Credentials of a bucket: from a command, the environment, or the file that Amazon's tools share. */

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EXIT, ProblemError } from '../core/problem.ts';
import type { RunCommand } from '../providers/key-ring.ts';
import type { Secrets } from '../providers/secrets.ts';
import { parseJson } from '../store/pack/rows.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

interface CredentialSource {
  /** Prints `{"AccessKeyId": …, "SecretAccessKey": …}`, as Amazon's `credential_process` does. */
  readonly keyCommand?: string | readonly string[] | undefined;
  /** A section of the shared file; the one that AWS_PROFILE names, or `default`. */
  readonly profile?: string | undefined;
  readonly secrets: Secrets;
  readonly run: RunCommand;
}

/** @throws ProblemError where there are none; no text of it holds what was found */
export async function s3Credentials({ keyCommand, profile, secrets, run }: CredentialSource): Promise<S3Credentials> {
  if (keyCommand !== undefined) return fromCommand(keyCommand, run);
  const set = (name: string) => {
    const value = (secrets(name) ?? '').trim();
    return value === '' ? undefined : value;
  };
  const id = set('AWS_ACCESS_KEY_ID');
  const secret = set('AWS_SECRET_ACCESS_KEY');
  // A profile that is named in the file is meant; the environment may be about something else.
  if (profile === undefined && id !== undefined && secret !== undefined) {
    return credentials(id, secret, set('AWS_SESSION_TOKEN'));
  }
  const file = set('AWS_SHARED_CREDENTIALS_FILE') ?? join(homedir(), '.aws', 'credentials');
  const section = profile ?? set('AWS_PROFILE') ?? 'default';
  const found = sectionOf(file, section);
  const [fileId, fileSecret] = [found?.get('aws_access_key_id'), found?.get('aws_secret_access_key')];
  if (fileId !== undefined && fileSecret !== undefined) {
    return credentials(fileId, fileSecret, found?.get('aws_session_token'));
  }
  throw lacking(`neither the environment nor the section [${section}] of ${file} has both halves of a key`);
}

const credentials = (accessKeyId: string, secretAccessKey: string, token: string | undefined): S3Credentials => ({
  accessKeyId,
  secretAccessKey,
  ...(token === undefined ? {} : { sessionToken: token }),
});

async function fromCommand(command: string | readonly string[], run: RunCommand): Promise<S3Credentials> {
  const result = await run(command);
  if (!result.ok) throw lacking(`the key_command ${result.reason}`);
  const printed = parseJson(result.output) as Readonly<Record<string, unknown>> | undefined | null;
  const { AccessKeyId: id, SecretAccessKey: secret, SessionToken: token } = printed ?? {};
  if (typeof id !== 'string' || typeof secret !== 'string') {
    throw lacking('the key_command printed no JSON with AccessKeyId and SecretAccessKey');
  }
  return credentials(id, secret, typeof token === 'string' ? token : undefined);
}

/** The settings of one section of an INI file; undefined where there is none. */
function sectionOf(file: string, section: string): ReadonlyMap<string, string> | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  let found: Map<string, string> | undefined;
  let inside = false;
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[\s*(.+?)\s*\]/.exec(line)?.[1];
    if (header !== undefined) {
      inside = header === section;
      if (inside) found ??= new Map();
    }
    const setting = /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (inside && setting !== null) found?.set(setting[1]!.toLowerCase(), setting[2]!);
  }
  return found;
}

const lacking = (reason: string) =>
  new ProblemError(
    {
      id: 'CJE-REMOTE-NO-KEY',
      headline: 'no credentials for the bucket of the shared cache were found',
      facts: [['reason', reason]],
      hint: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a `profile` or a `key_command` in cje.remote.yaml',
    },
    EXIT.badInput,
  );
