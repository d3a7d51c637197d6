/** Aliases of models, as the profile's provider file declares them. */

import type { ModelRef } from '../core/call.ts';
import type { JsonObject } from '../core/json.ts';
import { type Facts, type Problems, suggest } from './problems.ts';
import type { Span } from './source.ts';

export class ModelTable {
  readonly #profile: string | undefined;
  readonly #file: string | undefined;
  /** False when the provider file could not be read: its mistakes are reported, and no alias is blamed. */
  readonly #usable: boolean;
  #told = false;
  /** A model without a value has a mistake of its own. */
  readonly #models: ReadonlyMap<string, ModelRef | undefined>;

  constructor(
    profile: string | undefined,
    file: string | undefined,
    models: ReadonlyMap<string, ModelRef | undefined> | undefined,
  ) {
    this.#profile = profile;
    this.#file = file;
    this.#usable = models !== undefined;
    this.#models = models ?? new Map();
  }

  /** The model behind an alias as a JSON value; undefined when there is none, which is then reported. */
  find(alias: string, span: Span, facts: Facts, problems: Problems): JsonObject | undefined {
    const found = this.#models.get(alias);
    if (found !== undefined) return { ...found, dialect: { ...found.dialect } };
    if (!this.#usable || this.#models.has(alias)) return undefined;
    if (this.#file === undefined) {
      // The first alias that is met stands for all: one line mends them.
      if (this.#told) return undefined;
      this.#told = true;
      problems.add(span, 'CJE-UNKNOWN-MODEL-ALIAS', `The model alias '${alias}' stands for nothing`, {
        facts: [...(this.#profile === undefined ? [] : [['profile', this.#profile] as const]), ...facts],
        hint: "Give the pipeline a profile with 'providers:', the path of a provider file.",
      });
      return undefined;
    }
    problems.add(span, 'CJE-UNKNOWN-MODEL-ALIAS', `There is no model alias '${alias}'`, {
      facts: [
        ...(this.#profile === undefined ? [] : [['profile', this.#profile] as const]),
        ['providers', this.#file],
        ...facts,
      ],
      hint: suggest(alias, this.#models.keys(), 'model alias'),
    });
    return undefined;
  }
}
