import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EvaluationData, FreshDraws, LoggedRows } from '../../../src/stats/index.ts';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

/** Recorded results that ship with the project. */
export const FIXTURES = path.join(root, 'test/fixtures/reference');
/** What an independent implementation computes; see its make.py. */
export const LIBRARY = path.join(root, 'test/fixtures/library');
/** More recorded results, where the checkout has them beside it. */
export const SHARED = path.resolve(root, '../shared/reference');
export const SHARED_ARENA = path.resolve(root, '../shared/arena');
export const hasShared = existsSync(path.join(SHARED, 'plain/results.json'));

interface Row {
  readonly prompt_id?: string;
  readonly metadata?: { readonly prompt_id?: string; readonly judge_score?: number; readonly oracle_label?: number };
  readonly response?: string;
  readonly base_policy_logprob?: number | null;
  readonly target_policy_logprobs?: Readonly<Record<string, number | null>>;
  readonly judge_score?: number | null;
  readonly judge_score_variance?: number | null;
  readonly oracle_label?: number | null;
  readonly draw_idx?: number;
}

export function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

function readRows(file: string): Row[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Row);
}

const number = (value: number | null | undefined) => value ?? Number.NaN;
const promptId = (row: Row) => String(row.prompt_id ?? row.metadata?.prompt_id);
const words = (row: Row) => (row.response ?? '').split(/\s+/).filter((w) => w !== '').length;

function scoreColumns(rows: readonly Row[]) {
  return {
    promptIds: rows.map(promptId),
    judgeScores: Float64Array.from(rows, (r) => number(r.judge_score ?? r.metadata?.judge_score)),
    judgeVariances: Float64Array.from(rows, (r) => r.judge_score_variance ?? 0),
    oracleLabels: Float64Array.from(rows, (r) => number(r.oracle_label ?? r.metadata?.oracle_label)),
    responseLengths: Float64Array.from(rows, words),
  };
}

export function loggedRows(rows: readonly Row[]): LoggedRows {
  const policies = [...new Set(rows.flatMap((r) => Object.keys(r.target_policy_logprobs ?? {})))].sort();
  return {
    ...scoreColumns(rows),
    baseLogprobs: Float64Array.from(rows, (r) => number(r.base_policy_logprob)),
    targetLogprobs: new Map(
      policies.map((p) => [p, Float64Array.from(rows, (r) => number(r.target_policy_logprobs?.[p]))]),
    ),
  };
}

export function freshDraws(rows: readonly Row[]): FreshDraws {
  return { ...scoreColumns(rows), drawIndexes: Int32Array.from(rows, (r) => r.draw_idx ?? 0) };
}

/** A data set in cje-eval's layout: logged_data.jsonl and fresh_draws/POLICY_responses.jsonl. */
export function loadCase(directory: string): EvaluationData {
  const logged = loggedRows(readRows(path.join(directory, 'logged_data.jsonl')));
  const folder = path.join(directory, 'fresh_draws');
  const draws = new Map<string, FreshDraws>();
  for (const file of readdirSync(folder).sort()) {
    draws.set(file.replace('_responses.jsonl', ''), freshDraws(readRows(path.join(folder, file))));
  }
  return { logged, policies: [...logged.targetLogprobs.keys()], freshDraws: draws };
}
