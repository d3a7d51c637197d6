import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AlignResult, alignEcho } from '../../src/teacher-forcing/align.ts';
import type { AlignOptions, Echo } from '../../src/teacher-forcing/echo.ts';
import { anyText } from '../helpers/any-text.ts';

const BOS = '<|begin_of_text|>';
const PLAIN: AlignOptions = { bosToken: null, extraTokens: 0 };

/** An echo whose token i has the log probability −(i + 1) / 100, the first null. */
function echoOf(tokens: string[], first: number | null = null): Echo {
  return { tokens, tokenLogprobs: tokens.map((_, index) => (index === 0 ? first : -(index + 1) / 100)) };
}
const sumOf = (from: number, to: number) => {
  let total = 0;
  for (let index = from; index < to; index++) total -= (index + 1) / 100;
  return total;
};
const ok = (from: number, to: number): AlignResult => ({
  status: 'ok',
  logprob: expect.closeTo(sumOf(from, to), 12),
  tokens: to - from,
});

describe('the sum over the response', () => {
  it("takes the response's tokens and no others", () => {
    expect(alignEcho(echoOf(['Say', ' hi', '\n\n', 'hi', ' you']), 'Say hi\n\n', 'hi you', PLAIN)).toEqual(ok(3, 5));
  });

  it('drops the token that the server had to generate', () => {
    const echo = echoOf(['Say', '\n', 'hi', ' you']);
    expect(alignEcho(echo, 'Say\n', 'hi', { ...PLAIN, extraTokens: 1 })).toEqual(ok(2, 3));
    expect(alignEcho(echo, 'Say\n', 'hi', PLAIN)).toEqual({ status: 'shape', detail: '1 tokens after the text' });
    const three = echoOf(['Say', '\n', 'hi', ' you', ' all', '!']);
    expect(alignEcho(three, 'Say\n', 'hi', { ...PLAIN, extraTokens: 1 })).toEqual({
      status: 'shape',
      detail: '3 tokens after the text',
    });
    expect(alignEcho(echoOf(['Say', '\n', 'hi']), 'Say\n', 'hi', { ...PLAIN, extraTokens: 1 })).toEqual(ok(2, 3));
    expect(alignEcho(echoOf(['Say', '\n', 'hi', '']), 'Say\n', 'hi', { ...PLAIN, extraTokens: 1 })).toEqual(ok(2, 3));
  });

  it('refuses a token that reaches across the boundary', () => {
    const result = alignEcho(echoOf(['Say', '\n\n', 'hi']), 'Say\n', '\nhi', PLAIN);
    expect(result).toEqual({ status: 'boundary_span', detail: 'the token "\\n\\n" reaches across the boundary' });
  });

  it('has its own status for a response without text', () => {
    expect(alignEcho(echoOf(['Say', '\n']), 'Say\n', '', PLAIN)).toMatchObject({ status: 'empty_response' });
  });

  it('does not take a null for the first token of a response', () => {
    expect(alignEcho(echoOf(['hi', ' you']), '', 'hi you', PLAIN)).toMatchObject({ status: 'shape' });
  });
});

describe('half code points', () => {
  const prompt = 'Say 🙂\n';
  const options = PLAIN;

  it.each([
    ['as U+FFFD', ['Say', ' \ufffd', '\ufffd', '\n', '\ufffd', '\ufffd', '\ufffd', '!']],
    [
      'as bytes',
      ['Say', 'bytes:\\x20\\xf0\\x9f', 'bytes:\\x99\\x82', '\n', 'bytes:\\xf0', 'bytes:\\x9f', 'bytes:\\x99\\x83', '!'],
    ],
    ['as nothing, then the whole', ['Say', ' ', '🙂', '\n', '', '', '🙃', '!']],
    [
      'with one U+FFFD for each byte',
      ['Say', ' \ufffd\ufffd', '\ufffd\ufffd', '\n', '\ufffd\ufffd', '\ufffd', '\ufffd', '!'],
    ],
  ])('%s', (_, tokens) => {
    expect(alignEcho(echoOf(tokens), prompt, '🙃!', options)).toEqual(ok(4, 8));
  });

  it('refuses a token that holds bytes of both sides', () => {
    const tokens = ['a', '\ufffd', '\ufffd\ufffd', '\ufffd'];
    expect(alignEcho(echoOf(tokens), 'a世', '界', PLAIN)).toMatchObject({ status: 'boundary_span' });
  });

  it('refuses a boundary that an empty token leaves open', () => {
    expect(alignEcho(echoOf(['a', '\n', '', 'b']), 'a\n', 'b', PLAIN)).toMatchObject({ status: 'boundary_span' });
  });

  it('reads a U+FFFD and a word that looks like bytes, when the text holds them', () => {
    expect(alignEcho(echoOf(['a', '\ufffd', '\n', '\ufffd', 'b']), 'a\ufffd\n', '\ufffdb', PLAIN)).toEqual(ok(3, 5));
    expect(alignEcho(echoOf(['a', '\n', 'bytes:\\x41', 'b']), 'a\n', 'bytes:\\x41b', PLAIN)).toEqual(ok(2, 4));
  });

  it('knows a text that is cut or another', () => {
    expect(alignEcho(echoOf(['a', '\n', '\ufffd', 'x']), 'a\n', 'é!', PLAIN)).toMatchObject({
      status: 'text_mismatch',
    });
    expect(alignEcho(echoOf(['a', '\n', '\ufffd', '\ufffd', '!', '?']), 'a\n', 'é!', PLAIN)).toMatchObject({
      status: 'shape',
    });
  });
});

describe('the beginning-of-text token', () => {
  const options: AlignOptions = { bosToken: BOS, extraTokens: 0 };

  it('is passed where the server prepends it, and where the prompt holds it', () => {
    expect(alignEcho(echoOf([BOS, 'a', '\n', 'b']), 'a\n', 'b', options)).toEqual(ok(3, 4));
    expect(alignEcho(echoOf([BOS, 'a', '\n', 'b']), `${BOS}a\n`, 'b', options)).toEqual(ok(3, 4));
  });

  it('may be hidden', () => {
    expect(alignEcho(echoOf(['', 'a', '\n', 'b']), 'a\n', 'b', options)).toEqual(ok(3, 4));
    expect(alignEcho(echoOf(['a', '\n', 'b'], -1), `${BOS}a\n`, 'b', options)).toEqual(ok(2, 3));
  });

  it('is an error where it is there twice or not at all', () => {
    expect(alignEcho(echoOf([BOS, BOS, 'a', '\n', 'b']), `${BOS}a\n`, 'b', options)).toEqual({
      status: 'bos',
      detail: `two ${BOS}`,
    });
    const counted: AlignOptions = { ...options, counts: { prompt: 3, byIds: true } };
    expect(alignEcho(echoOf(['a', '\n', 'b']), 'a\n', 'b', counted)).toEqual({ status: 'bos', detail: `no ${BOS}` });
    expect(alignEcho(echoOf(['a', '\n', 'b']), 'a\n', 'b', options)).toEqual({
      status: 'bos',
      detail: `no ${BOS} is shown, and the reply does not count the tokens that it read`,
    });
  });

  it('may be left out of the lists, where the reply counts it', () => {
    const counted: AlignOptions = { ...options, counts: { prompt: 4, generated: 0 } };
    expect(alignEcho(echoOf(['a', '\n', 'b']), 'a\n', 'b', counted)).toEqual(ok(2, 3));
  });
});

describe('an echo that is none', () => {
  it.each<[string, Echo | undefined, string]>([
    ['no log probabilities', undefined, 'echo_unsupported'],
    ['one entry', { tokens: ['a\nb'], tokenLogprobs: [-1] }, 'echo_unsupported'],
    ['nothing but nulls', { tokens: ['a', '\n', 'b'], tokenLogprobs: [null, null, null] }, 'echo_unsupported'],
    ['lengths that differ', { tokens: ['a', '\n', 'b'], tokenLogprobs: [null, -1] }, 'shape'],
    ['ids that are too few', { ...echoOf(['a', '\n', 'b']), tokenIds: [1] }, 'shape'],
    ['a null inside', { tokens: ['a', '\n', 'b'], tokenLogprobs: [null, null, -1] }, 'shape'],
    ['NaN', { tokens: ['a', '\n', 'b'], tokenLogprobs: [null, -1, Number.NaN] }, 'bad_value'],
    ['a positive value', { tokens: ['a', '\n', 'b'], tokenLogprobs: [null, -1, 0.1] }, 'bad_value'],
    ['a clamped minus infinity', { tokens: ['a', '\n', 'b'], tokenLogprobs: [null, -1, -9999] }, 'bad_value'],
    ['minus infinity', { tokens: ['a', '\n', 'b'], tokenLogprobs: [null, -1, Number.NEGATIVE_INFINITY] }, 'bad_value'],
    ['the left cut', echoOf(['\n', 'b']), 'echo_cut'],
    ['the right cut', echoOf(['a', '\n']), 'echo_cut'],
    ['another text', echoOf(['a', '\n', 'c']), 'text_mismatch'],
  ])('%s', (_, echo, status) => {
    const result = alignEcho(echo, 'a\n', 'b', PLAIN);
    expect(result.status).toBe(status);
    expect(result).not.toHaveProperty('logprob');
  });

  it('finds the left cut under a server that puts its own token first', () => {
    const result = alignEcho(echoOf([BOS, '\n', 'b']), 'a\n', 'b', { bosToken: BOS, extraTokens: 0 });
    expect(result.status).toBe('echo_cut');
    expect(alignEcho(echoOf(['\n', 'b']), 'a\n', 'b', { bosToken: BOS, extraTokens: 0 }).status).toBe('echo_cut');
  });
});

describe('near certainty', () => {
  const sure = (count: number, value: number): Echo => ({
    tokens: ['a', ...new Array<string>(count).fill('b')],
    tokenLogprobs: [null, ...new Array<number>(count).fill(value)],
  });
  it('is believed of a short response', () => {
    expect(alignEcho(sure(50, 0), 'a', 'b'.repeat(50), PLAIN)).toEqual({ status: 'ok', logprob: 0, tokens: 50 });
    const rounded = alignEcho(sure(3, 1e-7), 'a', 'bbb', PLAIN);
    expect(rounded).toEqual({ status: 'ok', logprob: 0, tokens: 3 });
  });

  it('is suspicious over more than 50 tokens', () => {
    expect(alignEcho(sure(51, 0), 'a', 'b'.repeat(51), PLAIN).status).toBe('suspicious');
    expect(alignEcho(sure(51, -0.009), 'a', 'b'.repeat(51), PLAIN).status).toBe('suspicious');
    expect(alignEcho(sure(51, -0.011), 'a', 'b'.repeat(51), PLAIN).status).toBe('ok');
  });
});

describe('a boundary by ids', () => {
  const sentIds = { prompt: [5, 6], response: [6, 7] };
  const options: AlignOptions = { bosToken: BOS, extraTokens: 0, sentIds };
  const echo = (tokenIds: number[], tokens = tokenIds.map(() => '\n')): Echo => ({ ...echoOf(tokens), tokenIds });

  it('needs no text', () => {
    expect(alignEcho(echo([5, 6, 6, 7]), '', 'x', options)).toEqual(ok(2, 4));
    expect(alignEcho(echo([1, 5, 6, 6, 7], [BOS, '', '', '', '']), '', 'x', options)).toEqual(ok(3, 5));
    expect(alignEcho(echo([5, 6, 6, 7, 9]), '', 'x', { ...options, extraTokens: 1 })).toEqual(ok(2, 4));
  });

  it('says when the server made other tokens of it', () => {
    expect(alignEcho(echo([5, 8, 7, 7]), '', 'x', options)).toMatchObject({ status: 'retokenized' });
    expect(alignEcho(echo([5, 8]), '', 'x', options)).toMatchObject({ status: 'echo_cut' });
    expect(alignEcho(echo([5, 6, 6, 7, 9]), '', 'x', options)).toMatchObject({ status: 'shape' });
    expect(alignEcho(echoOf(['a', 'b']), '', 'x', options)).toMatchObject({ status: 'shape' });
    expect(alignEcho(echo([1, 1, 5, 6], [BOS, BOS, '', '']), '', 'x', options)).toMatchObject({ status: 'bos' });
  });
});

describe('any cut of any text', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '🙂',
      '👩‍👩‍👧',
      'e\u0301',
      'é',
      '世界',
      'ا',
      '\n',
      '\n\n',
      ' ',
      '\t',
      '\ufffd',
      '\ufeff',
      'word',
      ' a',
      '0',
    ),
    anyText({ minLength: 1, maxLength: 4 }),
  );
  const text = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(''));
  const cuts = fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 60 });

  /** Cuts the bytes into tokens of 1 + cut bytes, never across `fences`, and shows them as a server would. */
  function cut(whole: string, lengths: number[], fences: number[], show: (bytes: Uint8Array) => string) {
    const bytes = Buffer.from(whole);
    const tokens: string[] = [];
    const ends: number[] = [];
    for (let position = 0, turn = 0; position < bytes.length; turn++) {
      const wanted = position + 1 + lengths[turn % lengths.length]!;
      const end = Math.min(bytes.length, wanted, ...fences.filter((fence) => fence > position));
      tokens.push(show(bytes.subarray(position, end)));
      ends.push(end);
      position = end;
    }
    return { tokens, ends };
  }
  const replaced = (bytes: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const spelled = (bytes: Uint8Array) => {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return `bytes:${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`;
    }
  };

  it.each([
    ['replaced', replaced],
    ['spelled as bytes', spelled],
  ])('halves %s: with a template before the response, the boundary is always found', (_, show) => {
    fc.assert(
      fc.property(text, text, cuts, (prompt, response, lengths) => {
        const rendered = `${prompt}<|h|>\n\n`;
        const boundary = Buffer.byteLength(rendered);
        const { tokens, ends } = cut(rendered + response, lengths, [boundary - 2, boundary], show);
        const echo = echoOf([BOS, ...tokens]);
        const from = ends.indexOf(boundary) + 2;
        const counts = { prompt: tokens.length + 1, byIds: true };
        const result = alignEcho(echo, rendered, response, { bosToken: BOS, extraTokens: 0, counts });
        expect(result).toEqual(ok(from, tokens.length + 1));
      }),
      { numRuns: 200 },
    );
  });

  it('gives the right sum or none, wherever the tokens fall', () => {
    fc.assert(
      fc.property(text, text, cuts, fc.boolean(), (prompt, response, lengths, bytewise) => {
        const boundary = Buffer.byteLength(prompt);
        const { tokens, ends } = cut(prompt + response, lengths, [], bytewise ? spelled : replaced);
        const counts = { prompt: tokens.length + 1, byIds: true };
        const options = { bosToken: BOS, extraTokens: 0, counts } as const;
        const result = alignEcho(echoOf([BOS, ...tokens]), prompt, response, options);
        const last = ends.indexOf(boundary);
        if (last === -1) expect(result.status).toBe('boundary_span');
        else if (result.status === 'ok') expect(result).toEqual(ok(last + 2, tokens.length + 1));
        else expect(result.status).toBe('boundary_span');
      }),
      { numRuns: 400 },
    );
  });
});
