/** What a try came to that brought no answer. */

import { describe, expect, it } from 'vitest';
import { protocolAt } from '../../src/protocols/index.ts';
import type { Exchange } from '../../src/providers/classify.ts';
import { judge, outcomeOf } from '../../src/providers/judge-reply.ts';

const CHAT = protocolAt('/chat/completions');
const SIZE = { model: 'm', inputTokensAtMost: 100, outputTokensAtMost: 10, tokensLikely: 50 };
const header = () => null;
const failed = (body: unknown, status = 500) => judge({ type: 'status', status, body, header }, CHAT, SIZE);

describe('an error', () => {
  it('that counts tokens was billed by them, whatever its status', () => {
    const error = { message: 'oops' };
    const usage = { prompt_tokens: 7, completion_tokens: 2 };
    const billed = { inputTokens: 7, cachedInputTokens: 0, outputTokens: 2 };
    for (const status of [400, 500]) {
      expect(failed({ error, usage }, status)).toEqual({ type: 'no-reply', outcome: { billed } });
    }
    const raw = JSON.stringify({ error, usage });
    expect(judge({ type: 'reply', status: 200, raw, header }, CHAT, SIZE)).toMatchObject({ outcome: { billed } });
  });

  it('that counts none, or nothing, says nothing of a bill', () => {
    const none = { type: 'no-reply', outcome: undefined };
    expect(failed({ error: {}, usage: { prompt_tokens: 0, completion_tokens: 0 } })).toEqual(none);
    expect(failed({ error: {} })).toEqual(none);
    expect(failed('<html>')).toEqual(none);
  });
});

describe('a reply', () => {
  const reply = (content: string | null, prompt: number, completion: number, size: Partial<typeof SIZE> = {}) => {
    const usage = { prompt_tokens: prompt, completion_tokens: completion };
    const raw = JSON.stringify({ choices: [{ message: { content }, finish_reason: 'stop' }], usage });
    return judge({ type: 'reply', status: 200, raw, header }, CHAT, { ...SIZE, ...size });
  };

  it.each([
    ['an answer of both', 'words', 7, 2, {}, true],
    // A text was made of tokens, and read from some.
    ['an answer of none read', 'words', 0, 2, {}, false],
    ['an answer of none made', 'words', 7, 0, {}, false],
    ['an echo, which makes none', 'words', 7, 0, { outputTokensAtMost: 0 }, true],
    ['an echo of none read', 'words', 0, 0, { outputTokensAtMost: 0 }, false],
    ['no answer', null, 7, 0, {}, true],
    ['no answer of none read', null, 0, 0, {}, false],
  ] as const)(
    'is believed in its count of tokens, or may have been billed: %s',
    (_, content, prompt, completion, size, believed) => {
      const billed = { inputTokens: prompt, cachedInputTokens: 0, outputTokens: completion };
      expect(reply(content, prompt, completion, size).outcome).toEqual({ billed: believed ? billed : 'maybe' });
    },
  );
});

describe('an error inside a choice', () => {
  const choice = (error: unknown, content: string | null, usage?: Record<string, number>) => {
    const raw = JSON.stringify({ choices: [{ message: { content }, finish_reason: 'error', error }], usage });
    return judge({ type: 'reply', status: 200, raw, header }, CHAT, SIZE);
  };
  const limit = { code: 429, message: 'slow down' };
  const told = { prompt_tokens: 7, completion_tokens: 0 };
  const billed = { inputTokens: 7, cachedInputTokens: 0, outputTokens: 0 };

  it.each([
    [limit, 'rate_limited'],
    [{ code: '429', message: 'slow down' }, 'rate_limited'],
    [{ type: 'rate_limit_error', message: 'slow down' }, 'rate_limited'],
    [{ code: 429, message: 'You exceeded your current quota' }, 'no_credit'],
    [{ code: 502, message: 'upstream broke' }, 'server_error'],
    [{ message: 'the prompt said: too many requests' }, 'server_error'],
    ['upstream broke', 'server_error'],
  ])('%o is %s', (error, reason) => {
    expect(choice(error, '')).toMatchObject({ type: 'error', classified: { failure: { reason } } });
  });

  it('that is a limit was billed by what it counts, and by nothing where nothing was made', () => {
    expect(choice(limit, null).outcome).toEqual({ billed: 'no' });
    expect(choice(limit, ' ', { prompt_tokens: 0, completion_tokens: 0 }).outcome).toEqual({ billed: 'no' });
    expect(choice(limit, null, told).outcome).toEqual({ billed });
    expect(choice(limit, 'Half a').outcome).toEqual({ billed: 'maybe' });
    expect(choice({ code: 502 }, null).outcome).toEqual({ billed: 'maybe' });
  });
});

describe('a try that brought no reply', () => {
  const outcome = (exchange: Exchange, maybeBilled: boolean) =>
    outcomeOf(exchange, {
      failure: { class: 'transient', reason: 'connection', message: '' },
      ambiguous: false,
      maybeBilled,
    });

  it('was never sent where no connection was made, and else cost nothing unless the server may have worked', () => {
    const connection = (sent: boolean) => ({ type: 'connection', sent, detail: '' }) as const;
    expect(outcome(connection(false), false)).toEqual({ billed: 'no', unsent: true });
    expect(outcome(connection(true), false)).toEqual({ billed: 'no' });
    expect(outcome(connection(true), true)).toEqual({ billed: 'maybe' });
    expect(outcome({ type: 'status', status: 400, body: {}, header }, false)).toEqual({ billed: 'no' });
    expect(outcome({ type: 'timeout', seconds: 1 }, true)).toEqual({ billed: 'maybe' });
  });
});
