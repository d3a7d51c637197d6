/** Fields of a body are named where APIs are spoken, and nowhere else. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const SOURCE = resolve(import.meta.dirname, '../../src');
const SPEAKING = /^(protocols|simulator|doctor|llama)\//;

/** Settings of ours that bear the name of a field, by file. */
const SETTINGS: Readonly<Record<string, string>> = {
  'core/call.ts': 'the dialect: which of two names a model wants for the limit of its answer',
  'core/params.ts': 'the dialect in keys',
  'pipeline/provider-file.ts': 'token_limit in a provider file',
  'pipeline/resolve.ts': 'the dialect of a model that could not be read',
  'scaffold/own-experiment.ts': 'max_tokens in files that init writes',
  'kinds/files/judge-file.ts': "max_tokens in a judge's file",
  'kinds/files/judge.ts': "max_tokens of a judge's file",
  'kinds/files/policy.ts': "max_tokens in a policy's file",
  'kinds/responses.ts': "max_tokens of a policy's file",
};

/** As a quoted name, as a property, or as a key that is taken out of an object or put into one. */
const FIELD =
  /(['"]|\.)(max_tokens|max_completion_tokens|prompt_tokens|completion_tokens)\b|\b(max_tokens|max_completion_tokens|prompt_tokens|completion_tokens):|\{[^}\n]*\b(messages|max_tokens|prompt_tokens)\b[^}\n]*\} = [\w.]*body|\.body\.(messages|prompt|choices|usage)\b/;

const code = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'));
const naming = files.filter((path) => FIELD.test(code(readFileSync(join(SOURCE, path), 'utf8'))));

it('are seen by this test where APIs are spoken', () => {
  expect(naming.filter((path) => SPEAKING.test(path)).length).toBeGreaterThan(4);
});

it('are named by nobody else but for settings of the same name', () => {
  expect(naming.filter((path) => !SPEAKING.test(path)).sort()).toEqual(Object.keys(SETTINGS).sort());
});
