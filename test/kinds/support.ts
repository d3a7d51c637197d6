/** Inputs of a kind, given as rows and texts instead of stored files. */

import type { JsonObject } from '../../src/core/json.ts';
import type { Input, Inputs, RowType } from '../../src/core/kind.ts';
import { ROWS } from '../../src/core/kind.ts';

export interface GivenFiles {
  readonly rows?: readonly object[];
  /** Other files of rows by name, and texts by name. */
  readonly files?: Readonly<Record<string, readonly object[] | string>>;
}

export function input({ rows = [], files = {} }: GivenFiles): Input {
  const all: Readonly<Record<string, readonly object[] | string>> = { [ROWS]: rows, ...files };
  return {
    summary: { items: rows.length, statuses: {}, calls: [] },
    rows: <R extends JsonObject = JsonObject>(_?: RowType<R>, file = ROWS) => all[file] as Iterable<R>,
    text: (file) => all[file] as string,
    files: () => Object.keys(all),
  };
}

/** A plain input is a `one`, a map of them a `many`. */
export function inputs(given: Readonly<Record<string, Input | ReadonlyMap<string, Input>>>): Inputs {
  const find = (name: string) => {
    const found = given[name];
    if (found === undefined) throw new Error(`no input ${name}`);
    return found;
  };
  return {
    one: (name) => find(name) as Input,
    many: (name) => find(name) as ReadonlyMap<string, Input>,
    has: (name) => name in given,
  };
}

export const many = (of: Readonly<Record<string, GivenFiles>>): ReadonlyMap<string, Input> =>
  new Map(Object.entries(of).map(([name, files]) => [name, input(files)]));
