/** The doctor on a server whose model is exactly known: what is right is ok and has its line, what is wrong has its name. */

import { describe, expect, it } from 'vitest';
import type { Dialect, Forcing } from '../../src/core/call.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { overlong } from '../../src/doctor/sample-call.ts';
import { answerMessages, type MessageWays } from '../servers/message-server.ts';
import { answerAt, type Ways } from '../servers/tokenizer-server.ts';
import { modelRef, type Run, refuse, run, type Server, target } from './support.ts';

function examined(ways: Ways, changes: Partial<Dialect> = {}, context?: number): Run {
  let call = 0;
  const server: Server = ({ path, body }) => {
    const answer = answerAt(path, body, `call ${call++}`, ways);
    return answer.status === 200 ? (answer.body as JsonObject) : refuse(JSON.stringify(answer.body));
  };
  const more = context === undefined ? {} : { overlong: overlong(context) };
  return run(target(['completion', 'forcing'], modelRef(changes)), server, more);
}

/** Checks of what forcing needs; a small random model's values for gibberish say nothing. */
const failures = ({ checks }: Run) => checks.filter(({ status, name }) => status === 'failure' && name !== 'values');
const lineOf = ({ advice = [], changes }: Run) =>
  Object.fromEntries([...changes, ...advice].map(({ setting, value }) => [setting, value]));

describe('a server whose forced values are those of generation', () => {
  it.each<[string, Ways, object]>([
    ['as vLLM', { show: 'deferred' }, { forcing: 'ids' }],
    ['as an older vLLM', { show: 'hidden' }, { forcing: 'ids' }],
    ['as SGLang', { extra: 'one' }, { forcing: 'ids' }],
    ['as Fireworks', { ids: 'logprobs' }, { forcing: 'ids' }],
    ['in content', { shape: 'content' }, { forcing: 'ids' }],
    ['with no room for no token', { extra: 'refuses-zero' }, { forcing: 'ids', echo_tokens: 1 }],
    ['with ids that it reads as text', { takesIds: 'decoded' }, { forcing: 'text' }],
    ['with no ids', { ids: 'none' }, { forcing: 'text' }],
    ['as Together', { ids: 'none', shape: 'separate' }, { forcing: 'text' }],
    ['with a beginning that its lists leave out', { bos: 'left-out' }, { forcing: 'ids' }],
    ['with a beginning that its lists hide', { bos: 'hidden' }, { forcing: 'ids' }],
    ['with no beginning of its own', { bos: 'never' }, { forcing: 'ids', bos: 'prompt' }],
    ['with tokens named by their ids', { show: 'named' }, { forcing: 'ids' }],
    ['with an end of turn that it drops', { end: 'dropped' }, { forcing: 'ids' }],
    ['with Latin-1 halves and no count', { show: 'latin1', usage: 'none' }, { forcing: 'ids' }],
    ['with pieces of its vocabulary', { show: 'pieces' }, { forcing: 'ids' }],
    ['with no count of tokens', { usage: 'none', ids: 'none' }, { forcing: 'text' }],
  ])('%s is told its line, and is as good with it', (_, ways, line) => {
    const found = examined(ways);
    expect(lineOf(found)).toEqual(line);
    expect(found.of('generation')).toMatchObject([{ status: 'ok' }]);
    expect(found.of('base').filter(({ status }) => status === 'failure')).toEqual([]);
    const {
      forcing,
      echo_tokens: echoTokens = 0,
      bos = 'server',
    } = line as {
      forcing: Forcing;
      echo_tokens?: 0 | 1;
      bos?: Dialect['bos'];
    };
    const mended = examined(ways, { forcing, echoTokens, bos });
    expect(lineOf(mended)).toEqual({});
    expect(failures(mended)).toEqual([]);
    expect(mended.of('generation')).toMatchObject([{ status: 'ok' }]);
  });

  it('and that tells them by /generate alone is told that line', () => {
    const ways: Ways = { echo: 'ignored' };
    const found = examined(ways);
    expect(lineOf(found)).toEqual({ forcing: 'generate' });
    expect(found.of('generation')).toMatchObject([{ status: 'ok' }]);
    const mended = examined(ways, { forcing: 'generate' });
    expect([lineOf(mended), failures(mended)]).toEqual([{}, []]);
    // And where there is neither, nothing is.
    expect(examined({ ...ways, generate: 'absent' })).toMatchObject({ verdict: 'would-fail', changes: [] });
    expect(examined({ ...ways, wrong: 'scaled' }).verdict).toBe('would-fail');
    expect(examined({ generate: 'absent' }, { forcing: 'generate' }).of('generation')).toMatchObject([
      { status: 'ok', detail: expect.stringMatching(/^forced by ids/) },
    ]);
  });

  it('by /generate is told that it cuts what it cannot hold', () => {
    const told = (window?: number) =>
      examined({ echo: 'ignored', ...(window === undefined ? {} : { window }) }, { forcing: 'generate' }, 300).of(
        'context',
      );
    expect(told(200)).toMatchObject([{ status: 'failure', detail: expect.stringMatching(/echo_cut/) }]);
    expect(told()).toMatchObject([{ status: 'ok' }]);
  });

  it('is told the base of its logarithms', () => {
    expect(examined({}).of('base')).toMatchObject([{ status: 'ok' }]);
    // Where no other tokens are named, what is drawn many times tells.
    expect(examined({ top: 'none' }).of('base')).toMatchObject([{ status: 'ok' }]);
    expect(examined({ top: 'none', wrong: 'base-2-both' }).of('base')).toMatchObject([
      { status: 'failure', detail: expect.stringMatching(/^base 2: /) },
    ]);
    // How often the likeliest token is sampled tells too, where no other is named.
    expect(examined({ top: 'one', wrong: 'base-2-both' }).of('base')).toMatchObject([{ status: 'failure' }]);
    expect(
      examined({ top: 'one' })
        .of('base')
        .map(({ status }) => status),
    ).not.toContain('failure');
  });

  it('is told the line that works, where its own does not', () => {
    const lines: readonly (readonly [Ways, Partial<Dialect>, object])[] = [
      [{ ids: 'none' }, { forcing: 'ids' }, { forcing: 'text' }],
      [{ takesIds: 'refused' }, { forcing: 'ids' }, { forcing: 'text' }],
      [{ takesIds: 'decoded' }, { forcing: 'ids' }, { forcing: 'text' }],
      [{ generate: 'absent' }, { forcing: 'generate' }, { forcing: 'ids' }],
      [{ generate: 'absent', takesIds: 'refused' }, { forcing: 'generate' }, { forcing: 'text' }],
      [{ show: 'named' }, { forcing: 'text' }, { forcing: 'ids' }],
      [{ echo: 'ignored' }, {}, { forcing: 'generate' }],
      [{ extra: 'refuses-zero' }, { forcing: 'ids' }, { echo_tokens: 1 }],
      [{ bos: 'never' }, { forcing: 'ids' }, { bos: 'prompt' }],
      [{}, { forcing: 'ids', bos: 'prompt' }, { bos: 'server' }],
      [
        { extra: 'refuses-zero', bos: 'never', takesIds: 'decoded' },
        {},
        { bos: 'prompt', echo_tokens: 1, forcing: 'text' },
      ],
    ];
    for (const [ways, changes, line] of lines) {
      const found = examined(ways, changes);
      expect(lineOf(found), JSON.stringify([ways, changes])).toEqual(line);
      const followed: Record<string, unknown> = { ...lineOf(found) };
      const { echo_tokens: echoTokens = changes.echoTokens ?? 0, ...rest } = followed;
      const mended = examined(ways, { ...changes, ...rest, echoTokens: echoTokens as 0 | 1 });
      expect([lineOf(mended), failures(mended)], JSON.stringify([ways, line])).toEqual([{}, []]);
      expect(mended.of('generation')).toMatchObject([{ status: 'ok' }]);
    }
  });

  it('is told how many answers were compared, how, and how far they are apart', () => {
    const { detail } = examined({ show: 'deferred' }).of('generation')[0]!;
    // Those that are lost are said by why they are, and none of them is ok.
    expect(detail).toMatch(
      /^forced by ids, [1-9]\d* answers have the values of generation, \d\S* nats apart at most(; \d+ of \d+ are (?!ok)\w+)?$/,
    );
  });

  it('is told where ids come', () => {
    const told = (ways: Ways) => examined(ways).of('token ids')[0]?.detail;
    expect(told({})).toBe('come in prompt_token_ids, where they are asked for, and give the same as a prompt');
    expect(told({ ids: 'logprobs' })).toBe('come with the echo, and give the same as a prompt');
    expect(told({ ids: 'none' })).toBe(
      'come neither with the echo nor in prompt_token_ids; boundaries are found by bytes',
    );
    expect(told({ takesIds: 'refused' })).toBe(
      'come in prompt_token_ids, where they are asked for, and are not taken as a prompt (rejected)',
    );
  });
});

describe('a server whose values are wrong', () => {
  it.each<[NonNullable<Ways['wrong']>, string, RegExp]>([
    ['shifted-null', 'generation', /^shifted: /],
    ['base-2', 'generation', /^scaled: /],
    ['scaled', 'generation', /^scaled: /],
    ['probability', 'generation', /^probability: /],
    ['offset', 'generation', /^differs: /],
    ['zeros-tail', 'echo', /^suspicious: /],
    ['base-2-both', 'base', /^base 2: /],
    ['shifted', 'echo', /^shape: /],
    ['positive', 'echo', /^bad_value: /],
    ['nulls', 'echo', /^shape: /],
    ['cut-left', 'echo', /^(echo_cut|text_mismatch): /],
  ])('%s is refused by name, and is given no line', (wrong, name, detail) => {
    const found = examined({ wrong });
    expect(found.verdict).toBe('would-fail');
    expect(found.of(name).find(({ status }) => status === 'failure')?.detail).toMatch(detail);
    expect(found.advice ?? []).toEqual([]);
  });

  it('is wrong by whatever its file asks for', () => {
    for (const forcing of ['ids', 'generate', 'text'] as const) {
      expect(examined({ wrong: 'scaled' }, { forcing }).of('generation')).toMatchObject([{ status: 'failure' }]);
    }
  });
});

describe('a policy that speaks messages', () => {
  function examinedMessages(forcing: Forcing, messages: MessageWays, ways: Ways = {}, model = 'scout'): Run {
    let call = 0;
    const server: Server = ({ path, body }) => {
      const draw = `call ${call++}`;
      const isChat = path.endsWith('/chat/completions');
      const answer = isChat ? answerMessages(body, draw, messages) : answerAt(path, body, draw, ways);
      return answer.status === 200 ? (answer.body as JsonObject) : refuse(JSON.stringify(answer.body));
    };
    const ref = modelRef({ template: 'none', forcing }, model);
    return run(target(['chat', 'forcing'], ref, { speaks: 'chat' }), server);
  }

  it.each(['chat', 'ids'] as const)('by %s is found sound, and its base is told', (forcing) => {
    const found = examinedMessages(forcing, {});
    expect([lineOf(found), failures(found)]).toEqual([{}, []]);
    expect(found.of('generation')).toMatchObject([{ status: 'ok' }]);
    expect(found.of('base')).toMatchObject([{ status: 'ok' }]);
  });

  it('is told the line that works, or that none does', () => {
    for (const messages of [{ promptLogprobs: 'none' }, { template: 'ends-it' }] as const) {
      expect(lineOf(examinedMessages('chat', messages))).toEqual({ forcing: 'ids' });
    }
    expect(lineOf(examinedMessages('ids', {}, { takesIds: 'refused' }))).toEqual({ forcing: 'chat' });
    const none = examinedMessages('ids', { promptLogprobs: 'none' }, { takesIds: 'refused' });
    expect([none.verdict, none.changes]).toEqual(['would-fail', []]);
  });

  it.each(['shifted', 'scaled', 'cached', 'clamped'] as const)('is refused where values are %s', (promptLogprobs) => {
    const found = examinedMessages('chat', { promptLogprobs });
    expect(found.verdict).toBe('would-fail');
    expect(found.of('generation').map(({ status }) => status)).not.toContain('warning');
  });
});
