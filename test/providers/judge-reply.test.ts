/** What a try came to that brought no answer. */

import { describe, expect, it } from 'vitest';
import { protocolAt } from '../../src/protocols/index.ts';
import { judge } from '../../src/providers/judge-reply.ts';

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
