/** Kind `import`: what it takes, what it makes of it, and what it says about the rest. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type Json } from '../../src/core/json.ts';
import type { FreshRow, LoggedRow } from '../../src/datasets/dataset-rows.ts';
import { exportCjeEval } from '../../src/datasets/export/cje-eval.ts';
import { importKind } from '../../src/kinds/import.ts';
import { draw, good, imported, lines, problemOf } from './import-support.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');
const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const text = (value: unknown) => canonicalJson(value as Json);

describe("a folder of cje-eval's", () => {
  it('becomes the rows of a dataset', async () => {
    const { logged, fresh, quality } = await imported({
      logged: lines(range(12).map((index) => good(index))),
      fresh: { clone: lines(range(12).map((index) => draw(index))), base: lines([draw(0), draw(1)]) },
    });
    expect(logged[2]).toEqual({
      prompt_id: 'q2',
      judge_score: 0.2,
      judge_variance: 0,
      oracle_label: 0.4,
      base_logprob: -12,
      target_logprobs: { clone: -12, other: -13 },
      response_words: 3,
    });
    expect(fresh[0]).toEqual({
      policy: 'clone',
      prompt_id: 'q0',
      judge_score: 0.5,
      judge_variance: 0,
      oracle_label: null,
      response_words: null,
      draw_index: 0,
    });
    expect(quality).toMatchObject({ logger: 'base', targets: ['clone', 'other'], rows: 12, prompts: 12, missing: {} });
    expect(quality.labels).toEqual({ calibration: 6, validation: { clone: 0, other: 0 } });
    expect(quality.gates.map(({ gate }) => gate)).not.toContain('clone_ess');
    expect(fresh.map(({ policy }) => policy)).toEqual([...range(12).map(() => 'clone'), 'base', 'base']);
  });

  it('has a calibration set whose labels teach, and says where it and the log disagree', async () => {
    const label = (index: number) => 0.1 + (index % 24) / 40;
    const files = {
      logged: lines(range(24).map((index) => good(index, { judge_score: index / 24, oracle_label: label(index) }))),
    };
    const row = (index: number, oracle_label: number) => ({
      prompt_id: `q${index}`,
      judge_score: (index % 24) / 24,
      oracle_label,
    });
    const set = [row(0, label(0)), row(1, 0.9), row(2, label(2) + 0.1), ...range(10).map((i) => row(100 + i, 0.95))];
    const { fresh, quality, outputs } = await imported({ ...files, calibration: lines(set) });
    expect(fresh).toHaveLength(10);
    expect(fresh[0]).toMatchObject({ policy: 'base', prompt_id: 'q100', oracle_label: 0.95, part: 'calibration' });
    expect(quality.labels.calibration).toBe(34);
    expect(quality.rows).toBe(24);
    expect(outputs.notes).toEqual([
      'the calibration set labels 3 of the log’s labelled responses once more, 2 otherwise, by up to 0.775; the log’s labels are taken',
    ]);
    const gate = (of: typeof quality) => of.gates.find((entry) => entry.gate === 'calibration_set');
    expect(gate(quality)).toMatchObject({ policy: null, passed: false });
    const alike = await imported({
      ...files,
      calibration: lines(range(24).map((i) => ({ ...row(i, label(i)), prompt_id: `r${i}` }))),
    });
    expect(gate(alike.quality)).toMatchObject({ passed: true });
    expect(alike.outputs.notes).toBeUndefined();
    expect(gate((await imported(files)).quality)).toBeUndefined();
  });

  it('has a calibration set beside a log, not in place of one: a misspelt logger is no policy of it', async () => {
    const rows = lines(range(8).map((index) => ({ ...draw(index), policy: index % 2 === 0 ? 'a' : 'b' })));
    const calibration = lines(range(8).map((index) => draw(index, { oracle_label: 0.5 })));
    await expect(imported({ rows, calibration }, { logger: 'aa' })).rejects.toThrow(/no file has the policy 'aa'/);
  });

  it('has probes whose labels are held against the calibration, and are nothing else', async () => {
    const files = {
      logged: lines(range(12).map((index) => good(index, { oracle_label: index / 12 }))),
      fresh: { clone: lines(range(12).map((index) => draw(index))) },
    };
    const plain = await imported(files);
    const probe = lines(range(30).map((index) => draw(index, { oracle_label: 0.9, judge_score: 0.4 })));
    const { fresh, quality } = await imported({ ...files, probe: { clone: probe } });
    expect(fresh.slice(0, 12)).toEqual(plain.fresh);
    expect(fresh.slice(12)).toEqual(
      Array(30).fill(expect.objectContaining({ policy: 'clone', oracle_label: 0.9, part: 'probe' })),
    );
    expect({ ...quality, transport: [] }).toEqual({ ...plain.quality, transport: [] });
    expect(plain.quality.transport[0]).toMatchObject({ policy: 'clone', state: 'not-checked', labels: 0 });
    expect(quality.transport[0]).toMatchObject({ policy: 'clone', state: 'fail', labels: 30, probe: true });
    const unlabelled = await problemOf({ ...files, probe: { clone: lines([draw(0)]) } });
    expect(unlabelled).toContain('no row of probe-clone.jsonl has a oracle_label');
    expect(() =>
      importKind.params.parse({
        gates: { data: {}, overlap: {} },
        logged: '/l',
        logger: 'base',
        probe: { base: '/p' },
      }),
    ).toThrow('a probe is of a target policy');
  });

  it('is read from its metadata where the fields are there, and keeps ids as text', async () => {
    const row = {
      metadata: { prompt_id: 7, judge_score: 0.25, oracle_label: 1 },
      base_policy_logprob: -1,
      response: '',
    };
    const { logged } = await imported({ logged: lines([row, good(8, { prompt_id: 0 })]) });
    expect(logged[0]).toMatchObject({ prompt_id: '7', judge_score: 0.25, oracle_label: 1, response_words: 0 });
    expect(logged[1]?.prompt_id).toBe('0');
  });

  it('goes by the text of its prompts where no row has an id', async () => {
    const anonymous = (index: number) => ({ ...good(index), prompt_id: undefined });
    const { logged, fresh } = await imported({
      logged: lines([anonymous(0)]),
      fresh: { clone: lines([{ prompt: 'Question 0', judge_score: 1 }]) },
    });
    // SHA-256 of "Question 0" begins so.
    expect(logged[0]?.prompt_id).toBe('prompt_8b0902184cc4');
    expect(fresh[0]?.prompt_id).toBe(logged[0]?.prompt_id);
    const mixed = await problemOf({ logged: lines([good(0), anonymous(1)]) });
    expect(mixed).toContain('logged.jsonl:2 | there is no prompt_id');
  });

  it('may lack scores and log probabilities in the log, which are then missing', async () => {
    const { logged, quality } = await imported({
      logged: lines([
        ...range(10).map((index) => good(index)),
        good(10, { judge_score: null }),
        good(11, { base_policy_logprob: null, target_policy_logprobs: { clone: null } }),
      ]),
    });
    expect(logged[10]).toMatchObject({ judge_score: null, judge_variance: null });
    expect(logged[11]).toMatchObject({ base_logprob: null, target_logprobs: { clone: null, other: null } });
    expect(quality.missing).toEqual({
      'judge score of base: missing': 1,
      'log probability under base: missing': 1,
      'log probability under clone: missing': 1,
      'log probability under other: missing': 1,
    });
  });

  it('keeps several draws of a prompt, and says where two claim one index', async () => {
    const { fresh, quality } = await imported({
      fresh: {
        a: lines([draw(0, { draw_idx: 1 }), draw(0, { draw_idx: 0 }), draw(0, { draw_idx: 1 })]),
        b: lines([draw(0), draw(0), draw(1)]),
      },
    });
    expect(fresh.map(({ policy, draw_index }) => [policy, draw_index])).toEqual([
      ['a', 1],
      ['a', 0],
      ['a', 1],
      ['b', 0],
      ['b', 1],
      ['b', 0],
    ]);
    expect(quality.missing).toEqual({ 'draw index of its own (a)': 1 });
  });
});

describe('data without a log', () => {
  const fresh = {
    a: lines(range(40).map((index) => draw(index, { judge_score: index / 40, oracle_label: index % 3 ? null : 0.5 }))),
    b: lines(range(40).map((index) => draw(index))),
  };

  it('has no logger, no gates on log probabilities, and a calibration on all labels', async () => {
    const { logged, quality } = await imported({ fresh });
    expect(logged).toEqual([]);
    expect(quality).toMatchObject({
      logger: null,
      targets: ['a', 'b'],
      rows: 80,
      prompts: 40,
      logprobs: [],
      gates: [],
    });
    expect(quality.labels).toEqual({ calibration: 14, validation: {} });
    expect(quality.calibration?.points).toHaveLength(14);
  });

  it('takes the draws of a named logger for the log', async () => {
    const { logged, quality } = await imported({ fresh }, { logger: 'a' });
    expect(logged).toHaveLength(40);
    expect(logged[3]).toMatchObject({
      prompt_id: 'q3',
      oracle_label: 0.5,
      base_logprob: null,
      target_logprobs: { b: null },
    });
    expect(quality).toMatchObject({ logger: 'a', targets: ['b'], rows: 40, gates: [] });
  });
});

describe('tables', () => {
  const csv = readFileSync(join(FIXTURES, 'import/evaluation.csv'), 'utf8');
  const settings = {
    logger: 'base',
    judge_scale: [0, 10],
    label_scale: [1, 5],
    columns: {
      prompt_id: 'question',
      policy: 'model',
      judge_score: 'score',
      judge_variance: 'variance',
      oracle_label: 'gold',
      base_logprob: 'lp_base',
      target_logprobs: { clone: 'lp_clone', other: 'lp_other' },
      response_words: 'words',
    },
  };

  it('are put on the unit scale by the scale that is declared', async () => {
    const { logged, fresh, quality } = await imported({ rows: csv }, settings);
    expect(logged).toHaveLength(8);
    expect(logged[0]).toEqual({
      prompt_id: 'q0',
      judge_score: 0,
      judge_variance: 0,
      oracle_label: 0,
      base_logprob: -10,
      target_logprobs: { clone: -10.25, other: -11 },
      response_words: 5,
    });
    expect(fresh[0]).toMatchObject({ policy: 'clone', judge_score: 0.7, judge_variance: 0.0075, oracle_label: 0.625 });
    expect(quality.missing).toEqual({
      'judge variance, taken as 0 (clone)': 1,
      'log probability under other: missing': 1,
    });
  });

  it('give the same bytes from CSV, tabs, Parquet, JSON Lines and a JSON array', async () => {
    const [header = '', ...rest] = csv.trim().split('\r\n');
    const names = header.split(',');
    const rows = rest.map((row) =>
      Object.fromEntries(
        row.split(',').map((cell, at) => [names[at]!, cell === '' ? null : at < 2 ? cell : Number(cell)]),
      ),
    );
    const same = await Promise.all(
      [
        csv,
        csv.replaceAll(',', '\t'),
        csv.replaceAll('\r\n', '\n'),
        readFileSync(join(FIXTURES, 'parquet/evaluation.parquet')),
        lines(rows),
        JSON.stringify(rows),
      ].map(async (file) => text((await imported({ rows: file }, settings)).outputs.files)),
    );
    expect(new Set(same).size).toBe(1);
  });

  it('may have quoted commas and line breaks; lines are still those of the file', async () => {
    const file =
      '\ufeffprompt_id,policy,judge_score,response\r\n' +
      'q0,a,0.5,"two, ""quoted""\r\nlines"\r\n' +
      '\n' +
      'q1,a,NA,short\n' +
      'q2,a,2,"x\n\ny"\n' +
      'q3,a,0.5\n' +
      'q4,a,nan,\n';
    const problem = await problemOf({ rows: file }, {}, { rows: 'data.csv' });
    expect(problem).toContain('4 rows of data.csv cannot be used');
    expect(problem).toContain('data.csv:5 | there is no judge_score');
    expect(problem).toContain('data.csv:6 | judge_score is 2, outside [0, 1]');
    expect(problem).toContain('data.csv:9 | this record has 3 cells, the header 4');
    expect(problem).toContain('data.csv:10 | judge_score is nan, which is no value');
    const { fresh } = await imported({ rows: file }, { on_bad_row: 'drop' });
    expect(fresh).toMatchObject([{ prompt_id: 'q0', response_words: 3 }]);
  });

  it('that are broken as a whole say where', async () => {
    expect(await problemOf({ rows: 'prompt_id,policy,judge_score\nq0,a,"0.5\n' })).toMatch(/^this is not CSV: Quote/);
    expect(await problemOf({ rows: 'a,b,a\n1,2,3\n' })).toMatch(/^two columns are named "a"/);
    expect(await problemOf({ rows: '' })).toMatch(/^this file has no rows/);
    expect(await problemOf({ rows: 'PAR1 and no more' })).toMatch(/^this Parquet file cannot be read/);
    expect(await problemOf({ rows: '<html>' }, {}, { rows: 'x.parquet' })).toMatch(/^this is not a Parquet file/);
  });
});

describe('bad rows', () => {
  const bad = [
    good(0),
    good(1, { judge_score: 1.2 }),
    good(2, { oracle_label: -0.1 }),
    good(3, { base_policy_logprob: 0.5 }),
    good(4, { target_policy_logprobs: { clone: 3 } }),
    good(5, { prompt_id: null }),
    good(6, { judge_score: 'high' }),
    good(7, { judge_score: {}, oracle_label: 2 }),
    good(8, { target_policy_logprobs: [-1] }),
    good(9, { prompt_id: '' }),
    good(10, { prompt_id: 2 ** 53 }),
  ];
  const log = [
    lines(bad),
    '{"prompt_id": "q11", ',
    '[1]',
    '',
    lines([good(12)]).replace('-22', 'NaN'),
    lines([good(13)]).replace('-23', '-Infinity'),
    lines([good(14)]).replace(/"oracle_label":[^,}]+/, '"oracle_label": NaN'),
  ].join('\n');
  const fresh = { clone: lines([draw(0), draw(1, { judge_score: null }), draw(2, { draw_idx: 0.5 })]) };

  it('are refused all at once, each with its file and line', async () => {
    const problem = await problemOf({ logged: log, fresh });
    expect(problem.split('\n')[0]).toBe('16 rows of 2 files cannot be used');
    for (const told of [
      'logged.jsonl:2 | judge_score is 1.2, outside [0, 1]',
      'logged.jsonl:3 | oracle_label is -0.1, outside [0, 1]',
      'logged.jsonl:4 | base_logprob is 0.5; a log probability is never above 0',
      'logged.jsonl:5 | log probability under clone is 3; a log probability is never above 0',
      'logged.jsonl:6 | there is no prompt_id',
      'logged.jsonl:7 | judge_score is "high", not a number',
      'logged.jsonl:8 | judge_score is {}, not a number; oracle_label is 2, outside [0, 1]',
      'logged.jsonl:9 | target_logprobs is not an object',
      'logged.jsonl:10 | prompt_id is empty',
      'logged.jsonl:11 | prompt_id is 9007199254740992, too large to be read exactly; write it as text',
      'logged.jsonl:12 | this line is not JSON',
      'logged.jsonl:13 | this line is not a JSON object',
      'logged.jsonl:15 | base_logprob is NaN; leave a value empty that is not known',
      'logged.jsonl:16 | base_logprob is -Infinity; leave a value empty that is not known',
      'clone.jsonl:2 | there is no judge_score',
      'clone.jsonl:3 | draw_index is 0.5, not a whole number from 0',
    ]) {
      expect(problem.split('\n')).toContain(told);
    }
    expect(problem).toContain('on_bad_row: drop');
    const places = problem.split('\n').flatMap((line) => line.match(/^(\w+\.jsonl):(\d+) \|/)?.slice(1) ?? []);
    const numbers = places.flatMap((place, index) => (index % 2 ? [Number(place)] : []));
    expect(numbers).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 2, 3]);
  });

  it('are dropped and counted where the pipeline says so', async () => {
    const { logged, fresh: draws, quality } = await imported({ logged: log, fresh }, { on_bad_row: 'drop' });
    expect(logged.map(({ prompt_id }) => prompt_id)).toEqual(['q0', 'q14']);
    expect(draws.map(({ prompt_id }) => prompt_id)).toEqual(['q0']);
    const dropped = Object.entries(quality.missing).filter(([what]) => what.includes('dropped'));
    expect(dropped.reduce((total, [, count]) => total + count, 0)).toBe(16);
    expect(quality.missing).toMatchObject({
      'usable row of base, dropped: broken JSON': 1,
      'usable row of base, dropped: base_logprob is not finite': 2,
      'usable row of clone, dropped: no judge_score': 1,
      'oracle label: NaN, taken as unlabelled (base)': 1,
    });
  });

  it('are told up to the twentieth', async () => {
    const problem = await problemOf({
      fresh: { a: lines(range(33).map((index) => draw(index, { oracle_label: 7 }))) },
    });
    expect(problem).toContain('a.jsonl:20 | ');
    expect(problem).not.toContain('a.jsonl:21');
    expect(problem).toContain('… | and 13 more');
  });

  it('that are a whole file are a mistake in the settings, drop or not', async () => {
    const hundred = {
      a: lines(range(5).map((index) => draw(index, { judge_score: 60 + index }))),
      b: lines([draw(0)]),
    };
    const problem = await problemOf({ fresh: hundred }, { on_bad_row: 'drop' });
    expect(problem).toContain('judge_scale: [0, 10]');
    expect(problem).toContain('No usable row would be left');
  });
});

describe('names', () => {
  it('of columns that no file has are told with the nearest', async () => {
    const fresh = { a: lines([{ id: 1, rating: 0.5 }]) };
    const columns = { prompt_id: 'id', judge_score: 'rating', oracle_label: 'rateing' };
    expect(await problemOf({ fresh }, { columns })).toContain("no file has the column 'rateing'");
    expect(await problemOf({ fresh }, { columns })).toContain("Did you mean 'rating'?");
    const missing = await problemOf({ fresh }, { columns: { prompt_id: 'id' } });
    expect(missing).toContain('no row of a.jsonl has a judge_score');
    expect(missing).toContain('it has | id, rating');
  });

  it('of policies that no file has are told with the nearest', async () => {
    const fresh = { alpha: lines([draw(0)]) };
    const log = lines([good(0)]);
    expect(await problemOf({ logged: log, fresh }, { policies: ['alpha', 'othr'] })).toContain("Did you mean 'other'?");
    expect(await problemOf({ fresh }, { clone: 'alpa' })).toContain("Did you mean 'alpha'?");
    expect(await problemOf({ rows: lines([{ ...draw(0), policy: 'a' }]) }, { logger: 'p0' })).toContain("policy 'p0'");
  });

  it('of policies come in the order of `policies`, else sorted; never in that of YAML keys', async () => {
    const a = lines([draw(0)]);
    const one = await imported({ fresh: { z: a, a } });
    const other = await imported({ fresh: { a, z: a } });
    expect(one.quality.targets).toEqual(['a', 'z']);
    expect(text(one.outputs.files)).toBe(text(other.outputs.files));
    const told = await imported({ fresh: { a, z: a } }, { policies: ['z', 'a'] });
    expect(told.fresh.map(({ policy }) => policy)).toEqual(['z', 'a']);
  });

  it('contradict each other only once', () => {
    const issues = (params: object) => {
      const checked = importKind.params.safeParse({ gates: { data: {}, overlap: {} }, ...params });
      return checked.success ? [] : checked.error.issues.map(({ message }) => message);
    };
    expect(issues({})).toEqual(['there is nothing to import']);
    expect(issues({ logged: '/x' })).toEqual(['a log needs the name of the policy that wrote it']);
    expect(issues({ rows: '/x', fresh: { a: '/a' } })).toHaveLength(1);
    expect(issues({ fresh: { a: '/a' }, logger: 'b' })).toHaveLength(1);
    expect(issues({ fresh: { a: '/a', b: '/b' }, policies: ['a'] })).toHaveLength(1);
    expect(issues({ rows: '/x', logger: 'a', policies: ['a', 'b'] })).toEqual([
      "'a' is the logger; only target policies are evaluated",
    ]);
    expect(issues({ fresh: { a: '/a' }, judge_scale: [10, 0] })).toHaveLength(1);
    expect(issues({ fresh: { a: '/a' }, judge_scale: [0, 10] })).toEqual([]);
  });
});

describe("export to cje-eval's files and import", () => {
  const unit = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value));
  const logprob = fc.option(
    fc.double({ min: -5000, max: 0, noNaN: true }).map((value) => (value === 0 ? 0 : value)),
    { nil: null },
  );
  const scored = {
    prompt_id: fc.string({ minLength: 1, unit: 'grapheme' }).map((id) => `q${id}`.trim()),
    judge_score: unit,
    judge_variance: unit,
    oracle_label: fc.option(unit, { nil: null }),
    response_words: fc.nat(40),
  };
  const policies = ['one', 'two words', 'drei'];
  const logged = fc.record<LoggedRow>({
    ...scored,
    base_logprob: logprob,
    target_logprobs: fc.record({ one: logprob, 'two words': logprob, drei: logprob }),
  });
  const fresh = fc.record<FreshRow>({ policy: fc.constantFrom(...policies), ...scored, draw_index: fc.nat(3) });

  it('keeps every number, in the same order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(logged, { minLength: 1, maxLength: 20 }),
        fc.array(fresh, { maxLength: 30 }),
        async (rows, draws) => {
          const targets = policies;
          const quality = { scorer: 'judge', logger: 'base', targets, logprobs: [] };
          const texts = { prompt: () => undefined, response: () => undefined };
          const ordered = targets.flatMap((policy) => draws.filter((row) => row.policy === policy));
          const { files } = exportCjeEval({ logged: rows, fresh: ordered, quality, clone: null, texts });
          const file = (path: string) => files.get(path)?.join('\n');
          const back = await imported(
            {
              logged: file('logged_data.jsonl')!,
              fresh: Object.fromEntries(
                targets.flatMap((policy) => {
                  const of = file(`fresh_draws/${policy}_responses.jsonl`);
                  return of === undefined ? [] : [[policy, of]];
                }),
              ),
            },
            { policies: targets },
          );
          expect(text(back.logged)).toBe(text(rows));
          expect(text(back.fresh)).toBe(text(ordered));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('leaves out what cje-eval will not read, and says which of its estimators lack draws', () => {
    const row = { prompt_id: 'q0', judge_score: 0.5, judge_variance: 0, oracle_label: null, response_words: null };
    const exported = exportCjeEval({
      logged: [
        { ...row, base_logprob: null, target_logprobs: { a: -1 } },
        { ...row, prompt_id: 'q1', judge_score: null, base_logprob: -1, target_logprobs: {} },
        { ...row, prompt_id: 'q2', base_logprob: -1, target_logprobs: {} },
      ],
      fresh: [
        { ...row, policy: 'a' },
        { ...row, policy: 'a', judge_score: null },
      ],
      quality: { scorer: 's', logger: 'p', targets: ['a', 'b'], logprobs: [] },
      clone: 'a',
      texts: {
        prompt: (id) => `Text of ${id}`,
        response: (policy, id) => (id === 'q2' ? `${policy} says` : undefined),
      },
    });
    expect(exported).toMatchObject({ logged: 2, fresh: 1, leftOut: 2 });
    expect([...exported.withoutDraw]).toEqual([['a', 1]]);
    const [first, second] = exported.files.get('logged_data.jsonl')!.map((line) => JSON.parse(line));
    expect(first).toMatchObject({ prompt: 'Text of q0', response: '', target_policy_logprobs: { a: -1, b: null } });
    expect(second.response).toBe('p says');
    expect(JSON.parse(exported.files.get('fresh_draws/a_responses.jsonl')![0]!)).not.toHaveProperty('response');
  });
});

it('takes a clone, tempered policies and files that are among its policies', () => {
  const params = {
    gates: { data: {}, overlap: {} },
    logged: 'log.jsonl',
    logger: 'base',
    policies: ['clone', 'other'],
    clone: 'clone',
    tempered: ['base', 'other'],
    fresh: { base: 'base.jsonl', clone: 'clone.jsonl' },
  };
  expect(importKind.params.safeParse(params).success).toBe(true);
  // Without a log the logger's draws are its file.
  const { logged: _, ...unlogged } = params;
  expect(importKind.params.safeParse(unlogged).success).toBe(true);
});

describe('texts', () => {
  it('are kept beside the numbers, a prompt once for all rows of its id, and rows without any not at all', async () => {
    const rows = [
      {
        prompt_id: 'q0',
        policy: 'a',
        judge_score: 0.5,
        question: 'Why?',
        answer: 'So.',
        explanation: 'short',
        topic: 3,
      },
      { prompt_id: 'q0', policy: 'a', judge_score: 0.4 },
      { prompt_id: 'q1', policy: 'a', judge_score: 0.3 },
    ];
    const { outputs, fresh } = await imported({ rows: lines(rows) }, { keep: ['topic'] });
    expect(outputs.files['texts.jsonl']).toEqual([
      {
        policy: 'a',
        prompt_id: 'q0',
        draw_index: 0,
        prompt: 'Why?',
        response: 'So.',
        rationale: 'short',
        columns: { topic: '3' },
      },
      { policy: 'a', prompt_id: 'q0', draw_index: 1, prompt: 'Why?', response: null },
    ]);
    expect(fresh.map(({ response_words }) => response_words)).toEqual([1, null, null]);
    expect(await problemOf({ rows: lines(rows) }, { keep: ['topics'] })).toContain("Did you mean 'topic'?");
  });

  it('of a log go by the logger, without a number', async () => {
    const { outputs } = await imported({ logged: lines([good(0)]) });
    expect(outputs.files['texts.jsonl']).toEqual([
      { policy: 'base', prompt_id: 'q0', prompt: 'Question 0', response: 'three small words' },
    ]);
  });

  it('are exported where they are as long as the row says, each draw with its own', () => {
    const row = (draw: number, counted: number) => ({
      policy: 'a',
      prompt_id: 'q0',
      judge_score: 1,
      judge_variance: 0,
      oracle_label: null,
      response_words: counted,
      draw_index: draw,
    });
    const exported = exportCjeEval({
      logged: [],
      fresh: [row(0, 2), row(1, 1), row(2, 2)],
      quality: { scorer: 'judge', logger: null, targets: ['a'], logprobs: [] },
      clone: null,
      texts: { prompt: () => undefined, response: (_, __, draw) => ['two words', 'one', 'three whole words'][draw] },
    });
    const responses = exported.files.get('fresh_draws/a_responses.jsonl')!.map((line) => JSON.parse(line).response);
    expect(responses).toEqual(['two words', 'one', 'word word']);
  });
});
