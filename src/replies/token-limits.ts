/**
 * How many prompt tokens may wait for a model at once, learnt from what its provider takes and refuses, and remembered for
 * the next build: else every second batch would be sent for nothing.
 */

import { isJsonObject } from '../core/json.ts';

export interface BatchModel {
  readonly identity: string;
  readonly model: string;
}

/** What was learnt of each model, kept from build to build. */
export interface TokenLimitMemory {
  recall(identity: string, model: string): LearntTokens | undefined;
  keep(identity: string, model: string, learnt: LearntTokens): void;
}

export interface LearntTokens {
  /** The most that was taken, and the least that was too much. */
  readonly taken: number;
  readonly refused: number;
  /** Batches that were taken in a row. */
  readonly row: number;
}

/** What an earlier build wrote down; undefined where it is none, as of a version that kept numbers alone. */
export function learntTokensIn(value: unknown): LearntTokens | undefined {
  if (!isJsonObject(value)) return undefined;
  const { taken, refused, row } = value;
  if (!isCount(taken) || !isCount(refused) || !isCount(row) || refused === 0) return undefined;
  return { taken, refused, row };
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;

/** What was taken is the limit where it is so much of what was refused. */
const CLOSE = 0.8;
/** After so many batches in a row the limit may have grown, and is tried. */
const TRIED_AFTER = 10;
/** What is then taken to be too much, so that twice as much is tried. */
const GROWN = 3;

export class TokenLimits {
  readonly #memory: TokenLimitMemory | undefined;
  readonly #learnt = new Map<string, LearntTokens | undefined>();

  constructor(memory: TokenLimitMemory | undefined) {
    this.#memory = memory;
  }

  /** Tokens that may wait at once; infinite where nothing was refused. */
  most(model: BatchModel): number {
    const learnt = this.#of(model);
    if (learnt === undefined) return Number.POSITIVE_INFINITY;
    const { taken, refused } = learnt;
    return taken >= CLOSE * refused ? taken : (taken + refused) / 2;
  }

  /** So much was too much with nothing else waiting. */
  refuse(model: BatchModel, tokens: number): void {
    const { taken = 0, refused = tokens } = this.#of(model) ?? {};
    this.#put(model, { taken: taken < tokens ? taken : 0, refused: Math.min(refused, tokens), row: 0 });
  }

  take(model: BatchModel, tokens: number): void {
    const learnt = this.#of(model);
    if (learnt === undefined) return;
    const taken = Math.max(learnt.taken, tokens);
    const row = learnt.row + 1;
    const isTried = row >= TRIED_AFTER || taken >= learnt.refused;
    this.#put(model, isTried ? { taken, refused: GROWN * taken, row: 0 } : { ...learnt, taken, row });
  }

  #of(model: BatchModel): LearntTokens | undefined {
    const name = modelName(model);
    if (!this.#learnt.has(name)) this.#learnt.set(name, this.#memory?.recall(model.identity, model.model));
    return this.#learnt.get(name);
  }

  #put(model: BatchModel, learnt: LearntTokens): void {
    this.#learnt.set(modelName(model), learnt);
    this.#memory?.keep(model.identity, model.model, learnt);
  }
}

/** One text for all that is asked of a model: a provider counts what waits for it over all paths. */
export const modelName = ({ identity, model }: BatchModel): string => `${identity}\n${model}`;
