/**
 * How many prompt tokens may wait for a model at once, learnt from what its provider takes and refuses, and remembered for
 * the next build: else every second batch would be sent for nothing.
 */

export interface BatchModel {
  readonly identity: string;
  readonly model: string;
}

/** A number for each model, kept from build to build. */
export interface TokenLimitMemory {
  recall(identity: string, name: string): number | undefined;
  keep(identity: string, name: string, value: number | null): void;
}

interface Learnt {
  /** The most that was taken, and the least that was too much. */
  taken: number;
  refused: number;
  /** Batches that were taken in a row. */
  row: number;
}

/** What was taken is the limit where it is so much of what was refused. */
const CLOSE = 0.8;
/** After so many batches in a row the limit may have grown, and is tried. */
const TRIED_AFTER = 10;
/** What is then taken to be too much, so that twice as much is tried. */
const GROWN = 3;

export class TokenLimits {
  readonly #memory: TokenLimitMemory | undefined;
  readonly #learnt = new Map<string, Learnt | undefined>();

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

  #of(model: BatchModel): Learnt | undefined {
    const name = modelName(model);
    if (!this.#learnt.has(name)) this.#learnt.set(name, this.#recall(model));
    return this.#learnt.get(name);
  }

  #recall({ identity, model }: BatchModel): Learnt | undefined {
    const refused = this.#memory?.recall(identity, refusedName(model));
    if (refused === undefined) return undefined;
    // A memory holds numbers above zero alone.
    const row = (this.#memory?.recall(identity, rowName(model)) ?? 1) - 1;
    return { taken: this.#memory?.recall(identity, model) ?? 0, refused, row };
  }

  #put(model: BatchModel, learnt: Learnt): void {
    this.#learnt.set(modelName(model), learnt);
    const { identity, model: name } = model;
    this.#memory?.keep(identity, name, learnt.taken === 0 ? null : learnt.taken);
    this.#memory?.keep(identity, refusedName(name), learnt.refused);
    this.#memory?.keep(identity, rowName(name), learnt.row + 1);
  }
}

/** One text for all that is asked of a model: a provider counts what waits for it over all paths. */
export const modelName = ({ identity, model }: BatchModel): string => `${identity}\n${model}`;

const refusedName = (model: string): string => `${model} (too much)`;
const rowName = (model: string): string => `${model} (batches taken in a row)`;
