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

/** The providers whose credentials are named and none is there: what a command complains of before it sends anything. */
export function missingKeys(providers: readonly Provider[], secrets: Secrets): readonly MissingKey[] {
  const missing: MissingKey[] = [];
  for (const provider of providers) {
    const variables = keyVariables(provider);
    const [variable] = variables;
    const isSet = (name: string) => (secrets(name) ?? '').trim() !== '';
    if (variable !== undefined && !variables.some(isSet)) missing.push({ provider, variable });
  }
  return missing;
}

export type Credentials =
  | { readonly ok: true; readonly keys: Keys }
  | { readonly ok: false; readonly failure: FatalFailure };

/** The credentials of a provider, in the order of use, without surrounding white space; none where it asks for none. */
export function credentialsOf(provider: Provider, secrets: Secrets): Credentials {
  const keys: string[] = [];
  const variables = keyVariables(provider);
  for (const variable of variables) {
    const key = (secrets(variable) ?? '').trim();
    if (key === '') continue;
    if (keyTrouble(key)) {
      const message = `the value of ${variable} holds white space or characters that no key has`;
      return { ok: false, failure: { class: 'fatal', reason: 'bad_key', message } };
    }
    keys.push(key);
  }
  if (variables.length > 0 && keys.length === 0) {
    const message = `provider "${provider.name}" needs a key, and the environment variable ${variables[0]} is not set`;
    return { ok: false, failure: { class: 'fatal', reason: 'no_key', message } };
  }
  return { ok: true, keys };
}

/** In the order of use. */
export const keyVariables = ({ keyVariable, access }: Provider): readonly string[] =>
  keyVariable === undefined ? [] : [keyVariable, ...(access?.fallbackKeys ?? [])];

/** Whether a text holds what no key has. */
export const keyTrouble = (key: string): boolean => !/^[\x21-\x7e]+$/.test(key);

/** The credentials that one provider may be sent, whichever of them is in use. */
export type Keys = readonly string[];

/**
 * Whether a text holds a credential: as it is, with any of its characters escaped as JSON or an address escapes them, or
 * within base64. One of letters alone counts where no letter or digit stands beside it, as in `sk-KEY`. A weak one, such as
 * `s3cret` or `password`, may be a word or a number of any answer: it counts where it is said to be a credential.
 */
export function repeats(text: string, keys: Keys): boolean {
  return keys.some((key) => {
    const strength = strengthOf(key);
    return strength !== 'none' && text.search(strength === 'secret' ? patternOf(key) : namedPatternOf(key)) >= 0;
  });
}

/** The text with every occurrence of a credential blotted out; of a weak one, wherever it stands alone. */
export function scrub(text: string, keys: Keys): string {
  let scrubbed = text;
  for (const key of keys) {
    const strength = strengthOf(key);
    if (strength === 'none') continue;
    scrubbed = scrubbed.replaceAll(strength === 'secret' ? patternOf(key) : alonePatternOf(key), '[credential]');
  }
  return scrubbed;
}

/**
 * The same for a parsed body, names of members included. Done before anything is cut out of a body, because half of a
 * credential would no longer be recognised.
 */
export function scrubBody(body: unknown, keys: Keys): unknown {
  if (keys.every((key) => strengthOf(key) === 'none')) return body;
  if (typeof body === 'string') return scrub(body, keys);
  if (Array.isArray(body)) return body.map((member) => scrubBody(member, keys));
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(Object.entries(body).map(([name, member]) => [scrub(name, keys), scrubBody(member, keys)]));
}

/** What servers that check no key are given. Blotting these out would only spoil what they say. */
const PLACEHOLDERS = new Set(
  (
    'xxxx none null no-key nokey token test testing dummy fake empty unused local localhost ignored ollama ' +
    'vllm sglang llamacpp llama.cpp lm-studio lmstudio not-needed notneeded not-required no-key-required no-key-needed ' +
    'sk-no-key-required not-used placeholder anything whatever undefined dummy-key fake-key test-key api-key apikey'
  ).split(' '),
);

/** Words that stand for a key, protect nothing, and may well be in an answer. */
const COMMON = new Set([
  'password',
  'passwort',
  'passphrase',
  'changeme',
  'change-me',
  'sunshine',
  'princess',
  'football',
]);

type Strength = 'secret' | 'weak' | 'none';

/** A text of fewer than eight characters is not told from other text by itself, and one of three guards nothing. */
function strengthOf(key: string): Strength {
  const word = key.toLowerCase();
  if (key.length < 4 || PLACEHOLDERS.has(word)) return 'none';
  return key.length < 8 || COMMON.has(word) ? 'weak' : 'secret';
}

/** What base64 makes of a shorter text may stand in any other base64. */
const LEAST_ENCODED = 6;

/** Whether a key may be a part of other words: those would be taken for it. */
const isWord = (key: string): boolean => key.length < 20 && /^[A-Z]?(?:[a-z]+|[A-Z]+)$/.test(key);

/** A pattern for each key, made once. */
function patternsBy(source: (key: string) => string): (key: string) => RegExp {
  const patterns = new Map<string, RegExp>();
  return (key) => {
    let pattern = patterns.get(key);
    if (pattern === undefined) {
      pattern = new RegExp(source(key), 'g');
      patterns.set(key, pattern);
    }
    return pattern;
  };
}

const escapedForms = (form: string): string => Array.from(form, anyEscape).join('');
/** Where a word can begin: an escaped character before it ends in a letter or a digit itself. */
const BEGIN = '(?:(?<![A-Za-z\\d])|(?<=\\\\[bfnrt]|\\\\u[\\da-fA-F]{4}|%[\\da-fA-F]{2}))';
const aloneForms = (key: string): string => `${BEGIN}${escapedForms(key)}(?![A-Za-z\\d])`;

const patternOf = patternsBy((key) =>
  [isWord(key) ? aloneForms(key) : escapedForms(key), ...base64Cores(key).map(escapedForms)].join('|'),
);
const alonePatternOf = patternsBy((key) =>
  [aloneForms(key), ...(key.length < LEAST_ENCODED ? [] : base64Cores(key).map(escapedForms))].join('|'),
);
/** `Bearer s3cret`, `"api_key": "sk-s3cret"` and their like. */
const namedPatternOf = patternsBy(
  (key) =>
    `(?:[Bb]earer|(?:[Kk]ey|[Tt]oken|[Ss]ecret|[Pp]assword|[Aa]uthorization)[\\\\"']*\\s*[:=])[\\s\\\\"']*(?:\\w{1,16}[-_])?${aloneForms(key)}`,
);

const HTML_NAMES: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };

/** One character as it is, as `\\u0041`, after a backslash, or as `%41`; JSON within JSON doubles backslashes. */
function anyEscape(character: string): string {
  const code = character.charCodeAt(0).toString(16).padStart(2, '0');
  const hex = code.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  const plain = character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
  const escaped = [plain, `\\\\{1,8}u00${hex}`, `%(?:25){0,4}${hex}`];
  if ('"/\\'.includes(character)) escaped.push(`\\\\{1,8}${plain}`);
  // A page of HTML, as a proxy answers, has references for characters that are neither letters nor digits.
  if (/[^A-Za-z\d]/.test(character)) {
    escaped.push(`&(?:amp;)?#(?:0*${character.charCodeAt(0)}|[xX]0*${hex});`);
    const name = HTML_NAMES[character];
    if (name !== undefined) escaped.push(`&(?:amp;)?${name};`);
  }
  // Base64 for addresses writes two characters otherwise.
  if (character === '+') escaped.push('-');
  if (character === '/') escaped.push('_');
  return `(?:${escaped.join('|')})`;
}

/**
 * What base64 makes of the key wherever it begins within a longer text, such as `Bearer KEY`: for each of the three
 * places in a group, the characters that depend on nothing but the key.
 */
function base64Cores(key: string): string[] {
  return [0, 1, 2].map((before) => {
    const bits = 8 * (before + key.length);
    const text = Buffer.from(`${'\0'.repeat(before)}${key}`, 'latin1').toString('base64');
    return text.slice(Math.ceil((8 * before) / 6), Math.floor(bits / 6));
  });
}
