/**
 * The rows of one blob, to be paged through: where each line begins, and of each row its name, its status and its
 * numbers. The texts stay on the disk, so a table of 100,000 rows takes some megabytes and a page of it milliseconds.
 */

import { closeSync, openSync, readSync } from 'node:fs';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Kind } from '../../core/kind.ts';
import { type BlobStore, DamageError, type OutputRef } from '../../core/storage.ts';
import { statusOf } from '../../core/summary.ts';
import { nameOf, textOf } from '../../engine/items.ts';

type Blobs = Pick<BlobStore, 'chunks' | 'locate' | 'rows'>;

const NEWLINE = 10;

export class RowTable {
  readonly ref: OutputRef;
  /** The prompt of each row, where it has one. */
  readonly prompts: readonly (string | undefined)[];
  /** The policy that a row itself names. */
  readonly policies: readonly (string | undefined)[];
  readonly statuses: readonly string[];
  /** Columns of numbers by name, NaN where a row has none; members of objects as `target_logprobs.pi_bad`. */
  readonly numbers: ReadonlyMap<string, Float64Array>;
  /** The name of each row among those of its policy. */
  readonly #ids: readonly (string | undefined)[];
  readonly #blobs: Blobs;
  /** Where each line begins, and at last where the file ends. */
  readonly #offsets: Float64Array;
  #byPrompt: Map<string, number[]> | undefined;

  /**
   * Reads the blob once, checking its digest.
   *
   * @param kind says what rows are called; without one they go by their numbers.
   * @throws DamageError
   */
  constructor(ref: OutputRef, blobs: Blobs, kind: Kind | undefined) {
    this.ref = ref;
    this.#blobs = blobs;
    this.#offsets = lineOffsets(ref, blobs);
    const ids: (string | undefined)[] = [];
    const prompts: (string | undefined)[] = [];
    const policies: (string | undefined)[] = [];
    const statuses: string[] = [];
    const numbers = new Map<string, Float64Array>();
    const length = this.#offsets.length - 1;
    for (const row of blobs.rows(ref)) {
      const index = statuses.length;
      const { id, prompt, policy } = nameOf(kind, row);
      ids.push(id);
      prompts.push(prompt);
      policies.push(policy);
      statuses.push(statusOf(row));
      collectNumbers(row, '', (name, value) => {
        let column = numbers.get(name);
        if (column === undefined) {
          column = new Float64Array(length).fill(Number.NaN);
          numbers.set(name, column);
        }
        column[index] = value;
      });
    }
    this.#ids = ids;
    this.prompts = prompts;
    this.policies = policies;
    this.statuses = statuses;
    this.numbers = numbers;
  }

  get length(): number {
    return this.statuses.length;
  }

  /** Numbers held in memory, roughly. */
  get weight(): number {
    return this.length * (5 + this.numbers.size);
  }

  /** What `cje show` calls the row. */
  itemOf(index: number): string {
    const [id, policy] = [this.#ids[index], this.policies[index]];
    return textOf({ ...(id === undefined ? {} : { id }), ...(policy === undefined ? {} : { policy }) }, index);
  }

  /** The row that a name means: `policy/id`, the id of a prompt, or `#` and its number. */
  rowNamed(name: string): number | undefined {
    const [only] = this.rowsOf(name);
    if (only !== undefined) return only;
    const number = /^#(\d+)$/.exec(name)?.[1];
    if (number !== undefined) return Number(number) < this.length ? Number(number) : undefined;
    for (let index = 0; index < this.length; index++) if (this.itemOf(index) === name) return index;
    return undefined;
  }

  /** The rows of a prompt. */
  rowsOf(prompt: string): readonly number[] {
    if (this.#byPrompt === undefined) {
      this.#byPrompt = new Map();
      for (const [index, name] of this.prompts.entries()) {
        if (name === undefined) continue;
        const known = this.#byPrompt.get(name);
        if (known === undefined) this.#byPrompt.set(name, [index]);
        else known.push(index);
      }
    }
    return this.#byPrompt.get(prompt) ?? [];
  }

  /** The rows with these numbers, in the order asked for. @throws DamageError where the blob is gone or not what it was */
  read(indices: readonly number[]): JsonObject[] {
    if (indices.length === 0) return [];
    const path = this.#blobs.locate(this.ref);
    if (path === undefined) throw this.#damage('it is missing');
    const descriptor = openSync(path, 'r');
    try {
      return indices.map((index) => this.#readRow(descriptor, index));
    } finally {
      closeSync(descriptor);
    }
  }

  /** The rows that have `text`, of any case, in one of their texts. Reads the whole blob. */
  search(text: string): number[] {
    const wanted = text.toLowerCase();
    const found: number[] = [];
    let index = 0;
    for (const row of this.#blobs.rows(this.ref)) {
      if (holds(row, wanted)) found.push(index);
      index++;
    }
    return found;
  }

  #readRow(descriptor: number, index: number): JsonObject {
    const start = this.#offsets[index]!;
    const bytes = Buffer.allocUnsafe(this.#offsets[index + 1]! - start);
    for (let filled = 0; filled < bytes.length; ) {
      const read = readSync(descriptor, bytes, filled, bytes.length - filled, start + filled);
      if (read === 0) throw this.#damage('it is shorter than it was');
      filled += read;
    }
    let row: unknown;
    try {
      row = JSON.parse(bytes.toString('utf8'));
    } catch {
      throw this.#damage('one of its lines is not JSON');
    }
    if (!isJsonObject(row)) throw this.#damage('one of its lines is not a JSON object');
    return row;
  }

  #damage(reason: string): DamageError {
    const { digest } = this.ref;
    return new DamageError(`blob ${digest}`, `blob ${digest} is damaged: ${reason}`, this.ref);
  }
}

function lineOffsets(ref: OutputRef, blobs: Blobs): Float64Array {
  const offsets = [0];
  let position = 0;
  for (const chunk of blobs.chunks(ref)) {
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1))
      offsets.push(position + at + 1);
    position += chunk.length;
  }
  // A last line without its newline is a line too.
  if (offsets.at(-1) !== position) offsets.push(position);
  return Float64Array.from(offsets);
}

function collectNumbers(row: JsonObject, prefix: string, found: (name: string, value: number) => void): void {
  for (const name of Object.keys(row)) {
    const value = row[name];
    if (typeof value === 'number') found(prefix + name, value);
    else if (prefix === '' && isJsonObject(value)) collectNumbers(value, `${name}.`, found);
  }
}

/** Names of fields are not searched: every row has them. */
function holds(value: unknown, wanted: string): boolean {
  if (typeof value === 'string') return value.toLowerCase().includes(wanted);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((member) => holds(member, wanted));
}
