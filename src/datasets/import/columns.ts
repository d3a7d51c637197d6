/** Which column holds what: the user's map, else the names that cje-eval's files have. */

import { z } from 'zod';
import { nearest } from '../../core/problem.ts';
import { askedIn } from '../conversation.ts';
import { type SourceRecord, type Table, textIn, valueAt } from '../files/records.ts';
import { PROMPT_COLUMNS, RESPONSE_COLUMNS } from '../usual-columns.ts';

/** A column by name, or `outer.inner` for one that is nested. */
const column = () => z.string().min(1);

export const columnsSchema = z.strictObject({
  prompt_id: column().optional(),
  policy: column().optional(),
  judge_score: column().optional(),
  judge_variance: column().optional(),
  oracle_label: column().optional(),
  /** The probability with which a row was chosen for a label. */
  label_propensity: column().optional(),
  base_logprob: column().optional(),
  /** One column for each policy, or one column that holds an object of them. */
  target_logprobs: z.union([column(), z.record(z.string(), column())]).optional(),
  response: column().optional(),
  response_words: column().optional(),
  draw_index: column().optional(),
  prompt: column().optional(),
  rationale: column().optional(),
});
export type ColumnMap = z.infer<typeof columnsSchema>;

export type Field = Exclude<keyof ColumnMap, 'target_logprobs'>;

/** Names that are looked for, in this order, where the map names none. */
const USUAL: Readonly<Record<Field, readonly string[]>> = {
  prompt_id: ['prompt_id', 'metadata.prompt_id'],
  prompt: ['prompt', 'metadata.prompt'],
  policy: ['policy', 'target_policy', 'metadata.target_policy'],
  judge_score: ['judge_score', 'metadata.judge_score'],
  judge_variance: ['judge_score_variance', 'judge_variance', 'metadata.judge_score_variance'],
  oracle_label: ['oracle_label', 'metadata.oracle_label'],
  label_propensity: ['label_propensity', 'metadata.label_propensity'],
  base_logprob: ['base_policy_logprob', 'base_logprob'],
  response: RESPONSE_COLUMNS,
  response_words: ['response_words'],
  draw_index: ['draw_idx', 'draw_index', 'metadata.draw_idx'],
  rationale: ['rationale', 'judge_rationale', 'explanation', 'metadata.rationale'],
};
const USUAL_TARGETS = ['target_policy_logprobs', 'target_logprobs'];

type Fields = SourceRecord['fields'];

export class Columns {
  readonly #map: ColumnMap;
  readonly #paths: Readonly<Record<Field, readonly string[]>>;
  readonly #keep: readonly string[];

  /** @param keep further columns that go along */
  constructor(map: ColumnMap, keep: readonly string[] = []) {
    this.#map = map;
    this.#keep = keep;
    const given = map as Partial<Record<Field, string>>;
    this.#paths = Object.fromEntries(
      Object.entries(USUAL).map(([field, usual]) => [field, given[field as Field] ? [given[field as Field]!] : usual]),
    ) as Record<Field, readonly string[]>;
  }

  /** The names under which a field is looked for. */
  names(field: Field): readonly string[] {
    return this.#paths[field];
  }

  /** The first of the field's columns that has a value; null for none. */
  read(fields: Fields, field: Field): unknown {
    for (const path of this.#paths[field]) {
      const value = valueAt(fields, path);
      if (value !== undefined && value !== null) return value;
    }
    return null;
  }

  /** What was asked, for people to read: ids are made of the column `prompt` alone. */
  promptText(fields: Fields): string | undefined {
    const names = [...this.#paths.prompt, ...(this.#map.prompt === undefined ? PROMPT_COLUMNS : [])];
    const cells = names.map((path) => valueAt(fields, path));
    return cells.map((cell) => askedIn(cell)?.prompt ?? textIn(cell)).find((text) => text !== undefined);
  }

  /** What the row has under the columns that go along, as texts; a number is its digits. */
  kept(fields: Fields): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.#keep.flatMap((path) => {
        const text = textIn(valueAt(fields, path));
        return text === undefined ? [] : [[path, text] as const];
      }),
    );
  }

  /** What the row has of each target policy's log probability, null where it is empty; undefined when it is no object. */
  targets(fields: Fields): ReadonlyMap<string, unknown> | undefined {
    const map = this.#map.target_logprobs;
    const found = new Map<string, unknown>();
    if (typeof map === 'object') {
      for (const [policy, path] of Object.entries(map)) found.set(policy, valueAt(fields, path) ?? null);
      return found;
    }
    for (const name of map === undefined ? USUAL_TARGETS : [map]) {
      const value = valueAt(fields, name);
      if (value !== undefined && value !== null) {
        if (typeof value !== 'object' || Array.isArray(value)) return undefined;
        for (const [policy, logprob] of Object.entries(value)) found.set(policy, logprob ?? null);
        continue;
      }
      // A flat file has a column of its own for each policy: `target_policy_logprobs.clone`.
      for (const [key, logprob] of Object.entries(fields)) {
        if (key.startsWith(`${name}.`)) found.set(key.slice(name.length + 1), logprob ?? null);
      }
    }
    return found;
  }

  /** Whether a top-level column may be read; a file's texts are then not decoded in vain. */
  wanted(name: string): boolean {
    const paths = [...Object.values(this.#paths).flat(), ...this.#targetPaths(), ...PROMPT_COLUMNS, ...this.#keep];
    return paths.some((path) => path === name || path.startsWith(`${name}.`) || name.startsWith(`${path}.`));
  }

  /** Mapped columns that no row of any file has, each with the name that was likely meant. */
  unknown(tables: readonly Table[]): readonly { readonly column: string; readonly hint: string }[] {
    const given = [
      ...Object.entries(this.#map).flatMap(([field, path]) =>
        field !== 'target_logprobs' && typeof path === 'string' ? [path] : [],
      ),
      ...(this.#map.target_logprobs === undefined ? [] : this.#targetPaths()),
      ...this.#keep,
    ];
    return given
      .filter((path) => !tables.some((table) => hasColumn(table, path)))
      .map((path) => {
        const known = new Set(tables.flatMap(columnNames));
        const near = nearest(path, known);
        const hint =
          near === undefined ? `The files have ${[...known].slice(0, 20).join(', ')}.` : `Did you mean '${near}'?`;
        return { column: path, hint };
      });
  }

  #targetPaths(): readonly string[] {
    const map = this.#map.target_logprobs;
    if (map === undefined) return USUAL_TARGETS;
    return typeof map === 'string' ? [map] : Object.values(map);
  }
}

function hasColumn(table: Table, path: string): boolean {
  if (table.columns?.some((name) => name === path || name.startsWith(`${path}.`))) return true;
  return table.records.some(
    ({ fields }) =>
      valueAt(fields, path) !== undefined || Object.keys(fields).some((name) => name.startsWith(`${path}.`)),
  );
}

/** Column names for hints; of rows without a header, those of the first. */
export function columnNames(table: Table): readonly string[] {
  return table.columns ?? Object.keys(table.records[0]?.fields ?? {});
}
