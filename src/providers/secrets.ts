/** Credentials: where they come from, and how they are kept out of everything that is shown or stored. */

import type { FatalFailure } from '../core/call.ts';
import type { Provider } from '../core/graph.ts';

/** Looks a secret up by the name of its variable. */
export type Secrets = (variable: string) => string | undefined;

export interface MissingKey {
  readonly provider: Provider;
  /** The environment variable that is unset or empty. */
  readonly variable: string;
}

/** The providers whose credential is named and not there: what a command complains of before it sends anything. */
export function missingKeys(providers: readonly Provider[], secrets: Secrets): readonly MissingKey[] {
  const missing: MissingKey[] = [];
  for (const provider of providers) {
    const variable = provider.keyVariable;
    if (variable !== undefined && (secrets(variable) ?? '').trim() === '') missing.push({ provider, variable });
  }
  return missing;
}

export type Credential =
  | { readonly ok: true; readonly key: string | undefined }
  | { readonly ok: false; readonly failure: FatalFailure };

/** The credential of a provider, without surrounding white space; a provider without `keyVariable` has none. */
export function credentialOf(provider: Provider, secrets: Secrets): Credential {
  const variable = provider.keyVariable;
  if (variable === undefined) return { ok: true, key: undefined };
  const key = (secrets(variable) ?? '').trim();
  if (key === '') {
    const message = `provider "${provider.name}" needs a key, and the environment variable ${variable} is not set`;
    return { ok: false, failure: { class: 'fatal', reason: 'no_key', message } };
  }
  if (!/^[\x21-\x7e]+$/.test(key)) {
    const message = `the value of ${variable} holds white space or characters that no key has`;
    return { ok: false, failure: { class: 'fatal', reason: 'bad_key', message } };
  }
  return { ok: true, key };
}

/**
 * Whether a text holds the credential. What servers that check none are given, such as `EMPTY` or `not-needed`, is no
 * secret, and an answer may well hold that word.
 */
export function repeats(text: string, key: string | undefined): boolean {
  return key !== undefined && isSecret(key) && text.includes(key);
}

/** The text with every occurrence of the credential blotted out. */
export function scrub(text: string, key: string | undefined): string {
  return key === undefined || !isSecret(key) ? text : text.replaceAll(key, '[credential]');
}

/**
 * The same for a parsed body, names of members included. Done before anything is cut out of a body, because half of a
 * credential would no longer be recognised.
 */
export function scrubBody(body: unknown, key: string | undefined): unknown {
  if (key === undefined || !isSecret(key)) return body;
  if (typeof body === 'string') return scrub(body, key);
  if (Array.isArray(body)) return body.map((member) => scrubBody(member, key));
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(Object.entries(body).map(([name, member]) => [scrub(name, key), scrubBody(member, key)]));
}

const isSecret = (key: string): boolean => key.length >= 20 || (key.length >= 8 && /\d/.test(key));
