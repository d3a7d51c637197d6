import { describe, expect, it } from 'vitest';
import { createProviderClient } from '../../src/providers/client.ts';
import { repeats, scrub, scrubBody } from '../../src/providers/secrets.ts';
import { admitAll } from '../engine/money.ts';
import { instantClock, never, order, provider, reply, serve } from './support.ts';

const KEY = 'sk-Very/secret+0123456789~z?';
const escapeJson = (text: string, upper = false) =>
  Array.from(text, (character) => {
    const hex = character.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${upper ? hex.toUpperCase() : hex}`;
  }).join('');
const percent = (text: string) => Array.from(text, (character) => `%${character.charCodeAt(0).toString(16)}`).join('');

const FORMS: [string, string][] = [
  ['as it is', KEY],
  ['every character escaped', escapeJson(KEY)],
  ['escaped with upper-case digits', escapeJson(KEY, true)],
  ['one character escaped', KEY.replace('V', '\\u0056')],
  ['a slash after a backslash', KEY.replace('/', '\\/')],
  ['JSON within JSON', JSON.stringify(escapeJson(KEY)).slice(1, -1)],
  ['encoded as a part of an address', encodeURIComponent(KEY)],
  ['every byte encoded', percent(KEY)],
  ['encoded twice', encodeURIComponent(encodeURIComponent(KEY))],
  ['a page of HTML', KEY.replaceAll('/', '&#x2F;').replaceAll('+', '&#43;')],
  ['HTML within HTML', KEY.replaceAll('/', '&amp;#x2f;')],
  ['base64', Buffer.from(KEY).toString('base64')],
  ['base64url', Buffer.from(KEY).toString('base64url')],
  ...[1, 2, 3, 4].map((before): [string, string] => [
    `base64 after ${before} characters and before others`,
    Buffer.from(`${'x'.repeat(before)}${KEY}, and more`).toString('base64'),
  ]),
  ['base64 of a header', Buffer.from(`authorization: Bearer ${KEY}\r\n`).toString('base64url')],
  ['base64 with its slashes escaped', Buffer.from(`>>>${KEY}`).toString('base64').replaceAll('/', '\\/')],
];

describe('a credential that a server repeats', () => {
  it.each(FORMS)('is found and blotted out: %s', (_, form) => {
    const text = `{"choices":[{"message":{"content":"your key: ${form} !"}}]}`;
    expect(repeats(text, ['other-key-0123456789', KEY])).toBe(true);
    expect(repeats(scrub(text, [KEY]), [KEY])).toBe(false);
    expect(scrub(text, [KEY])).toContain('your key: ');
    expect(JSON.stringify(scrubBody({ [form]: [form] }, [KEY]))).toContain('[credential]');
  });

  it.each(['sk-Very', KEY.slice(0, -1), KEY.toLowerCase(), '\\'.repeat(50_000), '%25'.repeat(50_000)])(
    'is not seen where there is none',
    (text) => expect(repeats(text, [KEY])).toBe(false),
  );

  it.each(FORMS)('is kept in no reply, and the reply is paid for: %s', async (_, form) => {
    const raw = `{"choices":[{"text":"${form}"}],"usage":{"prompt_tokens":7,"completion_tokens":2}}`;
    const server = await serve((_request, response) => reply(response, 200, raw));
    const client = createProviderClient({
      providers: [provider({ baseUrl: server.url, keyVariable: 'K' })],
      secrets: () => KEY,
      clock: instantClock(),
      random: () => 0,
    });
    const { admit, outcomes } = admitAll();
    const result = await client.buy(order({ model: 'm' }), { signal: never, admit, onRetry: () => {} });
    await client.close();
    await server.close();
    expect(result).toEqual({
      ok: false,
      failure: {
        class: 'permanent',
        reason: 'key_repeated',
        message: 'the reply repeats the credential, so it is not kept',
      },
    });
    expect(outcomes).toEqual([{ billed: { inputTokens: 7, outputTokens: 2, cachedInputTokens: 0 } }]);
  });
});
