/** Imports from memory: files by the part they play. */

import type { JsonObject } from '../../src/core/json.ts';
import type { Outputs, SourceFile } from '../../src/core/kind.ts';
import { ProblemError } from '../../src/core/problem.ts';
import { FRESH, type FreshRow, type LoggedRow, QUALITY } from '../../src/datasets/dataset-rows.ts';
import type { DatasetQuality } from '../../src/datasets/results.ts';
import { importKind } from '../../src/kinds/import.ts';
import { inputs } from './support.ts';

export interface Imported {
  readonly logged: readonly LoggedRow[];
  readonly fresh: readonly FreshRow[];
  readonly quality: DatasetQuality;
  readonly outputs: Outputs;
}

type Text = string | Uint8Array;
export interface Files {
  readonly logged?: Text;
  readonly fresh?: Readonly<Record<string, Text>>;
  readonly calibration?: Text;
  readonly probe?: Readonly<Record<string, Text>>;
  readonly rows?: Text;
}

const GATES = { data: {}, overlap: {} };
const bytes = (text: Text) => (typeof text === 'string' ? new TextEncoder().encode(text) : text);

/** Runs the kind on files whose labels are `logged.jsonl`, `POLICY.jsonl` and `rows`, unless `names` says other. */
export async function imported(files: Files, more: object = {}, names: Readonly<Record<string, string>> = {}) {
  const { logged, fresh = {}, calibration, probe = {}, rows } = files;
  const params = importKind.params.parse({
    gates: GATES,
    ...(logged === undefined ? {} : { logged: '/logged', logger: 'base' }),
    fresh: Object.fromEntries(Object.keys(fresh).map((policy) => [policy, `/${policy}`])),
    ...(calibration === undefined ? {} : { calibration: '/calibration' }),
    probe: Object.fromEntries(Object.keys(probe).map((policy) => [policy, `/probe-${policy}`])),
    ...(rows === undefined ? {} : { rows: '/rows' }),
    ...more,
  });
  const sources: Record<string, SourceFile> = {};
  const add = (name: string, text: Text | undefined, label: string) => {
    if (text !== undefined) sources[name] = { bytes: bytes(text), label: names[name] ?? label };
  };
  add('logged', logged, 'logged.jsonl');
  for (const [policy, text] of Object.entries(fresh)) add(`fresh:${policy}`, text, `${policy}.jsonl`);
  for (const [policy, text] of Object.entries(probe)) add(`probe:${policy}`, text, `probe-${policy}.jsonl`);
  add('calibration', calibration, 'calibration.jsonl');
  add('rows', rows, 'rows');
  const outputs = await importKind.parse(params, sources, inputs({}));
  return {
    logged: [...(outputs.files['rows.jsonl'] as Iterable<JsonObject>)] as LoggedRow[],
    fresh: [...(outputs.files[FRESH] as Iterable<JsonObject>)] as FreshRow[],
    quality: JSON.parse(outputs.files[QUALITY] as string) as DatasetQuality,
    outputs,
  } satisfies Imported;
}

/** The problem of an import that must fail, as text: headline, place, facts, hint. */
export async function problemOf(files: Files, more: object = {}, names: Readonly<Record<string, string>> = {}) {
  try {
    await imported(files, more, names);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const { headline, place, facts = [], hint } = error.problems[0]!;
    const where = place === undefined ? '' : [place.file, place.line].filter((part) => part !== undefined).join(':');
    return [headline, where, ...facts.map(([name, value]) => `${name} | ${value}`), hint ?? ''].join('\n');
  }
  throw new Error('the import did not fail');
}

export const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join('\n');

/** A logged row that has nothing wrong with it. */
export const good = (index: number, more: object = {}) => ({
  prompt_id: `q${index}`,
  prompt: `Question ${index}`,
  response: 'three small words',
  base_policy_logprob: -10 - index,
  target_policy_logprobs: { clone: -10 - index, other: -11 - index },
  judge_score: (index % 10) / 10,
  oracle_label: index % 2 === 0 ? (index % 5) / 5 : null,
  ...more,
});

export const draw = (index: number, more: object = {}) => ({ prompt_id: `q${index}`, judge_score: 0.5, ...more });
