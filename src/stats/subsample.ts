/** Random subsets of a labelled dataset, the same on every machine: which prompts a cell of the grid sees, and which labels. */

import { hash } from 'node:crypto';
import type { EvaluationData, FreshDraws, LoggedRows } from './index.ts';

interface SubsampleSize {
  readonly prompts: number;
  /** How many of these prompts keep the label on the logger's response, in [0, 1]. */
  readonly labelled: number;
  /** The same for the target policies' own responses. */
  readonly ownLabelled: number;
}

/**
 * Draws subsets of one dataset under one seed: the prompts with the smallest SHA-256 of `ID|SEED|sample`, and among them
 * the labels of those with the smallest of `ID|SEED|label` (`own-label` for a policy's own). Prompts keep the order of
 * the rows. Larger subsets hold the smaller ones, so a cell differs from its neighbour by what was added alone.
 */
export class Subsampler {
  readonly #data: EvaluationData;
  readonly #seed: number;
  /** Distinct logged prompts in the order of the rows. */
  readonly #prompts: readonly string[];
  #order: readonly string[] | undefined;
  readonly #labelled: ReadonlySet<string>;

  constructor(data: EvaluationData, seed: number) {
    this.#data = data;
    this.#seed = seed;
    const { promptIds, oracleLabels } = data.logged;
    this.#prompts = [...new Set(promptIds)];
    this.#labelled = new Set(promptIds.filter((_, row) => !Number.isNaN(oracleLabels[row]!)));
  }

  /** @throws RangeError where the data have fewer prompts. */
  draw({ prompts, labelled, ownLabelled }: SubsampleSize): EvaluationData {
    if (prompts > this.#prompts.length) {
      throw new RangeError(`${prompts} prompts of ${this.#prompts.length}`);
    }
    this.#order ??= ranked(this.#prompts, this.#seed, 'sample');
    const chosen = this.#order.slice(0, prompts);
    const withLabel = chosen.filter((id) => this.#labelled.has(id));
    const keep = firstOf(withLabel, this.#seed, 'label', roundHalfEven(labelled * prompts));
    // Without a log the two are the same labels.
    const own =
      this.#data.pooled === true
        ? keep
        : firstOf(chosen, this.#seed, 'own-label', roundHalfEven(ownLabelled * prompts));
    const inSample = new Set(chosen);
    const { logged, freshDraws } = this.#data;
    return {
      ...this.#data,
      logged: loggedSubset(logged, rowsOf(logged.promptIds, inSample), keep),
      freshDraws: new Map(
        [...freshDraws].map(([policy, draws]) => [policy, freshSubset(draws, rowsOf(draws.promptIds, inSample), own)]),
      ),
    };
  }
}

function firstOf(ids: readonly string[], seed: number, tag: string, count: number): ReadonlySet<string> {
  if (count === 0) return new Set();
  return new Set(count >= ids.length ? ids : ranked(ids, seed, tag).slice(0, count));
}

/** Ids by the SHA-256 of `ID|SEED|TAG`, smallest first. */
function ranked(ids: readonly string[], seed: number, tag: string): string[] {
  const digests = ids.map((id) => hash('sha256', `${id}|${seed}|${tag}`, 'buffer'));
  // Six bytes decide but for one pair in a hundred million million; then all of them do.
  const keys = Float64Array.from(digests, (digest) => digest.readUIntBE(0, 6));
  return Array.from(ids, (_, index) => index)
    .sort((a, b) => keys[a]! - keys[b]! || Buffer.compare(digests[a]!, digests[b]!))
    .map((index) => ids[index]!);
}

/** As Python rounds, so that recorded grids can be repeated. */
export function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value - Math.trunc(value)) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function rowsOf(ids: readonly string[], wanted: ReadonlySet<string>): Int32Array {
  const rows: number[] = [];
  for (let row = 0; row < ids.length; row++) if (wanted.has(ids[row]!)) rows.push(row);
  return Int32Array.from(rows);
}

const columnAt = (column: Float64Array, rows: Int32Array) => Float64Array.from(rows, (row) => column[row]!);

function labelsAt(
  rows: Int32Array,
  ids: readonly string[],
  labels: Float64Array,
  keep: ReadonlySet<string>,
): Float64Array {
  return Float64Array.from(rows, (row) => (keep.has(ids[row]!) ? labels[row]! : Number.NaN));
}

const propensitiesAt = (column: Float64Array | undefined, rows: Int32Array) =>
  column === undefined ? {} : { labelPropensities: columnAt(column, rows) };

function loggedSubset(logged: LoggedRows, rows: Int32Array, keep: ReadonlySet<string>): LoggedRows {
  return {
    promptIds: Array.from(rows, (row) => logged.promptIds[row]!),
    judgeScores: columnAt(logged.judgeScores, rows),
    judgeVariances: columnAt(logged.judgeVariances, rows),
    oracleLabels: labelsAt(rows, logged.promptIds, logged.oracleLabels, keep),
    ...propensitiesAt(logged.labelPropensities, rows),
    baseLogprobs: columnAt(logged.baseLogprobs, rows),
    responseLengths: columnAt(logged.responseLengths, rows),
    targetLogprobs: new Map([...logged.targetLogprobs].map(([policy, column]) => [policy, columnAt(column, rows)])),
  };
}

function freshSubset(draws: FreshDraws, rows: Int32Array, keep: ReadonlySet<string>): FreshDraws {
  return {
    promptIds: Array.from(rows, (row) => draws.promptIds[row]!),
    drawIndexes: Int32Array.from(rows, (row) => draws.drawIndexes[row]!),
    judgeScores: columnAt(draws.judgeScores, rows),
    judgeVariances: columnAt(draws.judgeVariances, rows),
    oracleLabels: labelsAt(rows, draws.promptIds, draws.oracleLabels, keep),
    ...propensitiesAt(draws.labelPropensities, rows),
    responseLengths: columnAt(draws.responseLengths, rows),
  };
}
