/** Tables: responses, scores and labels that are there already, and the sheet that people fill in. */

import { describe, expect, it } from 'vitest';
import { type Outputs, ROWS, type RowType, SourceError, type SourceKind } from '../../src/core/kind.ts';
import { ProblemError } from '../../src/core/problem.ts';
import { labelSheet, SHEET_COLUMNS, safeCell } from '../../src/datasets/export/label-sheet.ts';
import { LABELS, RESPONSES, SCORES } from '../../src/datasets/row-types.ts';
import type { LabelRow, ResponseRow, ScoreRow } from '../../src/datasets/rows.ts';
import { textDigest } from '../../src/datasets/text-digest.ts';
import { tableLabels } from '../../src/kinds/table-labels.ts';
import { tableResponses } from '../../src/kinds/table-responses.ts';
import { tableScores } from '../../src/kinds/table-scores.ts';
import { csvCell } from '../../src/text/csv.ts';
import { input, inputs, many } from './support.ts';

async function parsed<P, R>(
  kind: SourceKind<P>,
  type: RowType,
  text: string,
  params: object,
  responses: Readonly<Record<string, readonly object[]>> = {},
): Promise<{ readonly rows: readonly R[]; readonly notes: readonly string[] }> {
  const given = kind.params.parse({ file: '/t.csv', ...params });
  const upstream = many(Object.fromEntries(Object.entries(responses).map(([policy, rows]) => [policy, { rows }])));
  const file = { bytes: new TextEncoder().encode(text), label: 't.csv' };
  const outputs: Outputs = await kind.parse(
    given,
    { file },
    inputs({ ...(type === LABELS ? { responses: upstream } : {}) }),
  );
  const rows = [...(outputs.files[ROWS] as Iterable<R>)];
  const schema = type.schema();
  for (const row of rows) expect(schema.parse(row)).toEqual(row);
  return { rows, notes: outputs.notes ?? [] };
}

const responsesOf = (text: string, params: object = {}) =>
  parsed<Parameters<typeof tableResponses.parse>[0], ResponseRow>(tableResponses, RESPONSES, text, {
    as: 'responses',
    ...params,
  });
const scoresOf = (text: string, params: object = {}) =>
  parsed<Parameters<typeof tableScores.parse>[0], ScoreRow>(tableScores, SCORES, text, { as: 'scores', ...params });
const labelsOf = (text: string, responses: Readonly<Record<string, readonly object[]>>, params: object = {}) =>
  parsed<Parameters<typeof tableLabels.parse>[0], LabelRow>(
    tableLabels,
    LABELS,
    text,
    { as: 'labels', ...params },
    responses,
  );

/** The problem of a table that must be refused: headline, place, facts and hint. */
async function problemOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof SourceError) return `${error.message}\nline ${error.line}\n${error.hint}`;
  if (!(error instanceof ProblemError)) throw error ?? new Error('it was not refused');
  const { headline, place, facts = [], hint } = error.problems[0]!;
  return [headline, `${place?.file}:${place?.line}`, ...facts.map((fact) => fact.join(' | ')), hint].join('\n');
}

describe('responses', () => {
  const wide = 'id,prompt,brief,thorough\n1,How?,So.,"So, and\nat length."\n2,Why?,,Because.\n';
  const long =
    'question,model,answer,gold,topic\nHow?,brief,So.,42,a\nHow?,thorough,At length.,42,a\nHow?,brief,Thus.,42,a\nWhy?,brief,Because.,,b\n';

  it('may be what a conversation ends with; the turns before are what was asked', async () => {
    const turns = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Why?' },
    ];
    const said = (...more: object[]) => JSON.stringify({ model: 'm', messages: [...turns, ...more] });
    const { rows } = await responsesOf(`${said({ role: 'assistant', content: 'So.' })}\n${said()}\n`, { policy: 'm' });
    expect(rows).toMatchObject([
      { prompt: 'Why?', messages: turns, response: 'So.', draw_index: 0 },
      { prompt: 'Why?', status: 'no_response', draw_index: 1 },
    ]);
    expect(await problemOf(responsesOf(`${said()}\n`, { policy: 'm' }))).toContain('has no column for response');
  });

  it('of a log of Inspect are its samples, kept with nested columns', async () => {
    const log = {
      eval: { model: 'm' },
      samples: [
        { id: 1, epoch: 1, input: 'How?', output: { completion: 'So.' }, metadata: { topic: 'a' }, target: 'x' },
      ],
    };
    const { rows } = await responsesOf(JSON.stringify(log), {
      columns: { reference: 'target' },
      keep: ['metadata.topic'],
    });
    expect(rows).toMatchObject([
      { prompt_id: '1', prompt: 'How?', response: 'So.', reference: 'x', columns: { 'metadata.topic': 'a' } },
    ]);
  });

  it('without ids have those of their prompts as Python strips them, a byte order mark and all', async () => {
    const [plain, spaced, marked] = (
      await responsesOf('prompt,brief\nHow?,So.\n How? ,So.\n\ufeffHow?,So.\n', { policy: 'brief' })
    ).rows;
    expect([plain!.prompt_id === spaced!.prompt_id, plain!.prompt_id === marked!.prompt_id]).toEqual([true, false]);
  });

  it('go by their prompts where the ids name several alike, and that is said', async () => {
    const twice = 'id,prompt,brief\na,How?,So.\nb,Why?,Because.\na,Where?,Here.\n';
    const { rows, notes } = await responsesOf(twice, { policy: 'brief' });
    expect(rows.every(({ prompt_id }) => /^p[0-9a-f]{12}$/.test(prompt_id))).toBe(true);
    expect(notes).toEqual([
      'the column id names several prompts alike ("a": lines 2 and 4), so ids are made of the prompts themselves',
    ]);
    expect(await problemOf(responsesOf(twice, { policy: 'brief', columns: { prompt_id: 'id' } }))).toMatch(
      /names several prompts alike: "a"\nline 4\nSee lines 2 and 4/,
    );
    const again = await responsesOf(twice.replace('Where?', 'How?').replace('\na,How?,H', '\nc,How?,H'), {
      policy: 'brief',
    });
    expect(again.notes).toEqual([
      'the column id has several ids for one prompt, so ids are made of the prompts themselves',
    ]);
  });

  it('may have an id for each row, which names no prompt', async () => {
    const each = 'id,prompt,policy,response\n1,How?,a,So.\n2,How?,b,Thus.\n3,Why?,a,Because.\n4,Why?,b,Hm.\n';
    expect((await responsesOf(each, { policy: 'a' })).notes).toEqual([]);
  });

  it('stand in a column for each policy', async () => {
    const { rows, notes } = await responsesOf(wide, { policy: 'brief' });
    expect(rows.map(({ prompt_id, prompt, status, response }) => [prompt_id, prompt, status, response])).toEqual([
      ['1', 'How?', 'ok', 'So.'],
      ['2', 'Why?', 'no_response', null],
    ]);
    expect(notes).toEqual(['1 of 2 rows have no response of brief']);
    const other = await responsesOf(wide, { policy: 'thorough' });
    expect(other.rows.map(({ response }) => response)).toEqual(['So, and\nat length.', 'Because.']);
  });

  it('or in a row for each, where further ones of a prompt are draws, with what judges may need', async () => {
    const params = { columns: { reference: 'gold' }, keep: ['topic'] };
    const { rows } = await responsesOf(long, { policy: 'brief', ...params });
    expect(rows.map(({ response, draw_index }) => [response, draw_index])).toEqual([
      ['So.', 0],
      ['Thus.', 1],
      ['Because.', 0],
    ]);
    expect(rows[0]).toMatchObject({ reference: '42', columns: { topic: 'a' } });
    expect(rows[2]).not.toHaveProperty('reference');
    const other = await responsesOf(long, { policy: 'thorough', ...params });
    // The same prompt has the same id in the table of every policy.
    expect(other.rows.map(({ prompt_id }) => prompt_id)).toEqual([rows[0]!.prompt_id]);
    expect(other.rows[0]).not.toHaveProperty('draw_index');
  });

  it('may name their prompts by ids alone, of which the prompts are known', async () => {
    const prompts = [
      { prompt_id: '1', prompt: 'How?', reference: 'So.', messages: [{ role: 'user', content: 'How?' }] },
    ];
    const given = tableResponses.params.parse({ as: 'responses', file: '/t.csv', policy: 'brief' });
    const bytes = new TextEncoder().encode('id,brief\n1,Yes.\n2,No.\n');
    const upstream = inputs({ prompts: input({ rows: prompts }) });
    const outputs = await tableResponses.parse(given, { file: { bytes, label: 't.csv' } }, upstream);
    expect([...(outputs.files[ROWS] as Iterable<ResponseRow>)]).toEqual([
      expect.objectContaining({ ...prompts[0], response: 'Yes.' }),
    ]);
    expect(outputs.notes).toEqual(['1 of 2 rows are of prompts that are not among the prompts, unused']);
  });

  it('have the ids of their prompts, and not those of their rows', async () => {
    const text = 'id,prompt,policy,response\n1,How?,a,x\n2,How?,b,y\n';
    const [a, b] = await Promise.all([responsesOf(text, { policy: 'a' }), responsesOf(text, { policy: 'b' })]);
    expect(a.rows[0]!.prompt_id).toBe(b.rows[0]!.prompt_id);
  });

  it('are refused where nobody can know which they are', async () => {
    expect(await problemOf(responsesOf(long, { policy: 'breif' }))).toMatch(
      /no response of the policy 'breif'[\s\S]*Did you mean 'brief'/,
    );
    expect(await problemOf(responsesOf('prompt,answr\nHow?,So\n'))).toMatch(
      /no column for response[\s\S]*prompt, answr/,
    );
    expect(await problemOf(responsesOf('text,response\nHow?,So\n'))).toMatch(
      /no column for prompt[\s\S]*columns: \{prompt/,
    );
    expect(await problemOf(responsesOf(wide, { policy: 'brief', columns: { prompt: 'promt' } }))).toMatch(
      /no column 'promt'[\s\S]*Did you mean 'prompt'/,
    );
    expect(await problemOf(responsesOf('prompt,response\n ,So\n'))).toMatch(/1 row of t.csv cannot be used\nt.csv:2/);
    expect(await problemOf(responsesOf('prompt,response,draw\nQ,a,0\nQ,b,0\n'))).toMatch(/two rows are draw 0/);
    expect(await problemOf(responsesOf('prompt,response\n'))).toMatch(/no rows/);
  });
});

describe('scores', () => {
  it('are on the unit scale whatever scale they are on, and may stand in words', async () => {
    const text = 'prompt_id,policy,score\na,x,5\na,y,1\nb,x,\nc,x,good\n';
    const { rows } = await scoresOf(text, { policy: 'x', scale: [1, 5], values: { Good: 4 } });
    expect(rows.map(({ prompt_id, score, status }) => [prompt_id, score, status])).toEqual([
      ['a', 1, 'ok'],
      ['b', null, 'missing'],
      ['c', 0.75, 'ok'],
    ]);
    expect((await scoresOf('prompt_id,x,y\na,0.5,1\n', { policy: 'y' })).rows[0]).toMatchObject({ score: 1 });
  });

  it('outside their scale, or words that nobody explained, are refused with their line', async () => {
    expect(await problemOf(scoresOf('prompt_id,score\na,0.5\nb,7\n'))).toMatch(/t.csv:3\n[\s\S]*outside \[0, 1\]/);
    expect(await problemOf(scoresOf('prompt_id,score\na,fine\n'))).toMatch(/t.csv:2\n[\s\S]*`values:`/);
    const { rows, notes } = await scoresOf('prompt_id,score\na,0.5\nb,7\n', { on_bad_row: 'drop' });
    expect([rows.length, notes]).toEqual([1, ['1 row of t.csv left out: score outside its scale']]);
  });
});

const response = (prompt_id: string, text: string, more: object = {}): ResponseRow => ({
  prompt_id,
  prompt: `Prompt ${prompt_id}`,
  status: 'ok',
  response: text,
  finish_reason: 'stop',
  model: null,
  temperature: 1,
  top_p: 1,
  usage: null,
  ...more,
});
const answers = {
  brief: [response('a', 'Yes.'), response('b', 'No.'), response('c', '=1+1')],
  thorough: [response('a', 'Yes, and more.'), response('b', 'No.'), response('c', 'Perhaps.')],
};

describe('labels', () => {
  const told = (rows: readonly LabelRow[]) =>
    rows.map(({ policy, prompt_id, label, raters }) => [policy, prompt_id, label, raters]);

  it('go by policy and prompt, on a scale, averaged over raters whose agreement is told', async () => {
    const text = 'prompt_id,policy,rater,label\na,brief,ann,5\na,brief,bob,4\nb,thorough,ann,1\nb,thorough,bob,1\n';
    const { rows, notes } = await labelsOf(text, answers, { scale: [1, 5] });
    expect(told(rows)).toEqual([
      ['brief', 'a', 0.875, 2],
      ['thorough', 'b', 0, 2],
    ]);
    // By hand: D_o = (2 · 1/16) / 4 = 1/32 on ratings 1, 0.75, 0, 0; D_e = 2 · 4 · 0.796875 / 12 = 0.53125.
    expect(notes).toEqual(["2 texts rated more than once, averaged; agreement: Krippendorff's α 0.94"]);
    expect(rows.every(({ split }) => split === 'calibration')).toBe(true);
    const wide = await labelsOf('prompt_id,policy,ann,bob\na,brief,1,0\n', answers, {
      columns: { label: ['ann', 'bob'] },
    });
    expect(told(wide.rows)).toEqual([['brief', 'a', 0.5, 2]]);
    const logged = await labelsOf('prompt_id,policy,label\na,brief,1\na,thorough,1\n', answers, { logger: 'brief' });
    expect(logged.rows.map(({ split }) => split)).toEqual(['calibration', 'validation']);
  });

  it('that say nothing are none, and words are numbers where it is said', async () => {
    const text = 'prompt_id,policy,label\na,brief,good\nb,brief,\nc,brief,bad\n';
    const { rows } = await labelsOf(text, answers, { values: { good: 1, bad: 0 } });
    expect(told(rows)).toEqual([
      ['brief', 'a', 1, 1],
      ['brief', 'c', 0, 1],
    ]);
    expect(await problemOf(labelsOf(text, answers))).toMatch(
      /2 rows of t.csv[\s\S]*t.csv:2[\s\S]*values: \{good: 1, bad: 0\}/,
    );
    // The example is of the scale that is declared, so that it can be written as it stands.
    expect(await problemOf(labelsOf(text, answers, { scale: [1, 5] }))).toMatch(/values: \{good: 5, bad: 1\}/);
    const outside = 'prompt_id,policy,label\na,brief,11\n';
    expect(await problemOf(labelsOf(outside, answers))).toContain('Declare the scale');
    expect(await problemOf(labelsOf(outside, answers, { scale: [1, 10] }))).not.toContain('Declare the scale');
  });

  it('belong to a text: where it has changed they are stale, counted and unused', async () => {
    const id = textDigest(answers.brief[0]!);
    const text = `text_id,label\n${id},1\n${id.replace(/^./, 'x')},0\n`;
    const { rows, notes } = await labelsOf(text, answers);
    expect(told(rows)).toEqual([['brief', 'a', 1, 1]]);
    expect(notes).toEqual(['1 label is stale and unused: the text has changed since (t.csv:3)']);
    const named = await labelsOf('prompt_id,policy,response,label\na,brief,Yes!,1\nb,brief,No.,0\n', answers);
    expect(told(named.rows)).toEqual([['brief', 'b', 0, 1]]);
    expect(named.notes[0]).toMatch(/^1 label is stale/);
  });

  it('of one text are of every policy that gave it', async () => {
    const { rows } = await labelsOf(`text_id,label\n${textDigest(answers.brief[1]!)},0.5\n`, answers);
    expect(told(rows)).toEqual([
      ['brief', 'b', 0.5, 1],
      ['thorough', 'b', 0.5, 1],
    ]);
  });

  it('of no response here are counted, and refused where all are', async () => {
    const text = 'prompt_id,policy,label\na,brief,1\nz,brief,1\n';
    expect((await labelsOf(text, answers)).notes).toEqual(['1 label is of no response here, unused (t.csv:3)']);
    expect(await problemOf(labelsOf('prompt_id,policy,label\na,breif,1\n', answers))).toMatch(
      /^no label of this file is of a response here\nline 2/,
    );
    expect(await problemOf(labelsOf('prompt_id,label\na,1\n', answers))).toMatch(/no column for policy/);
  });

  it('are none where there is no file yet', async () => {
    const { rows, notes } = await labelsOf('', answers);
    expect(rows).toEqual([]);
    expect(notes[0]).toMatch(/^no label yet/);
    expect(tableLabels.locate(tableLabels.params.parse({ as: 'labels', file: '/l.csv' }))).toEqual({
      file: { type: 'path', path: '/l.csv', optional: true },
    });
  });
});

describe('a file of labels', () => {
  const examined = (text: string, params: object = {}) => {
    const given = tableLabels.params.parse({ as: 'labels', file: '/t.csv', ...params });
    const work = tableLabels.examine?.(given, { file: { bytes: Buffer.from(text), label: 't.csv' } });
    return work ?? Promise.reject(new Error('nobody looks'));
  };

  it('is looked at before the responses are there', async () => {
    await examined('text_id,prompt,response,label\nx,How?,So.,\n');
    await examined('');
    expect(await problemOf(examined('text_id,label\nx,7\n', { scale: [1, 5] }))).toContain('t.csv:2');
    expect(await problemOf(examined('text_id,label\nx,good\n'))).toContain('values: {good: 1, bad: 0}');
    expect(await problemOf(examined('text_id,mark\nx,1\n'))).toContain('no column for label');
  });
});

describe('labels whose ids are of another file', () => {
  it('go by their prompts', async () => {
    const responses = { brief: [{ prompt_id: 'p1', prompt: 'How?', status: 'ok', response: 'So.' }] };
    const { rows } = await labelsOf('id,prompt,policy,label\n17,How?,brief,1\n', responses);
    expect(rows).toMatchObject([{ prompt_id: 'p1', label: 1 }]);
    const unnamed = await labelsOf('id,prompt,response,label\n17,How?,So.,1\n', responses);
    expect(unnamed.rows).toMatchObject([{ prompt_id: 'p1', label: 1 }]);
  });
});

describe('the sheet of what to label', () => {
  const plan = { logger: undefined, calibrationShare: 1, validationShare: 1, seed: 42, validationSeed: 42 };
  const sheetOf = (labelled: readonly LabelRow[] = [], more: object = {}) =>
    labelSheet(new Map(Object.entries(answers)), labelled, { ...plan, ...more });

  it('tells neither policy nor score, has each text once, and comes in no order of ours', () => {
    const sheet = sheetOf();
    expect(sheet).toHaveLength(5);
    expect(Object.keys(sheet[0]!)).toEqual(SHEET_COLUMNS.filter((name) => name !== 'label'));
    expect(sheet).toEqual(sheetOf());
    expect(sheetOf([], { seed: 7 }).map(({ text_id }) => text_id)).not.toEqual(sheet.map(({ text_id }) => text_id));
  });

  it('is read back as it is, and then asks for nothing more', async () => {
    const lines = sheetOf().map(({ text_id, prompt, response: text }, index) =>
      [text_id, safeCell(prompt), safeCell(text), String(index % 2)].map(csvCell).join(','),
    );
    const { rows, notes } = await labelsOf([SHEET_COLUMNS.join(','), ...lines].join('\r\n'), answers);
    expect(notes).toEqual([]);
    expect(rows).toHaveLength(6);
    expect(sheetOf(rows)).toEqual([]);
    expect(sheetOf(rows.slice(1)).map(({ response: text }) => text)).toEqual(['Yes.']);
  });

  it('asks for an equal share of every policy, of the same prompts', () => {
    const many = Array.from({ length: 40 }, (_, index) => index);
    const of = (policy: string) => many.map((index) => response(`q${index}`, `${policy} ${index}`));
    const both = new Map([
      ['x', of('x')],
      ['y', of('y')],
    ]);
    const sheet = labelSheet(both, [], { ...plan, calibrationShare: 0.25 });
    const prompts = (policy: string) =>
      sheet.flatMap(({ prompt, response: text }) => (text.startsWith(policy) ? [prompt] : [])).sort();
    expect(prompts('x')).toHaveLength(10);
    expect(prompts('x')).toEqual(prompts('y'));
  });

  it('holds no formula', () => {
    expect(safeCell('=HYPERLINK("x")')).toBe(`'=HYPERLINK("x")`);
    expect(safeCell('plain = text')).toBe('plain = text');
  });
});
