/** Records of imported files as rows of a dataset. A cell that is missing is null; one that is wrong is a fault. */

import { createHash } from 'node:crypto';
import type { FreshRow, LoggedRow, TextRow } from '../dataset-rows.ts';
import { type SourceRecord, textIn } from '../files/records.ts';
import { responseIn, saidIn } from '../files/reply-text.ts';
import type { RowMistake } from '../files/row-mistakes.ts';
import { words } from '../join.ts';
import type { Scale } from '../scale.ts';
import { wholeNumber } from '../whole-numbers.ts';
import type { Columns, Field } from './columns.ts';
import {
  type Read,
  readCount,
  readId,
  readLogprob,
  readOnScale,
  readPropensity,
  readVariance,
  type WordValues,
} from './values.ts';

export interface Scales {
  readonly judge: Scale;
  readonly label: Scale;
  /** What words stand for, on whichever scale they are met. */
  readonly words: WordValues;
}

/** What one record gave. */
export type ReadRow<R> =
  | { readonly ok: true; readonly row: R; readonly texts: RowTexts; readonly notes: readonly string[] }
  | { readonly ok: false; readonly faults: readonly RowMistake[] };

/** What stood beside a row's numbers. */
export type RowTexts = Omit<TextRow, 'policy' | 'prompt_id' | 'draw_index'>;

/** A fresh draw whose index may not be given. */
export type DrawRow = Omit<FreshRow, 'draw_index'> & { readonly draw_index: number | null };

/** The id that cje-eval gives to a prompt without one. */
function promptIdOf(prompt: string): string {
  return `prompt_${createHash('sha256').update(prompt).digest('hex').slice(0, 12)}`;
}

export class RowReader {
  readonly #columns: Columns;
  readonly #scales: Scales;
  readonly #wholeIds: boolean;

  /** @param wholeIds ids are whole numbers, some of which pandas wrote as floats */
  constructor(columns: Columns, scales: Scales, wholeIds: boolean) {
    this.#columns = columns;
    this.#scales = scales;
    this.#wholeIds = wholeIds;
  }

  /**
   * A logged row. Its score and its log probabilities may be missing.
   * @param named prompts go by their ids, not by their text
   * @param targets policies whose log probabilities are read
   */
  logged(record: SourceRecord, targets: readonly string[], named: boolean): ReadRow<LoggedRow> {
    const reading = new RecordReader(record, this.#columns, this.#wholeIds);
    const prompt_id = reading.promptId(named);
    const common = this.#common(reading, false);
    const base_logprob = reading.optional('base_logprob', (cell) => readLogprob(cell, 'base_logprob'));
    const written = this.#columns.targets(record.fields);
    if (written === undefined) reading.fault('target_logprobs is no object', 'target_logprobs is not an object');
    const target_logprobs: Record<string, number | null> = {};
    for (const target of targets) {
      const cell = written?.get(target) ?? null;
      const name = `log probability under ${target}`;
      target_logprobs[target] = cell === null ? null : (reading.take(readLogprob(cell, name)) ?? null);
    }
    return reading.done(() => ({ prompt_id, ...common, base_logprob, target_logprobs }));
  }

  /** A fresh draw of a policy; it must have a score. */
  fresh(record: SourceRecord, policy: string, named: boolean): ReadRow<DrawRow> {
    const reading = new RecordReader(record, this.#columns, this.#wholeIds);
    const prompt_id = reading.promptId(named);
    const common = this.#common(reading, true);
    const draw_index = reading.optional('draw_index', (cell) => readCount(cell, 'draw_index'));
    return reading.done(() => ({ policy, prompt_id, ...common, draw_index }));
  }

  #common(reading: RecordReader, scored: boolean) {
    const { judge, label, words: values } = this.#scales;
    const judge_score = reading.optional('judge_score', (cell) => readOnScale(cell, 'judge_score', judge, values));
    if (scored && judge_score === null) reading.missing('judge_score');
    const variance = reading.optional('judge_variance', (cell) => readVariance(cell, 'judge_variance', judge));
    const label_propensity = reading.optional('label_propensity', (cell) => readPropensity(cell, 'label_propensity'));
    return {
      judge_score,
      // A judge that states no variance is taken as sure; the quality summary counts these where others have one.
      judge_variance: judge_score === null ? null : (variance ?? reading.note(NO_VARIANCE, 0)),
      oracle_label: reading.optional<number>('oracle_label', (cell) =>
        isNaNCell(cell)
          ? { ok: true, value: reading.note(NAN_LABEL, null) }
          : readOnScale(cell, 'oracle_label', label, values),
      ),
      response_words: reading.responseWords(),
      ...(label_propensity === null ? {} : { label_propensity }),
    };
  }
}

/** Notes on a row that is used: counted in the quality summary. */
export const NO_VARIANCE = 'judge variance, taken as 0';
const NAN_LABEL = 'oracle label: NaN, taken as unlabelled';

const isNaNCell = (cell: unknown): boolean =>
  Number.isNaN(cell) || (typeof cell === 'string' && /^\s*nan\s*$/i.test(cell));

/** One record while it is read: its faults and notes add up. */
class RecordReader {
  readonly #record: SourceRecord;
  readonly #columns: Columns;
  readonly #faults: RowMistake[] = [];
  readonly #notes: string[] = [];
  readonly #wholeIds: boolean;

  constructor(record: SourceRecord, columns: Columns, wholeIds: boolean) {
    this.#record = record;
    this.#columns = columns;
    this.#wholeIds = wholeIds;
  }

  fault(category: string, message: string): void {
    this.#faults.push({ at: this.#record.at, category, message });
  }

  /** A required field has no value; told once, also where the cell was there and wrong. */
  missing(field: Field): void {
    if (this.#columns.read(this.#record.fields, field) === null) this.fault(`no ${field}`, `there is no ${field}`);
  }

  note<T>(text: string, value: T): T {
    this.#notes.push(text);
    return value;
  }

  take<T>(read: Read<T>): T | undefined {
    if (read.ok) return read.value;
    this.fault(read.category, read.message);
    return undefined;
  }

  optional<T>(field: Field, read: (cell: unknown) => Read<T | null>): T | null {
    const cell = this.#columns.read(this.#record.fields, field);
    return cell === null ? null : (this.take(read(cell)) ?? null);
  }

  promptId(named: boolean): string {
    const { fields } = this.#record;
    if (named) {
      const cell = this.#columns.read(fields, 'prompt_id');
      const id = this.take(readId(cell, 'prompt_id')) ?? '';
      return this.#wholeIds && typeof cell === 'string' ? wholeNumber(id) : id;
    }
    const prompt = this.#columns.read(fields, 'prompt');
    if (typeof prompt === 'string' && prompt !== '') return promptIdOf(prompt);
    this.fault('no prompt_id', 'there is no prompt_id, and no prompt to make one of');
    return '';
  }

  /** As counted, else counted in the response; null without either. */
  responseWords(): number | null {
    const counted = this.optional('response_words', (cell) => readCount(cell, 'response_words'));
    if (counted !== null) return counted;
    const response = this.#columns.read(this.#record.fields, 'response');
    const text = typeof response === 'string' ? response : saidIn(response);
    return typeof text === 'string' ? words(text) : null;
  }

  texts(): RowTexts {
    const { fields } = this.#record;
    const text = (field: Field) => textIn(this.#columns.read(fields, field));
    const rationale = text('rationale');
    const columns = this.#columns.kept(fields);
    return {
      prompt: this.#columns.promptText(fields) ?? null,
      response: responseIn(this.#columns.read(fields, 'response')) ?? null,
      ...(rationale === undefined ? {} : { rationale }),
      ...(Object.keys(columns).length === 0 ? {} : { columns }),
    };
  }

  done<R>(row: () => R): ReadRow<R> {
    if (this.#faults.length > 0) return { ok: false, faults: this.#faults };
    return { ok: true, row: row(), texts: this.texts(), notes: this.#notes };
  }
}
