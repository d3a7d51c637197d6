import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { overlong } from '../../src/doctor/sample-call.ts';
import { readListing } from '../../src/protocols/shared/listing.ts';
import {
  BOS,
  chatReply,
  completionReply,
  echo,
  modelRef,
  PROVIDER,
  refuse,
  run,
  type Server,
  target,
} from './support.ts';

/** Answers a completion, and leaves the echo to another. */
const speaking =
  (server: Server): Server =>
  (request) =>
    request.body.echo === true ? server(request) : completionReply(request);

describe('a server that echoes', () => {
  it('as OpenAI’s legacy completions and vLLM do is found sound, in the fewest calls', () => {
    const found = run(
      target(['completion', 'forcing']),
      speaking((request) => echo(request)),
    );
    expect(found.checks.filter(({ status }) => status === 'failure' || status === 'warning')).toEqual([]);
    expect(found.verdict).toBe('ok');
    expect(found.changes).toEqual([]);
    // A completion, the base row, six more rows, and the repetition.
    expect(found.requests.length).toBe(11);
    expect(found.of('bos')[0]!.detail).toBe(`${BOS} once, from the server`);
    expect(found.of('boundary')[0]!.detail).toBe(
      'found in: repeat, own answer, gibberish, unicode, newline, space, long',
    );
    expect(found.of('values')[0]!.detail).toBe('its own answer -0.25, gibberish -14.25 nats a token');
    expect(found.of('token ids')[0]!.status).toBe('note');
  });

  it('with token ids, as Fireworks does, is asked by ids too', () => {
    const found = run(target(['forcing']), (request) => echo(request, { ids: true }));
    expect(found.of('token ids')).toMatchObject([
      { status: 'ok', detail: 'come with the echo, and give the same as a prompt' },
    ]);
    const byIds = found.requests.filter(({ body }) => Array.isArray(body.prompt));
    expect(byIds.length).toBe(1);
    expect(found.verdict).toBe('ok');
  });

  it('and generates one token all the same works with echo_tokens 1, ids included', () => {
    const found = run(target(['forcing'], modelRef({ echoTokens: 1 })), (request) => echo(request, { ids: true }));
    expect(found.verdict).toBe('ok');
    expect(found.of('token ids')[0]!.status).toBe('ok');
  });

  it('in a part of its own, as Together does, is read', () => {
    const found = run(target(['forcing']), (request) => {
      const whole = echo(request);
      const [choice] = whole.choices as [JsonObject];
      return {
        ...whole,
        prompt: [{ text: request.body.prompt as string, logprobs: choice.logprobs as JsonObject }],
        choices: [{ text: '' }],
      };
    });
    expect(found.of('echo')[0]!.status).toBe('ok');
  });
});

describe('echo_tokens', () => {
  it.each([
    ['in words', refuse('400 max_tokens must be at least 1, got 0.')],
    [
      'by breaking',
      { ok: false, failure: { class: 'transient', reason: 'server_error', message: '500 oops' } } as const,
    ],
  ])('is 1 for a server that refuses 0 %s', (_, refusal) => {
    const found = run(target(['forcing']), (request) => (request.body.max_tokens === 0 ? refusal : echo(request)));
    expect(found.changes).toMatchObject([{ setting: 'echo_tokens', value: 1 }]);
    expect(found.verdict).toBe('would-fail');
    // What follows is asked in the way that works.
    expect(found.requests.slice(1).every(({ body }) => body.max_tokens === 1)).toBe(true);
    expect(found.of('boundary')[0]!.detail).toContain('unicode');
  });

  it('is 1 for a server that takes 0, generates a token and does not count it', () => {
    const uncounted: Server = (request) => {
      const { usage: _, ...reply } = echo({ ...request, body: { ...request.body, max_tokens: 1 } });
      return reply;
    };
    const found = run(target(['forcing']), uncounted);
    expect(found.changes).toMatchObject([{ setting: 'echo_tokens', value: 1 }]);
  });

  it('is left alone where the reply counts the token that came unasked', () => {
    const found = run(target(['forcing']), (request) => echo({ ...request, body: { ...request.body, max_tokens: 1 } }));
    expect(found.changes).toEqual([]);
    expect(found.verdict).toBe('ok');
  });

  it('is left alone where 1 does not help either, and the server’s words are told', () => {
    const found = run(target(['forcing']), () => refuse("400 'echo' is not supported"));
    expect(found.changes).toEqual([]);
    expect(found.requests.length).toBe(2);
    expect(found.of('echo')).toMatchObject([{ status: 'failure', detail: "rejected: 400 'echo' is not supported" }]);
  });
});

describe('a server without an echo', () => {
  const oneEntry =
    (logprobs: JsonObject): Server =>
    (request) => {
      const [choice] = echo(request).choices as [JsonObject];
      return { ...echo(request), choices: [{ ...choice, logprobs }] };
    };
  it.each([
    [
      'llama.cpp’s one entry',
      oneEntry({ content: [{ id: 1, token: 'x', bytes: [120], logprob: -0.1, top_logprobs: [] }] }),
      /^echo_unsupported/,
    ],
    [
      'one token',
      oneEntry({ tokens: ['x'], token_logprobs: [-0.1], top_logprobs: null, text_offset: [0] }),
      /^echo_unsupported/,
    ],
    [
      'none',
      (request) => ({ ...completionReply(request), choices: [{ text: 'x', logprobs: null }] }),
      /^echo_unsupported/,
    ],
    [
      'log probabilities for none of the prompt',
      oneEntry({ tokens: ['a', 'b'], token_logprobs: [null, null], top_logprobs: null, text_offset: [0, 1] }),
      /^echo_unsupported/,
    ],
    [
      'chat’s shape',
      oneEntry({ content: ['a', 'b', 'c'].map((token) => ({ token, bytes: [97], logprob: -1, top_logprobs: [] })) }),
      /^malformed_reply: 3 tokens as logprobs.content/,
    ],
    [
      'offsets without tokens',
      oneEntry({ token_logprobs: [null, -1], text_offset: [0, 1] }),
      /^malformed_reply: logprobs holds token_logprobs, text_offset/,
    ],
  ] satisfies [string, Server, RegExp][])('but %s fails, by name', (_, server, detail) => {
    const found = run(target(['forcing']), server);
    expect(found.verdict).toBe('would-fail');
    expect(found.of('echo')[0]!.detail).toMatch(detail);
    expect(found.requests.length).toBe(1);
  });
});

describe('the beginning of the text', () => {
  const withoutOwn: Server = (request) => echo(request, { front: [] });

  it.each([
    ['server', 'prompt', withoutOwn],
    ['prompt', 'server', (request) => echo(request)],
  ] satisfies ['server' | 'prompt', string, Server][])(
    'is wrong as bos: %s and right as bos: %s',
    (written, right, server) => {
      const found = run(target(['forcing'], modelRef({ bos: written })), server);
      expect(found.changes).toMatchObject([{ setting: 'bos', value: right }]);
      expect(found.of('bos').map(({ status }) => status)).toEqual(['failure', 'ok']);
      expect(found.of('boundary')[0]!.status).toBe('ok');
    },
  );

  it('is told where neither setting helps', () => {
    const found = run(target(['forcing']), (request) => echo(request, { front: [BOS, BOS] }));
    expect(found.changes).toEqual([]);
    expect(found.of('bos')[0]!.detail).toBe(`bos: two ${BOS}`);
    expect(found.verdict).toBe('would-fail');
  });

  it('is counted by ids where only completions are asked for', () => {
    const found = run(target(['completion'], modelRef({ bos: 'prompt' })), (request) => {
      const doubled = String(request.body.prompt).startsWith(BOS);
      const [choice] = completionReply(request).choices as [JsonObject];
      return { ...completionReply(request), choices: [{ ...choice, prompt_token_ids: doubled ? [1, 1, 7] : [1, 7] }] };
    });
    expect(found.changes).toMatchObject([{ setting: 'bos', value: 'server' }]);
  });
});

describe('what an echo says', () => {
  it('is suspicious where gibberish is certain', () => {
    const found = run(target(['forcing']), (request) => echo(request, { value: () => -0.001 }));
    expect(found.of('values')[0]).toMatchObject({ status: 'failure' });
    expect(found.verdict).toBe('would-fail');
  });

  it('is doubted where its own answer is no likelier than gibberish', () => {
    const found = run(
      target(['completion', 'forcing']),
      speaking((request) => echo(request, { value: () => -9 })),
    );
    expect(found.of('values')[0]).toMatchObject({ status: 'warning' });
    expect(found.verdict).toBe('ok');
  });

  it('differs from ask to ask', () => {
    let asked = 0;
    const found = run(target(['forcing']), (request) => {
      asked++;
      return echo(request, { value: (token) => (token.includes('zlorp') ? -20 : -1 - asked / 10) });
    });
    expect(found.of('repeats')[0]).toMatchObject({ status: 'warning' });
  });

  const GIBBERISH = /vq|zlorp|9kx|wubbadoo|trinq|ffej|uq|xzzt/;

  it.each([
    [-0.49, 'failure'],
    [-0.5, 'ok'],
  ])('gives gibberish %d nats a token at the most: %s', (nats, status) => {
    const found = run(target(['forcing']), (request) => echo(request, { value: () => nats }));
    expect(found.of('values')[0]).toMatchObject({ status });
  });

  it.each([
    [-8.5, 'ok'],
    [-8.51, 'warning'],
  ])('gives its own answer half a nat a token more than gibberish at the least: %d beside -9 is %s', (own, status) => {
    const value = (token: string) => (GIBBERISH.test(token) ? -9 : own);
    const found = run(
      target(['completion', 'forcing']),
      speaking((request) => echo(request, { value })),
    );
    expect(found.of('values')[0]).toMatchObject({ status });
  });

  it.each([
    [0, 0, 'ok', 'two asks agree to the last digit'],
    [0.05, 1, 'ok', 'two asks differ by 0.050 nats a token in the median, 0.050 at most'],
    [0.06, 1, 'warning', 'two asks differ by 0.060 nats a token in the median, 0.060 at most'],
    // A third of the tokens keep their values.
    [0.06, 3, 'warning', 'two asks differ by 0.060 nats a token in the median, 0.060 at most'],
  ])('may come out %d nats apart for the same text (but for every token of %i): %s', (apart, every, status, detail) => {
    const asked = new Set<string>();
    const found = run(target(['forcing']), (request) => {
      const text = String(request.body.prompt);
      const isAgain = asked.has(text);
      asked.add(text);
      let token = 0;
      // The first of a list has none.
      return echo(request, { value: () => (isAgain && (every < 3 || ++token % every > 0) ? -0.05 - apart : -0.05) });
    });
    expect(found.of('repeats')).toMatchObject([{ status, detail }]);
  });

  it.each([
    [0.04, 'ok'],
    [0.06, 'warning'],
  ])('may be %d nats a token apart where it is sent as ids: %s', (apart, status) => {
    const found = run(target(['forcing']), (request) =>
      echo(request, { ids: true, value: () => (Array.isArray(request.body.prompt) ? -0.25 - apart : -0.25) }),
    );
    expect(found.of('token ids')).toMatchObject([{ status }]);
  });

  it('is cut on the left in silence, or refused as too long', () => {
    const cut = run(target(['forcing']), (request) => {
      const prompt = String(request.body.prompt);
      return echo({ ...request, body: { ...request.body, prompt: prompt.slice(-3_000) } });
    });
    expect(cut.of('context')[0]).toMatchObject({ status: 'failure', detail: 'a prompt of 6 kB comes back echo_cut' });
    const overflow = {
      ok: false,
      failure: { class: 'permanent', reason: 'context_overflow', message: '400' },
    } as const;
    const short = run(target(['forcing']), (request) =>
      String(request.body.prompt).length > 3_000 ? overflow : echo(request),
    );
    expect(short.of('context')[0]).toMatchObject({ status: 'warning' });
    expect(short.verdict).toBe('ok');
  });

  it('beyond the context is asked for on request alone, and must be refused', () => {
    const row = overlong(2_000);
    const server =
      (most: number): Server =>
      (request) => {
        const prompt = String(request.body.prompt);
        return prompt.includes('1999')
          ? echo({ ...request, body: { ...request.body, prompt: prompt.slice(-most) } })
          : echo(request);
      };
    expect(run(target(['forcing']), server(100), { overlong: row }).of('context')).toMatchObject([
      { status: 'failure' },
    ]);
    expect(run(target(['forcing']), server(1e9), { overlong: row }).of('context')).toMatchObject([{ status: 'ok' }]);
  });

  it('loses rows that open with a newline where the tokenizer merges it', () => {
    const found = run(target(['forcing']), (request) => echo(request, { mergeNewlines: true }));
    const newline = found.of('boundary').find(({ detail }) => detail.startsWith('newline'));
    expect(newline).toMatchObject({ status: 'warning', detail: 'newline: boundary_span' });
    expect(found.verdict).toBe('ok');
  });
});

describe('a judge', () => {
  const sound: Server = (request) => chatReply(request, '{"score": 7}');

  it('is asked as its stage asks', () => {
    const found = run(target(['chat']), sound);
    expect(found.verdict).toBe('ok');
    expect(found.requests.length).toBe(1);
    expect(found.requests[0]!.body).toMatchObject({
      temperature: 0,
      max_tokens: 64,
      response_format: { type: 'json_schema' },
    });
    expect(found.of('verdict')[0]!.detail).toBe('0.7 on the unit scale (temperature 0, max_tokens 64, json_schema)');
  });

  it('that reasons takes neither max_tokens nor a temperature: both lines are found', () => {
    const found = run(target(['chat']), (request) => {
      if (request.body.max_tokens !== undefined) {
        return refuse(
          "400 Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        );
      }
      if (request.body.temperature !== undefined) {
        return refuse("400 Unsupported value: 'temperature' does not support 0 with this model.");
      }
      return sound(request);
    });
    expect(found.changes.map(({ setting, value }) => [setting, value])).toEqual([
      ['token_limit', 'max_completion_tokens'],
      ['temperature', false],
    ]);
    expect(found.requests.length).toBe(3);
    expect(found.verdict).toBe('would-fail');
  });

  it('without room to answer, or without a schema, is told apart', () => {
    const cut = run(target(['chat']), (request) => chatReply(request, '', 'length'));
    expect(cut.of('verdict')[0]!.hint).toContain("raise 'max_tokens'");
    const prose = run(target(['chat']), (request) => chatReply(request, 'A solid 7.'));
    expect(prose.of('verdict')[0]).toMatchObject({
      status: 'failure',
      detail: expect.stringContaining('"A solid 7."'),
    });
    // Two asks, and two for each other way of asking for JSON.
    expect(prose.requests.length).toBe(6);
  });
});

describe('a model', () => {
  it('without a price is not asked', () => {
    const found = run(target(['chat'], modelRef({}, 'unpriced')), () => {
      throw new Error('was asked');
    });
    expect(found).toMatchObject({ verdict: 'would-fail', checks: [{ name: 'price', status: 'failure' }] });
  });

  it('that answers under another name is told', () => {
    const found = run(target(['chat']), (request) => ({
      ...chatReply(request, '{"score": 7}'),
      model: 'scout-2026-01-01',
    }));
    expect(found.of('name')[0]).toMatchObject({
      status: 'note',
      detail: 'asked for scout, answers as scout-2026-01-01',
    });
    expect(found.verdict).toBe('ok');
  });

  it('that takes no schema is asked for an object, then in words, and the line that works is told', () => {
    const refusing =
      (...taken: string[]): Server =>
      (request) => {
        const format = (request.body.response_format as { type?: string } | undefined)?.type ?? 'none';
        return taken.includes(format)
          ? chatReply(request, '{"score": 7}')
          : refuse('400 This response_format type is unavailable now');
      };
    const object = run(target(['chat']), refusing('json_object', 'none'));
    expect(object.changes).toEqual([
      { setting: 'json', value: 'object', because: '400 This response_format type is unavailable now' },
    ]);
    expect(object.of('json')).toMatchObject([{ status: 'failure', hint: "works with 'json: object'" }]);
    expect(object.of('verdict')).toMatchObject([{ status: 'ok' }]);

    const words = run(target(['chat']), refusing('none'));
    expect(words.changes.map(({ setting, value }) => [setting, value])).toEqual([['json', 'none']]);
    expect(words.of('json')).toMatchObject([{ status: 'failure', hint: "works with 'json: none'" }]);
    expect(words.requests).toHaveLength(3);

    const nothing = run(target(['chat']), refusing());
    expect(nothing).toMatchObject({ verdict: 'would-fail', changes: [] });
    expect(run(target(['chat'], modelRef({ json: 'object' })), refusing('json_object')).changes).toEqual([]);
  });

  it('that passes the schema over is told it in words', () => {
    const found = run(target(['chat']), (request) =>
      chatReply(request, JSON.stringify(request.body.messages).includes('JSON schema') ? '{"score": 7}' : 'Seven.'),
    );
    expect(found.changes).toEqual([
      { setting: 'json', value: 'object', because: 'the model is not held to the schema' },
    ]);
  });

  it('that answers as another model fails, and the line that takes it is told', () => {
    const other: Server = (request) => ({ ...chatReply(request, '{"score": 7}'), model: 'cheap-q4' });
    const found = run(target(['chat']), other);
    expect(found.of('answers_as')[0]).toMatchObject({
      status: 'failure',
      detail: 'asked for scout, answers as cheap-q4',
      hint: `works with 'answers_as: ["cheap-q4"]', if that is the model you mean`,
    });
    expect(found).toMatchObject({
      verdict: 'would-fail',
      changes: [{ setting: 'answers_as', value: ['cheap-q4'] }],
    });
    const rule = { identity: PROVIDER.identity, model: 'scout', answersAs: ['old'], oneSnapshot: false };
    const listed = { ...target(['chat']), served: { ...rule, mismatch: 'refuse' as const } };
    expect(run(listed, other).changes).toEqual([{ setting: 'answers_as', value: ['old', 'cheap-q4'] }]);
    const known = { ...listed, served: { ...listed.served, answersAs: ['cheap-q4'] } };
    expect(run(known, other)).toMatchObject({ verdict: 'ok', changes: [] });
    const noted = { ...listed, served: { ...listed.served, mismatch: 'note' as const } };
    expect(run(noted, other)).toMatchObject({ verdict: 'ok', changes: [] });
    expect(run(noted, other).of('name')[0]?.status).toBe('warning');
  });

  it('that is unknown on one path is still asked on the other, and a listed name is offered', () => {
    const unknown = { ok: false, failure: { class: 'fatal', reason: 'unknown_model', message: '404' } } as const;
    const listing = readListing({ data: [{ id: 'scouts', max_model_len: 8192 }, { id: 'other' }] })!;
    expect(listing.contexts.get('scouts')).toBe(8192);
    const found = run(
      target(['completion', 'forcing', 'chat']),
      (request) => (request.path === '/completions' ? unknown : chatReply(request, '{"score": 7}')),
      { listing },
    );
    expect(found.requests.map(({ path }) => path)).toEqual(['/completions', '/chat/completions']);
    expect(found.of('completion')[0]!.hint).toBe("did you mean 'model: scouts'?");
    expect(found.of('verdict')[0]!.status).toBe('ok');
    expect(found.of('listed')[0]!.status).toBe('note');
  });

  it.each([
    [['scout', 'other'], 'it is listed, but not served in this way'],
    [['alpha', 'beta', 'gamma', 'delta'], 'the provider lists alpha, beta, gamma'],
    [[], "put a model that the provider serves under 'model:'"],
  ])('of which the provider lists %j, says: %s', (names, hint) => {
    const unknown = { ok: false, failure: { class: 'fatal', reason: 'unknown_model', message: '404' } } as const;
    const listing = readListing({ data: names.map((id) => ({ id })) })!;
    const found = run(target(['completion']), () => unknown, { listing });
    expect(found.of('completion').map((each) => each.hint)).toEqual([hint]);
  });

  it('is told with what its input and its output cost', () => {
    const found = run(target(['completion']), (request) => completionReply(request));
    expect(found.of('price').map(({ detail }) => detail)).toEqual(['$1.00 in, $2.00 out for a million tokens']);
  });

  it('whose key is refused is asked no more', () => {
    const badKey = { ok: false, failure: { class: 'fatal', reason: 'bad_key', message: '401' } } as const;
    const found = run(target(['completion', 'forcing', 'chat']), () => badKey);
    expect(found.requests.length).toBe(1);
  });

  it('that the budget stops is neither sound nor broken', () => {
    const stopped = {
      ok: false,
      failure: { class: 'stopped', reason: 'budget', message: 'the cap is reached' },
    } as const;
    let left = 3;
    const found = run(
      target(['completion', 'forcing', 'chat']),
      speaking((request) => (left-- > 0 ? echo(request) : stopped)),
    );
    expect(found.verdict).toBe('not-asked');
    expect(found.of('calls')[0]!.detail).toBe('not asked: the cap is reached');
  });
});
