/** Tokens as real servers show them: whatever the script and the way of showing, the exact number or none. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AlignResult, alignEcho } from '../../src/teacher-forcing/align.ts';
import type { AlignOptions, Echo, ReplyCounts } from '../../src/teacher-forcing/echo.ts';
import { lacksText } from '../../src/teacher-forcing/tokens.ts';
import { anyText } from '../helpers/any-text.ts';

const BOS = '<|begin_of_text|>';
const F = '\ufffd';

describe('what was seen', () => {
  const given = (
    tokens: string[],
    tokenLogprobs: (number | null)[],
    response: string,
    more: Partial<AlignOptions> = {},
  ) => alignEcho({ tokens, tokenLogprobs }, 'P:', response, { bosToken: null, extraTokens: 0, ...more });
  const ok = (logprob: number, tokens: number): AlignResult => ({ status: 'ok', logprob, tokens });

  it('a part of its own holds no generated token, whatever was asked for', () => {
    const echo: Echo = { tokens: ['P:', F, F, F], tokenLogprobs: [null, -1, -2, -4] };
    const options = { bosToken: null, extraTokens: 1 } as const;
    expect(alignEcho(echo, 'P:', '😀', { ...options, counts: { separate: true } })).toEqual(ok(-7, 3));
    expect(alignEcho(echo, 'P:', '😀', options).status).toBe('ambiguous_end');
    expect(alignEcho(echo, 'P:', '😀', { ...options, counts: { prompt: 3, generated: 1 } })).toEqual(ok(-3, 2));
    expect(alignEcho(echo, 'P:', '😀', { ...options, counts: { prompt: 4, generated: 0 } })).toEqual(ok(-7, 3));
  });

  it('a token is generated though none was asked for', () => {
    const tokens = ['P:', F, F, F];
    expect(given(tokens, [null, -1, -2, -9], '√').status).toBe('ambiguous_end');
    expect(given(tokens, [null, -1, -2, -9], '√', { counts: { prompt: 3, generated: 1 } })).toEqual(ok(-3, 2));
    expect(given(tokens, [null, -1, -2, -9], '√', { counts: { prompt: 3, byIds: true } })).toEqual(ok(-3, 2));
  });

  it('a server that drops the token it generated counts it all the same', () => {
    expect(given(['P:', F, F], [null, -1, -2], '√', { counts: { prompt: 3, generated: 1 } })).toEqual(ok(-3, 2));
  });

  it('a value before the first token', () => {
    expect(given(['P:', 'a', 'b'], [-1, -2, -9], 'ab').status).toBe('shape');
    expect(given(['P:', 'a', 'b'], [0, -2, -9], 'ab')).toEqual(ok(-11, 2));
  });

  it('zeros in a part of a row', () => {
    const tokens = ['P:', ...new Array<string>(100).fill('a ')];
    const values = [null, ...new Array<number>(60).fill(-1), ...new Array<number>(40).fill(0)];
    expect(given(tokens, values, 'a '.repeat(100)).status).toBe('suspicious');
  });

  it.each([
    ['as Latin-1', ['â\x88', '\x9a']],
    ['as U+FFFD', [F, F]],
    ['with the last of them alone', ['', '√']],
    ['as bytes', ['bytes:\\xe2\\x88', 'bytes:\\x9a']],
    ['as escapes', ['\\xe2\\x88', '\\x9a']],
    ['as pieces of the vocabulary', ['âĪ', 'ļ']],
  ])('halves %s', (_, halves) => {
    expect(given(['P:', ...halves], [null, -1, -2], '√', { counts: { prompt: 3, byIds: true } })).toEqual(ok(-3, 2));
  });

  it('halves that are never shown', () => {
    const tokens = ['P:', 'Hi ', '', '', ''];
    const values = [null, -1, -1, -1, -1];
    expect(given(tokens, values, 'Hi 😀').status).toBe('hidden_characters');
    expect(given(tokens, values, 'Hi 😀', { counts: { prompt: 5, byIds: true } })).toEqual(ok(-4, 4));
  });

  it('halves as bytes of their own, beside a text that does not tell', () => {
    const echo: Echo = {
      tokens: ['P:', F, F],
      tokenLogprobs: [0, -1, -2],
      tokenBytes: [[80, 58], [0xe2, 0x88], [0x9a]],
    };
    expect(alignEcho(echo, 'P:', '√', { bosToken: null, extraTokens: 1 })).toEqual(ok(-3, 2));
  });

  it('characters that the tokenizer composes', () => {
    expect(given(['P:', 'é'], [null, -1], 'e\u0301')).toEqual(ok(-1, 1));
    // Composed across the boundary there is no boundary.
    expect(given(['P', ':', 'é'], [null, -1, -1], '\u0301', {}).status).not.toBe('ok');
  });

  it('an empty token that stands for nothing', () => {
    expect(given(['P:', 'a', '', 'b'], [null, -1, -1, -1], 'ab').status).not.toBe('ok');
  });
});

const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '🙂',
        '👩‍👩‍👧',
        'e\u0301',
        'é',
        '世界',
        'ا',
        'नमस्ते',
        'Ωμ',
        '\n',
        ' ',
        F,
        '\ufeff',
        'word',
        '\\xe2',
        'â\x88',
        '▁',
      ),
      anyText({ minLength: 1, maxLength: 3 }),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((pieces) => pieces.join(''))
  .filter((made) => Buffer.from(made).toString() === made);

const decode = (bytes: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
const isText = (bytes: Uint8Array) => Buffer.from(decode(bytes)).equals(Buffer.from(bytes));
const hex = (byte: number) => byte.toString(16).padStart(2, '0');
const each = (show: (bytes: Uint8Array) => string) => (pieces: readonly Uint8Array[]) => pieces.map(show);
const halvesAs = (show: (bytes: Uint8Array) => string) =>
  each((bytes) => (isText(bytes) ? decode(bytes) : show(bytes)));

const LETTERS = (() => {
  const letters: string[] = [];
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const own = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    letters.push(String.fromCodePoint(own ? byte : next++));
  }
  return letters;
})();

/** Whole characters, and the bytes of half ones. */
function* characters(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at]!;
    const whole = bytes.subarray(at, at + (first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4));
    const part = isText(whole) ? whole : bytes.subarray(at, at + 1);
    yield part;
    at += part.length;
  }
}

/** Half characters are dropped from both ends of each token. */
const ignored = (bytes: Uint8Array): string =>
  [...characters(bytes)].map((part) => (isText(part) ? decode(part) : '')).join('');

/** A token is decoded behind up to four before it, and shows nothing while its last character is not whole. */
const deferred = (pieces: readonly Uint8Array[]): string[] => {
  const shown: string[] = [];
  let pending: Uint8Array = new Uint8Array();
  for (const piece of pieces) {
    const joined = Buffer.concat([pending, piece]);
    const whole = decode(joined);
    if (whole.endsWith(F)) {
      shown.push('');
      pending = joined;
    } else {
      shown.push(whole);
      pending = new Uint8Array();
    }
  }
  return shown;
};

const DISPLAYS: Readonly<Record<string, (pieces: readonly Uint8Array[]) => string[]>> = {
  replaced: each(decode),
  'one mark a byte': each((bytes) => [...characters(bytes)].map((part) => (isText(part) ? decode(part) : F)).join('')),
  deferred,
  hidden: each(ignored),
  bytes: halvesAs((bytes) => `bytes:${[...bytes].map((byte) => `\\x${hex(byte)}`).join('')}`),
  escapes: halvesAs((bytes) => [...bytes].map((byte) => `\\x${hex(byte)}`).join('')),
  'Latin-1': halvesAs((bytes) => Buffer.from(bytes).toString('latin1')),
  pieces: each((bytes) => [...bytes].map((byte) => LETTERS[byte]).join('')),
};

interface Case {
  readonly echo: Echo;
  readonly exact: AlignResult | undefined;
  readonly counts: Readonly<Record<'told' | 'counted' | 'counted and dropped' | 'silent', ReplyCounts>>;
}

/** Tokens of 1 + cut bytes each, one more behind them if it is so, and the sum that is true of the response. */
function caseOf(
  prompt: string,
  response: string,
  lengths: readonly number[],
  show: (pieces: readonly Uint8Array[]) => string[],
  extra: Uint8Array | undefined,
  fenced: boolean,
): Case {
  const bytes = Buffer.from(prompt + response);
  const boundary = Buffer.byteLength(prompt);
  const pieces: Uint8Array[] = [];
  let from = -1;
  for (let position = 0, turn = 0; position < bytes.length; turn++) {
    if (position === boundary) from = pieces.length + 1;
    const wanted = position + 1 + lengths[turn % lengths.length]!;
    const end = Math.min(bytes.length, wanted, fenced && position < boundary ? boundary : bytes.length);
    pieces.push(bytes.subarray(position, end));
    position = end;
  }
  const to = pieces.length + 1;
  const tokens = [BOS, ...show(extra === undefined ? pieces : [...pieces, extra])];
  const tokenLogprobs = tokens.map((_, index) => (index === 0 ? null : -(index * index) / 64));
  let logprob = 0;
  for (let index = from; index < to; index++) logprob += tokenLogprobs[index] ?? Number.NaN;
  const generated = extra === undefined ? 0 : 1;
  return {
    echo: { tokens, tokenLogprobs },
    exact: from === -1 ? undefined : { status: 'ok', logprob: expect.closeTo(logprob, 9), tokens: to - from },
    counts: {
      told: { prompt: to, byIds: true },
      counted: { prompt: to, generated },
      'counted and dropped': { prompt: to, generated: 1 },
      silent: {},
    },
  };
}

const EXTRAS = [undefined, 'x', ' ', '🙂', 'e\u0301'].map((each) => (each === undefined ? each : Buffer.from(each)));
const extras = fc.constantFrom(...EXTRAS, Buffer.from([0xf0, 0x9f]), Buffer.from([0x9a]), Buffer.from([0xe2]));
const cuts = fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 40 });
const asked = fc.constantFrom(0 as const, 1 as const);

describe.each(Object.entries(DISPLAYS))('tokens shown %s', { timeout: 60_000 }, (name, show) => {
  it('give the exact number or none, wherever they fall and whatever the reply counts', () => {
    fc.assert(
      fc.property(
        text,
        text,
        cuts,
        extras,
        asked,
        fc.boolean(),
        (prompt, response, lengths, extra, extraTokens, templated) => {
          const rendered = templated ? `${prompt}<|h|>\n\n` : prompt;
          const { echo, exact, counts } = caseOf(rendered, response, lengths, show, extra, templated);
          for (const [what, told] of Object.entries(counts)) {
            if (what === 'counted and dropped' && (extraTokens === 1 || extra !== undefined)) continue;
            const result = alignEcho(echo, rendered, response, { bosToken: BOS, extraTokens, counts: told });
            if (result.status === 'ok') expect(result).toEqual(exact);
          }
        },
      ),
      { numRuns: 80 },
    );
  });

  it('lose no row by its script, behind a template and with the ids counted', () => {
    const plain = text.filter((made) => !/[\ufffd\\\u2581]/.test(made));
    fc.assert(
      fc.property(plain, plain, cuts, extras, (prompt, response, lengths, extra) => {
        const rendered = `${prompt}<|h|>\n\n`;
        const { echo, exact, counts } = caseOf(rendered, response, lengths, show, extra, true);
        const options = { bosToken: BOS, extraTokens: 1, counts: counts.told } as const;
        // One letter for a byte may also be read as the letter: only a text that holds such letters is left open.
        if (name === 'Latin-1' && /[\x80-\xff]/.test(rendered + response)) return;
        const result = alignEcho(echo, rendered, response, options);
        // A newline that shows beside hidden bytes may or may not hold the first of them.
        if (name === 'hidden' && /^[^\0-\x7f]/.test(response) && result.status === 'hidden_characters') return;
        expect(result).toEqual(exact);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a prompt that was cut', () => {
  const prompts = [
    '<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    '<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n',
    '<s>[SYSTEM_PROMPT]Be brief.[/SYSTEM_PROMPT][INST]Hi[/INST]',
    '<|im_start|>user\n東京の人口は？<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n',
    '<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜></think>',
    '<|start|>user<|message|>Hi<|end|><|start|>assistant',
  ];
  const shownOf = (prompt: string) =>
    prompt
      .split(/(<[^<>]+>|\[\/?[A-Z_]+\]|\s+)/)
      .flatMap((part) => (/[^\0-\x7f]/.test(part) ? [...part] : [part]))
      .filter((part) => part !== '');

  it.each(prompts)('is told from one that is whole, whatever marks it has: %j', (prompt) => {
    const shown = shownOf(prompt);
    expect(lacksText(shown, prompt)).toBe(false);
    // Hidden marks, halves that are replaced, and a beginning that the server adds, take nothing from it.
    expect(
      lacksText(
        shown.map((token) => (/^<.*>$/.test(token) ? '' : token)),
        prompt,
      ),
    ).toBe(false);
    expect(
      lacksText(
        shown.flatMap((token) => (/[^\0-\x7f]/.test(token) ? ['\ufffd', '\ufffd'] : [token])),
        prompt,
      ),
    ).toBe(false);
    expect(lacksText(['<s>', ...shown], prompt)).toBe(false);
  });

  it('lacks what is missing on either side', () => {
    const prompt = `<|im_start|>user\n${'What is a house made of? '.repeat(20)}<|im_end|>\n<|im_start|>assistant\n`;
    const shown = shownOf(prompt.replaceAll(' ', '\n')).map((token) => token.replaceAll('\n', ' '));
    expect(lacksText(shown, prompt)).toBe(false);
    expect(lacksText([shown[0]!, ...shown.slice(60)], prompt)).toBe(true);
    expect(lacksText(shown.slice(0, 100), prompt)).toBe(true);
  });
});
