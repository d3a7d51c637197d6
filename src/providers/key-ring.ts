/** The credentials of one provider: which one is in use, and what comes after one that the provider refuses. */

import { execFile } from 'node:child_process';
import type { FatalFailure } from '../core/call.ts';
import type { Provider } from '../core/graph.ts';
import { credentialsOf, type Keys, keyTrouble, type Secrets } from './secrets.ts';

/** Milliseconds that a `key_command` may take, and bytes that it may print. */
const COMMAND_TIMEOUT = 30_000;
const COMMAND_OUTPUT = 65_536;

export interface KeyRing {
  /** All credentials that were in use so far or may come next: what is looked for in whatever the provider says. */
  keys(): Keys;
  /** The one in use; undefined for a provider that asks for none. */
  current(): string | undefined;
  /** After this key was refused: true once another one is in use. A promise only where a command has to be run. */
  replace(refused: string | undefined): boolean | Promise<boolean>;
}

export type OpenedRing =
  | { readonly ok: true; readonly ring: KeyRing }
  | { readonly ok: false; readonly failure: FatalFailure };

/** What a key command printed, or why there is nothing. */
export type CommandResult =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly reason: string };

export type RunCommand = (command: string | readonly string[]) => Promise<CommandResult>;

export async function openKeyRing(
  provider: Provider,
  secrets: Secrets,
  run: RunCommand = runCommand,
): Promise<OpenedRing> {
  const command = provider.access?.keyCommand;
  if (command === undefined) {
    const found = credentialsOf(provider, secrets);
    return found.ok ? { ok: true, ring: ringOf(found.keys, undefined) } : found;
  }
  const first = await keyFrom(provider, command, run);
  if (!first.ok) return first;
  const again = async () => {
    const next = await keyFrom(provider, command, run);
    return next.ok ? next.key : undefined;
  };
  return { ok: true, ring: ringOf([first.key], again) };
}

/** @param again makes another key, such as the command of a secret manager whose keys expire */
function ringOf(first: Keys, again: (() => Promise<string | undefined>) | undefined): KeyRing {
  const keys = [...first];
  let used = 0;
  let asking: Promise<string | undefined> | undefined;
  return {
    keys: () => keys,
    current: () => keys[used],
    replace(refused) {
      if (refused !== keys[used]) return true;
      if (used + 1 < keys.length) {
        used++;
        return true;
      }
      return again === undefined ? false : renew(refused, again);
    },
  };

  async function renew(refused: string | undefined, command: () => Promise<string | undefined>): Promise<boolean> {
    // Many calls are refused at once, and one command serves them all.
    asking ??= command();
    const key = await asking;
    asking = undefined;
    if (keys[used] !== refused) return true;
    if (key === undefined || keys.includes(key)) return false;
    used = keys.push(key) - 1;
    return true;
  }
}

type Made = { readonly ok: true; readonly key: string } | { readonly ok: false; readonly failure: FatalFailure };

async function keyFrom(provider: Provider, command: string | readonly string[], run: RunCommand): Promise<Made> {
  const result = await run(command);
  const failed = (reason: 'no_key' | 'bad_key', why: string): Made => ({
    ok: false,
    failure: { class: 'fatal', reason, message: `the key_command of provider "${provider.name}" ${why}` },
  });
  if (!result.ok) return failed('no_key', result.reason);
  const key = result.output.trim();
  if (key === '') return failed('no_key', 'printed nothing');
  return keyTrouble(key) ? failed('bad_key', 'printed white space or characters that no key has') : { ok: true, key };
}

/** Runs a command; a text goes through the shell. What it says of its errors may hold secrets, so it is shown nowhere. */
export const runCommand: RunCommand = (command) => {
  const [file, ...parameters] = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
  return new Promise((resolve) => {
    const options = { timeout: COMMAND_TIMEOUT, maxBuffer: COMMAND_OUTPUT, encoding: 'utf8' } as const;
    execFile(file ?? '', parameters, options, (error, stdout) => {
      if (error === null) resolve({ ok: true, output: stdout });
      else resolve({ ok: false, reason: failureOf(error) });
    });
  });
};

function failureOf(error: { readonly code?: unknown; readonly killed?: boolean | undefined }): string {
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'printed far more than a key';
  if (error.killed) return `did not end within ${COMMAND_TIMEOUT / 1000} s`;
  if (typeof error.code === 'number') return `ended with status ${error.code}; run it by hand to see why`;
  return `could not be run (${String(error.code ?? 'stopped by a signal')})`;
}
