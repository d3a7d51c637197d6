import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import type { JsonObject } from '../../src/core/json.ts';
import { type InputSizes, ROWS, SourceError } from '../../src/core/kind.ts';
import { paramMark } from '../../src/core/params.ts';
import { pythonStrip } from '../../src/datasets/python-strip.ts';
import { prompts } from '../../src/kinds/prompts.ts';
import { pythonSample } from '../../src/stats/compat/python/random.ts';
import { inputs } from './support.ts';

type PromptsParams = Parameters<typeof prompts.parse>[0];

const bytesOf = (content: string | Uint8Array) => (typeof content === 'string' ? Buffer.from(content) : content);
const fixture = (name: string) => readFileSync(new URL(`../fixtures/parquet/${name}`, import.meta.url));
const lines = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

interface Row extends JsonObject {
  readonly prompt_id: string;
  readonly prompt: string;
  readonly source_row?: number;
}

async function parse(
  content: string | Uint8Array,
  params: Partial<PromptsParams> = {},
  label = 'p.jsonl',
): Promise<Row[]> {
  const all = prompts.params.parse({ source: `/data/${label}`, samples: 1, seed: 42, ...params });
  const outputs = await prompts.parse(all, { prompts: { bytes: bytesOf(content), label } }, inputs({}));
  return [...(outputs.files[ROWS] as Iterable<Row>)];
}

/** All prompts of a source in the source's order. */
async function everything(
  content: string | Uint8Array,
  count: number,
  language: string | null = 'English',
): Promise<Row[]> {
  const rows = await parse(content, { samples: count, language });
  return rows.sort((a, b) => a.source_row! - b.source_row!);
}

async function errorOf(promise: Promise<unknown>): Promise<SourceError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SourceError);
  return error as SourceError;
}

const plain = (count: number) => lines(Array.from({ length: count }, (_, index) => ({ prompt: `Prompt ${index}` })));

describe('choosing', () => {
  test('is the sample of Python, in its order, with ids by source row', async () => {
    const rows = await parse(plain(500), { samples: 100, seed: 7 });
    expect(rows).toEqual(
      pythonSample(500, 100, 7).map((index) => ({
        prompt_id: `arena_${index}`,
        prompt: `Prompt ${index}`,
        source_row: index,
      })),
    );
  });

  test('a sample of all is still in the order of Python', async () => {
    // random.seed(42); random.sample(range(10), 10)
    const rows = await parse(plain(10), { samples: 10 });
    expect(rows.map(({ source_row }) => source_row)).toEqual([1, 0, 4, 9, 6, 5, 8, 2, 3, 7]);
  });

  test('empty prompts and repetitions go before the sample is drawn, and the ids keep the rows of the source', async () => {
    const content = lines([
      { prompt: ' Twice\n' },
      { prompt: '\u2003\u001f' },
      { prompt: 'Twice' },
      { prompt: null },
      { prompt: 'Once', prompt_id: 'mine' },
      { prompt: 'twice' },
      { prompt: 'Seventh', prompt_id: 17 },
    ]);
    expect(await everything(content, 4)).toEqual([
      { prompt_id: 'arena_0', prompt: 'Twice', source_row: 0 },
      { prompt_id: 'mine', prompt: 'Once', source_row: 4 },
      { prompt_id: 'arena_5', prompt: 'twice', source_row: 5 },
      { prompt_id: '17', prompt: 'Seventh', source_row: 6 },
    ]);
  });

  test('the language counts where the source tells it', async () => {
    const content = lines([
      { prompt: 'a', language: 'English' },
      { prompt: 'b', language: 'German' },
      { prompt: 'c', language: null },
      { prompt: 'd' },
    ]);
    expect((await everything(content, 1)).map(({ prompt }) => prompt)).toEqual(['a']);
    expect((await everything(content, 1, 'German')).map(({ prompt }) => prompt)).toEqual(['b']);
    expect((await everything(content, 4, null)).map(({ prompt }) => prompt)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('the first turn of the user is the prompt of a conversation', async () => {
    const talk = [
      { role: 'system', content: 'Be terse.' },
      { role: 'user', content: ' One ' },
      { role: 'user', content: 'Two' },
    ];
    const content = lines([
      { conversation_a: talk, conversation_b: [] },
      { conversation: [{ role: 'user', content: 'Alone' }] },
      { messages: [{ role: 'user', content: 'Chat' }] },
      { prompt: 'Both', messages: talk },
      { messages: [{ role: 'assistant', content: 'Nobody asked' }] },
    ]);
    expect((await everything(content, 4)).map(({ prompt }) => prompt)).toEqual(['One', 'Alone', 'Chat', 'Both']);
  });

  test('strips what Python strips', () => {
    const blank = [
      ...'\t\n\v\f\r\u001c\u001d\u001e\u001f \u0085\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000',
    ];
    for (const each of blank) expect(pythonStrip(`${each}${each}a${each}b${each}`)).toBe(`a${each}b`);
    for (const kept of ['\ufeff', '\u200b', '\u180e', '\u0000', '\u001b'])
      expect(pythonStrip(`${kept}a`)).toBe(`${kept}a`);
    expect(pythonStrip(` \n${' '.repeat(200_000)}\t`)).toBe('');
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...blank, 'a', '🐢') }), (text) => {
        const stripped = pythonStrip(text);
        expect(text).toContain(stripped);
        expect(pythonStrip(stripped)).toBe(stripped);
        expect(stripped.replace(/\s/g, '').includes('a')).toBe(text.includes('a'));
      }),
    );
  });
});

describe('formats', () => {
  const three = [
    { row: 0, prompt: 'Eins ☃' },
    { row: 1, prompt: 'Zwei' },
    { row: 2, prompt: 'Drei' },
  ];
  const expected = ['Eins ☃', 'Zwei', 'Drei'];

  test.each([
    ['JSON lines', lines(three)],
    ['without a last newline', lines(three).trimEnd()],
    ['with blank lines and CRLF', `\r\n${lines(three).replaceAll('\n', '\r\n\r\n')}`],
    ['with a byte order mark', `\ufeff${lines(three)}`],
    ['a JSON array', JSON.stringify(three, null, 2)],
    ['a JSON array with a byte order mark', `\ufeff${JSON.stringify(three)}`],
  ])('%s', async (_, content) => {
    const rows = await everything(content, 3);
    expect(rows.map(({ prompt }) => prompt)).toEqual(expected);
    expect(rows.map(({ prompt_id }) => prompt_id)).toEqual(['arena_0', 'arena_1', 'arena_2']);
  });

  test('Parquet with conversations, as the Arena data set has it', async () => {
    expect(await everything(fixture('arena.parquet'), 4)).toEqual([
      { prompt_id: 'arena_0', prompt: 'How do tides work?', source_row: 0 },
      { prompt_id: 'arena_4', prompt: 'Name a prime 🐢 – naïvely', source_row: 4 },
      { prompt_id: 'arena_5', prompt: 'Write a haiku', source_row: 5 },
      { prompt_id: 'arena_7', prompt: 'Last one', source_row: 7 },
    ]);
    const all = await everything(fixture('arena.parquet'), 5, null);
    expect(all.map(({ prompt }) => prompt)).toContain('Wie entstehen Gezeiten?');
  });

  test('Parquet with 64-bit ids keeps their last digit', async () => {
    expect(await everything(fixture('flat.parquet'), 2)).toEqual([
      { prompt_id: '9007199254740993', prompt: 'First', source_row: 0 },
      { prompt_id: '13', prompt: 'Third', source_row: 2 },
    ]);
  });

  test('a part of a larger buffer is read as itself', async () => {
    const file = fixture('flat.parquet');
    const within = Buffer.concat([Buffer.from('before'), file, Buffer.from('after')]);
    expect(await everything(within.subarray(6, 6 + file.length), 2)).toHaveLength(2);
  });

  test('rows hold nothing but JSON', async () => {
    for (const row of await everything(fixture('flat.parquet'), 2))
      expect(JSON.parse(JSON.stringify(row))).toEqual(row);
  });
});

describe('mistakes', () => {
  test('a broken line is named', async () => {
    const content = plain(30).split('\n');
    content[16] = '{"prompt": "unclosed';
    const error = await errorOf(parse(content.join('\n')));
    expect(error.message).toBe('this line is not JSON');
    expect(error.line).toBe(17);
    expect(error.hint).toMatch(/one JSON object/);
  });

  test.each([
    ['a line that is no object', '{"prompt":"a"}\n"b"\n', /not a JSON object/, 2],
    ['a row without a prompt', '\n{"prompt":"a"}\n\n{"text":"b"}\n', /^this row has no prompt$/, 4],
    ['a prompt that is no text', '{"prompt":5}', /^the prompt is not a text$/, 1],
    ['a conversation that is no list', '{"messages":"hello"}', /^messages is not a list of turns$/, 1],
    ['a turn that is no object', '{"messages":["hello"]}', /^messages has a turn that is not an object$/, 1],
    ['a turn without text', '{"conversation":[{"role":"user","content":[]}]}', /^conversation has a user's turn/, 1],
    ['an odd id', '{"prompt":"a","prompt_id":{}}', /^the prompt_id is neither/, 1],
    ['an id twice', '{"prompt":"a","prompt_id":"x"}\n{"prompt":"b","prompt_id":"x"}', /"x" is that of another/, 2],
    ['an id that another row gets', '{"prompt":"a","prompt_id":"arena_1"}\n{"prompt":"b"}', /"arena_1" is that/, 2],
  ])('%s', async (_, content, message, line) => {
    const error = await errorOf(parse(content));
    expect(error.message).toMatch(message);
    expect(error.line).toBe(line);
  });

  test('a row without a prompt says what it has', async () => {
    const { hint } = await errorOf(parse('{"text":"b","id":1}'));
    expect(hint).toMatch(
      /^Looked for prompt, conversation_a, .* It has "text", "id"\. Say which: `columns: \{prompt: text\}`\.$/,
    );
  });

  test('bytes that are not UTF-8', async () => {
    const content = Buffer.concat([Buffer.from(plain(4)), Buffer.from([0x7b, 0xff, 0x7d])]);
    const error = await errorOf(parse(content));
    expect([error.message, error.line]).toEqual(['this line is not UTF-8 text', 5]);
  });

  test.each([
    ['', 'The source has no rows.'],
    ['\n\n', 'The source has no rows.'],
    ['[]', 'The source has no rows.'],
    ['{"prompt":" "}\n', 'Of 1 rows: 0 with a prompt, then 0 distinct; none is left.'],
    [
      '{"prompt":"a","language":"German"}\n',
      'Of 1 rows: 1 with a prompt, then 1 distinct, then 0 in English; none is left.',
    ],
  ])('no usable prompts in %j', async (content, hint) => {
    const error = await errorOf(parse(content));
    expect(error.message).toBe('no usable prompts');
    expect(error.hint).toBe(hint);
  });

  test('a sample larger than the source says what became of its rows', async () => {
    const content = lines([
      { prompt: 'a', language: 'English' },
      { prompt: 'a', language: 'English' },
      { prompt: 'b', language: 'German' },
      { prompt: '', language: 'English' },
    ]);
    const error = await errorOf(parse(content, { samples: 2 }));
    expect(error.message).toBe('samples is 2, but the source has only 1 usable prompts');
    expect(error.hint).toBe(
      'Of 4 rows: 3 with a prompt, then 2 distinct, then 1 in English. Lower samples, or set language: null.',
    );
    const untold = await errorOf(parse(plain(3), { samples: 4 }));
    expect(untold.hint).toBe('Of 3 rows: 3 with a prompt, then 3 distinct. Lower samples.');
  });

  test('a table without a column of prompts says how to name it', async () => {
    const error = await errorOf(parse('id,text\n1,How?\n', {}, 'p.csv'));
    expect([error.message, error.line]).toEqual(['this file has no column of prompts', 1]);
    expect(error.hint).toMatch(/it has id, text\. Say which: `columns: \{prompt: text\}`\.$/);
    const rows = await parse('id,text\n1,How?\n', { columns: { prompt: 'text', prompt_id: 'id' } }, 'p.csv');
    expect(rows).toEqual([{ prompt_id: '1', prompt: 'How?', source_row: 0 }]);
    const misspelt = await errorOf(parse('id,text\n1,How?\n', { columns: { prompt: 'texd' } }, 'p.csv'));
    expect([misspelt.message, misspelt.hint]).toEqual(["no row has the column 'texd'", "Did you mean 'text'?"]);
  });

  test('a Parquet file that was cut short', async () => {
    const error = await errorOf(parse(fixture('arena.parquet').subarray(0, 1500)));
    expect(error.message).toMatch(/^this Parquet file cannot be read: /);
  });

  test('something else under the name of a Parquet file', async () => {
    const error = await errorOf(parse('<html>Log in</html>', {}, 'https://example.com/a/train.parquet?download=1'));
    expect(error.message).toBe('this is not a Parquet file');
  });

  test('a JSON array that is broken, or of other things', async () => {
    expect((await errorOf(parse('[{"prompt":"a"},'))).message).toBe('this is not JSON');
    expect((await errorOf(parse('[{"prompt":"a"},"b"]'))).message).toBe('row 2: this entry is not a JSON object');
    expect((await errorOf(parse('[{"prompt":"a"},{"text":"b"}]'))).message).toBe('row 2: this row has no prompt');
  });
});

describe('ids and samples that stay where they are', () => {
  const put = (count: number, from = 0) =>
    lines(Array.from({ length: count }, (_, index) => ({ prompt: `Prompt ${index + from}`, tag: index })));
  const stable = { ids: 'content', order: 'hash' } as const;

  test('a line on top moves no id', async () => {
    const before = await parse(put(20), { ...stable, samples: 'all' });
    const after = await parse(`{"prompt":"New"}\n${put(20)}`, { ...stable, samples: 'all' });
    const idOf = (rows: readonly Row[]) => new Map(rows.map(({ prompt, prompt_id }) => [prompt, prompt_id]));
    for (const [prompt, id] of idOf(before)) expect(idOf(after).get(prompt)).toBe(id);
    expect(after).toHaveLength(21);
    expect(new Set(after.map(({ prompt_id }) => prompt_id)).size).toBe(21);
  });

  test('a smaller sample begins a larger one', async () => {
    const large = await parse(put(100), { ...stable, samples: 60 });
    for (const samples of [1, 7, 30]) {
      expect(await parse(put(100), { ...stable, samples })).toEqual(large.slice(0, samples));
    }
    expect(await parse(put(100), { ...stable, samples: 60, seed: 7 })).not.toEqual(large);
  });

  test('rows that lack an id get one beside those that have it; two of one id are refused with the line', async () => {
    const content = lines([{ prompt: 'a', uid: 'u1' }, { prompt: 'b', uid: 'u2' }, { prompt: 'c' }]);
    const rows = await parse(content, { ...stable, samples: 'all' });
    expect(
      rows
        .map(({ prompt_id }) => prompt_id)
        .filter((id) => id.startsWith('u'))
        .sort(),
    ).toEqual(['u1', 'u2']);
    const twice = lines([...Array(12).keys()].map((index) => ({ prompt: `${index}`, id: index % 11 })));
    const error = await errorOf(parse(twice, { ...stable, samples: 'all' }));
    expect([error.message, error.line]).toEqual(['the id "0" is that of another prompt, too', 12]);
  });

  test('a column of few values is none of ids', async () => {
    const content = lines(
      [...Array(12).keys()].map((index) => ({ prompt: `${index}`, task_id: 'sums', doc_id: index })),
    );
    const rows = await parse(content, { ...stable, samples: 'all' });
    expect(rows.every(({ prompt, prompt_id }) => prompt === prompt_id)).toBe(true);
  });

  test('a column of ids that is passed over, because it repeats one, is told with the lines', async () => {
    const rows = ['q1', 'q2', 'q1', 'q3'].map((id, index) => ({ prompt: `${index}`, id }));
    const notesOf = async (more: object) => {
      const file = { bytes: bytesOf(lines(rows)), label: 'p.jsonl' };
      const params = prompts.params.parse({ source: '/p', samples: 'all', seed: 1, ...stable, ...more });
      return (await prompts.parse(params, { prompts: file }, inputs({}))).notes;
    };
    expect(await notesOf({})).toEqual([
      'the column id names several prompts alike ("q1": lines 1 and 3), so ids are made of the prompts themselves; ' +
        '`columns: {prompt_id: id}` refuses such rows instead',
    ]);
    const error = await errorOf(notesOf({ columns: { prompt_id: 'id' } }));
    expect([error.message, error.line]).toEqual(['the id "q1" is that of another prompt, too', 3]);
  });

  test('what is left out is counted and named', async () => {
    const content = lines([{ prompt: 'a' }, { prompt: '' }, { prompt: 'a' }, { prompt: 'b' }, { prompt: 'b' }]);
    const file = { bytes: bytesOf(content), label: 'p.jsonl' };
    const params = prompts.params.parse({ source: '/p', samples: 'all', seed: 1 });
    const outputs = await prompts.parse(params, { prompts: file }, inputs({}));
    expect(outputs.notes).toEqual([
      '1 row without a prompt left out: line 2',
      '2 rows left out that ask the same as another: lines 3, 5',
    ]);
  });

  test('reference answers and kept columns go along, and conversations with all their turns', async () => {
    const talk = [
      { role: 'system', content: 'Be terse.' },
      { role: 'user', content: 'One' },
      { role: 'assistant', content: '1' },
      { role: 'user', content: [{ type: 'text', text: 'Two' }] },
      { role: 'assistant', content: '2' },
    ];
    const content = lines([{ id: 'x', messages: talk, answer: 2, topic: { name: 'sums' } }]);
    const columns = { reference: 'answer' };
    expect(await parse(content, { ...stable, samples: 'all', columns, keep: ['topic.name'] })).toEqual([
      {
        prompt_id: 'x',
        prompt: 'One',
        source_row: 0,
        messages: [...talk.slice(0, 3), { role: 'user', content: 'Two' }],
        reference: '2',
        columns: { 'topic.name': 'sums' },
      },
    ]);
  });

  test.each([
    ['a picture', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] }, /not a text/],
    ['an odd role', { messages: [{ role: 'narrator', content: 'x' }] }, /unknown role "narrator"/],
    ['columns of one object', { prompt: ['a', 'b'], id: [1, 2] }, /columns, not of rows/],
  ])('%s is refused', async (_, row, message) => {
    expect((await errorOf(parse(JSON.stringify(row)))).message).toMatch(message);
  });
});

describe('the simulated source', () => {
  const simulated = async (samples: number, seed: number): Promise<Row[]> => {
    const outputs = await prompts.parse(prompts.params.parse({ source: 'simulated', samples, seed }), {}, inputs({}));
    return [...(outputs.files[ROWS] as Iterable<Row>)];
  };

  test('gives as many prompts as asked for, the same for a seed, all different', async () => {
    const rows = await simulated(200, 42);
    expect(rows.length).toBe(200);
    expect(await simulated(200, 42)).toEqual(rows);
    expect(new Set(rows.map(({ prompt }) => prompt)).size).toBe(200);
    expect(new Set(rows.map(({ prompt_id }) => prompt_id)).size).toBe(200);
    expect(rows.every(({ prompt }) => pythonStrip(prompt) === prompt && prompt !== '')).toBe(true);
    expect(await simulated(200, 43)).not.toEqual(rows);
  });

  test('has an end', async () => {
    const { message } = await errorOf(simulated(1e7, 42));
    expect(message).toMatch(/^samples is 10000000, but there are only \d+ simulated prompts$/);
  });
});

describe('parameters', () => {
  const sha256 = 'a'.repeat(64);
  const url = 'https://example.com/train.parquet';
  const issues = (params: unknown) => {
    const result = prompts.params.safeParse(params);
    return result.success ? [] : result.error.issues.map((issue) => [issue.path.join('.'), issue.message]);
  };
  const sizes: InputSizes = { one: () => 0, many: () => new Map() };

  test('are located by what the source is', () => {
    const at = (params: object) => prompts.locate(prompts.params.parse({ samples: 5, seed: 1, ...params }));
    expect(at({ source: 'simulated' })).toEqual({});
    expect(at({ source: '/data/p.jsonl', sha256 })).toEqual({ prompts: { type: 'path', path: '/data/p.jsonl' } });
    expect(at({ source: url, sha256: sha256.toUpperCase() })).toEqual({ prompts: { type: 'url', url, sha256 } });
    expect(at({ source: url, sha256, token_variable: 'HF_TOKEN' })).toEqual({
      prompts: { type: 'url', url, sha256, tokenVariable: 'HF_TOKEN' },
    });
  });

  test('English unless told otherwise, and null is kept', () => {
    const base = { source: 'simulated', samples: 5, seed: 1 };
    expect(prompts.params.parse(base).language).toBe('English');
    expect(prompts.params.parse({ ...base, language: null }).language).toBeNull();
  });

  test('the source is marked as a path that may be a URL or a word', () => {
    const { shape } = prompts.params as typeof prompts.params & { readonly shape: { readonly source: z.ZodType } };
    expect(paramMark(shape.source)).toMatchObject({
      mark: 'path',
      path: { keep: ['simulated'], urls: true },
    });
  });

  test('a URL needs a digest, and may not hold a password', () => {
    const base = { samples: 5, seed: 1 };
    expect(issues({ ...base, source: url })).toEqual([['sha256', 'a source behind a URL needs a sha256']]);
    const result = prompts.params.safeParse({ ...base, source: url });
    const issue = result.error!.issues[0] as { params?: { hint?: string } };
    expect(issue.params!.hint).toMatch(/the digest of what was fetched/);
    expect(issues({ ...base, source: 'https://me:secret@example.com/p', sha256 })).toEqual([
      ['source', 'an address here must not hold a password'],
    ]);
    expect(issues({ ...base, source: 'https://', sha256 })).toEqual([['source', 'this is not an address']]);
  });

  test.each([
    [{ samples: 0 }, 'samples'],
    [{ samples: 2.5 }, 'samples'],
    [{ seed: 0.5 }, 'seed'],
    [{ sha256: 'abc' }, 'sha256'],
    [{ token_variable: 'hf-abc def' }, 'token_variable'],
  ])('%j is refused', (odd, path) => {
    expect(issues({ source: 'simulated', samples: 5, seed: 1, ...odd }).map(([at]) => at)).toEqual([path]);
  });

  test('expects one item a sample, and no calls', () => {
    const params = prompts.params.parse({ source: 'simulated', samples: 5, seed: 1 });
    expect(prompts.expect(params, sizes)).toEqual({ items: 5, calls: [] });
  });
});
