/** A dataset in the files of cje-eval, the Python library: `logged_data.jsonl` and `fresh_draws/POLICY_responses.jsonl`. */

import type { FreshRow, LoggedRow } from '../dataset-rows.ts';
import { words } from '../join.ts';
import type { DatasetQuality } from '../results.ts';

interface ExportedDataset {
  readonly logged: Iterable<LoggedRow>;
  readonly fresh: Iterable<FreshRow>;
  readonly quality: Pick<DatasetQuality, 'scorer' | 'logger' | 'targets' | 'logprobs'>;
  readonly clone: string | null;
  readonly texts: Texts;
}

/** What was asked and answered, where the build has it; imported data may have none. */
export interface Texts {
  prompt(promptId: string): string | undefined;
  response(policy: string, promptId: string, draw: number): string | undefined;
}

export interface Exported {
  /** Lines by path, the manifest among them. */
  readonly files: ReadonlyMap<string, readonly string[]>;
  readonly logged: number;
  readonly fresh: number;
  /** Rows without a judge score, which cje-eval refuses to read. */
  readonly leftOut: number;
  /** Logged prompts without a draw, by policy: cje-eval's doubly robust estimators refuse such a policy. */
  readonly withoutDraw: ReadonlyMap<string, number>;
}

/** What the format cannot say, for the way back; `cje init --from import` reads it. */
export const MANIFEST = 'cje-export.json';

export function exportCjeEval({ logged, fresh, quality, clone, texts }: ExportedDataset): Exported {
  const { scorer, logger, targets, logprobs } = quality;
  const files = new Map<string, string[]>();
  const log: string[] = [];
  let leftOut = 0;
  const prompts = new Set<string>();
  for (const row of logged) {
    if (row.judge_score === null) {
      leftOut++;
      continue;
    }
    prompts.add(row.prompt_id);
    log.push(
      JSON.stringify({
        prompt_id: row.prompt_id,
        // cje-eval drops a logged row without these two.
        prompt: texts.prompt(row.prompt_id) ?? row.prompt_id,
        response: responseOf(texts.response(logger ?? '', row.prompt_id, 0), row.response_words) ?? '',
        base_policy_logprob: row.base_logprob,
        // In the order of the report, which is the order of reading.
        target_policy_logprobs: Object.fromEntries(
          targets.map((policy) => [policy, row.target_logprobs[policy] ?? null]),
        ),
        judge_score: row.judge_score,
        judge_score_variance: row.judge_variance ?? 0,
        oracle_label: row.oracle_label,
      }),
    );
  }
  if (log.length > 0) files.set('logged_data.jsonl', log);
  const drawn = new Map<string, Set<string>>();
  let draws = 0;
  for (const row of fresh) {
    if (row.judge_score === null) {
      leftOut++;
      continue;
    }
    const response = responseOf(texts.response(row.policy, row.prompt_id, row.draw_index ?? 0), row.response_words);
    const path = `fresh_draws/${row.policy}_responses.jsonl`;
    const lines = files.get(path) ?? [];
    files.set(path, lines);
    lines.push(
      JSON.stringify({
        prompt_id: row.prompt_id,
        prompt: texts.prompt(row.prompt_id) ?? row.prompt_id,
        response,
        // Its loader of a single file goes by this, the one of a folder by the file's name.
        target_policy: row.policy,
        draw_idx: row.draw_index ?? 0,
        judge_score: row.judge_score,
        judge_score_variance: row.judge_variance ?? 0,
        oracle_label: row.oracle_label,
      }),
    );
    const of = drawn.get(row.policy) ?? new Set();
    drawn.set(row.policy, of.add(row.prompt_id));
    draws++;
  }
  const tempered = logprobs.filter((entry) => entry.tempered).map(({ policy }) => policy);
  files.set(MANIFEST, [JSON.stringify({ version: 1, scorer, logger, policies: targets, clone, tempered })]);
  const withoutDraw = targets
    .filter((policy) => drawn.has(policy))
    .map((policy) => [policy, [...prompts].filter((id) => !drawn.get(policy)?.has(id)).length] as const)
    .filter(([, count]) => count > 0);
  return { files, logged: log.length, fresh: draws, leftOut, withoutDraw: new Map(withoutDraw) };
}

/** The response; where its words were counted otherwise than they would be on the way back, a text of as many. */
const responseOf = (text: string | undefined, counted: number | null): string | undefined =>
  counted === null || (text !== undefined && words(text) === counted) ? text : placeholder(counted);

/** A text of as many words as the response had, for the covariate `response_length`. */
const placeholder = (words: number): string => new Array<string>(words).fill('word').join(' ');

/** Whether a policy's name can stand in the name of a file. */
export const canNameFile = (policy: string): boolean => /^[^/\\\p{Cc}]+$/u.test(policy) && !policy.startsWith('.');
