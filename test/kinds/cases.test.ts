/** Files of other tools, a few rows each: every one is read as a person would read it, or refused where it says why. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { JsonObject } from '../../src/core/json.ts';
import { type Outputs, ROWS, SourceError } from '../../src/core/kind.ts';
import { ProblemError } from '../../src/core/problem.ts';
import { usablePrompts } from '../../src/datasets/choose-prompts.ts';
import { FRESH } from '../../src/datasets/dataset-rows.ts';
import { findData } from '../../src/datasets/import/found-data.ts';
import { readSourceRows } from '../../src/datasets/prompt-source.ts';
import { importKind } from '../../src/kinds/import.ts';
import { prompts } from '../../src/kinds/prompts.ts';
import { importPipeline } from '../../src/scaffold/import-pipeline.ts';
import { inputs } from './support.ts';

const FOLDER = join(import.meta.dirname, '../fixtures/cases');

interface Acceptable {
  readonly rows?: readonly JsonObject[];
  readonly contains?: readonly (readonly string[])[];
  readonly prompts?: number;
  readonly keeps?: string;
  readonly says?: string;
  readonly refused?: string;
  readonly line?: number;
}
interface Case {
  readonly path: string;
  readonly as: 'prompts' | 'import' | 'columns';
  readonly params?: JsonObject;
  readonly accept: readonly Acceptable[];
  readonly person: string;
}

/** What came of a file: rows and what was said, or a refusal. */
type Outcome =
  | { readonly rows: readonly JsonObject[]; readonly said: string }
  | { readonly message: string; readonly file: string | undefined; readonly line: number | undefined };

const cases = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as readonly Case[];

const source = (path: string) => ({ bytes: readFileSync(path), label: path });
const rowsOf = (outputs: Outputs, file: string) => [...(outputs.files[file] as Iterable<JsonObject>)];

/** As `init --prompts` and the pipeline that it writes do. */
async function readPrompts(path: string): Promise<Outcome> {
  const { usable } = usablePrompts(await readSourceRows(source(path)), 'English');
  const params = { source: path, samples: usable.length, seed: 42, ids: 'content', order: 'hash' };
  const outputs = await prompts.parse(prompts.params.parse(params), { prompts: source(path) }, inputs({}));
  return { rows: rowsOf(outputs, ROWS), said: (outputs.notes ?? []).join('\n') };
}

async function readColumns(written: JsonObject): Promise<Outcome> {
  const params = importKind.params.parse({ ...written, gates: { data: {}, overlap: {} } });
  const located = Object.entries(importKind.locate(params));
  const files = located.map(([name, location]) => {
    if (location.type !== 'path') throw new Error('a case is a file');
    return [name, source(join(FOLDER, location.path))] as const;
  });
  const outputs = await importKind.parse(params, Object.fromEntries(files), inputs({}));
  const logged = rowsOf(outputs, ROWS).map((row) => ({ ...row, policy: params.logger ?? null }));
  return { rows: [...logged, ...rowsOf(outputs, FRESH)], said: (outputs.notes ?? []).join('\n') };
}

/** As `init --from import` and the pipeline that it writes do. */
async function readFound(path: string): Promise<Outcome> {
  const found = await findData(path);
  const text = importPipeline('case', found, '', ['naive']);
  const { params } = (parse(text) as { stages: { dataset: { params: JsonObject } } }).stages.dataset;
  const inside = (file: unknown) => join(found.folder.slice(FOLDER.length), String(file).replace('${data}', ''));
  const read = await readColumns({
    ...params,
    ...(params.rows === undefined ? {} : { rows: inside(params.rows) }),
    ...(params.logged === undefined ? {} : { logged: inside(params.logged) }),
    ...(params.fresh === undefined
      ? {}
      : {
          fresh: Object.fromEntries(
            Object.entries(params.fresh as JsonObject).map(([policy, file]) => [policy, inside(file)]),
          ),
        }),
  });
  return 'rows' in read ? { ...read, said: [read.said, ...found.passedOver].join('\n') } : read;
}

async function outcomeOf({ path, as, params }: Case): Promise<Outcome> {
  const file = join(FOLDER, path);
  try {
    if (as === 'prompts') return await readPrompts(file);
    return await (as === 'import' ? readFound(file) : readColumns(params!));
  } catch (error) {
    if (error instanceof SourceError) {
      return { message: `${error.message}\n${error.hint}`, file, line: error.line };
    }
    if (!(error instanceof ProblemError)) throw error;
    const { headline, facts = [], hint, place } = error.problems[0]!;
    const message = [headline, ...facts.map((fact) => fact.join(' ')), hint].join('\n');
    return { message, file: place?.file, line: place?.line };
  }
}

const plain = (value: unknown) =>
  typeof value === 'string' ? value.trim() : typeof value === 'number' ? Math.round(value * 1e9) / 1e9 : value;
const sorted = (rows: readonly JsonObject[], keys: readonly string[]) =>
  rows.map((row) => JSON.stringify(keys.map((key) => plain(row[key])))).sort();

/** Why an outcome is not what an entry accepts; undefined where it is. */
function objection(outcome: Outcome, accepted: Acceptable): string | undefined {
  if ('message' in outcome) {
    if (accepted.refused === undefined) return `refused: ${outcome.message}`;
    if (!new RegExp(accepted.refused, 'i').test(outcome.message)) return `says ${outcome.message}`;
    const right = accepted.line === undefined || outcome.line === accepted.line;
    return right ? undefined : `at line ${outcome.line}`;
  }
  const { rows, said } = outcome;
  if (accepted.refused !== undefined) return 'not refused';
  if (accepted.rows !== undefined) {
    const keys = Object.keys(accepted.rows[0]!);
    const [got, wanted] = [sorted(rows, keys), sorted(accepted.rows, keys)];
    if (JSON.stringify(got) !== JSON.stringify(wanted)) return `rows ${got.join(' ')}`;
  }
  for (const texts of accepted.contains ?? []) {
    const pattern = new RegExp(texts.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[\\s\\S]*'));
    if (rows.filter(({ prompt }) => pattern.test(String(prompt))).length !== 1) return `no ${texts.join(' … ')}`;
  }
  if (accepted.contains !== undefined && rows.length !== accepted.contains.length) return `${rows.length} rows`;
  if (accepted.prompts !== undefined && new Set(rows.map((row) => row.prompt_id)).size !== accepted.prompts) {
    return 'other prompts';
  }
  if (accepted.keeps !== undefined && !JSON.stringify(rows).includes(accepted.keeps)) return `lost ${accepted.keeps}`;
  return accepted.says === undefined || new RegExp(accepted.says).test(said) ? undefined : `said ${said}`;
}

describe('files of other tools', () => {
  test('are all here', () => expect(cases).toHaveLength(24));

  test.each(cases.map((each) => [each.path, each.person, each] as const))('%s: %s', async (_, __, each) => {
    const outcome = await outcomeOf(each);
    const objections = each.accept.map((accepted) => objection(outcome, accepted));
    expect(objections.includes(undefined) ? [] : objections).toEqual([]);
  });
});
