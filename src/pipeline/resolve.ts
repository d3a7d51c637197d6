/**
 * Turns parameters as they are written into the values that enter keys, by the marks of the kind's schema: files into
 * their content, aliases into models, paths into absolute paths. The result keeps every place, so that a mistake in
 * `configs/policies/x.yaml` names that file.
 */

import type { z } from 'zod';
import type { JsonObject } from '../core/json.ts';
import { type FoundMark, paramMark } from '../core/params.ts';
import { withIdentities } from '../core/prices.ts';
import type { Files } from './files.ts';
import { reportUnknownKey } from './issues.ts';
import type { ModelTable } from './models.ts';
import type { Facts, Problems } from './problems.ts';
import type { Market } from './provider-file.ts';
import { branches, childSchema, definition, dropsUnknownKeys, keysOf, unwrap, writtenBranch } from './schemas.ts';
import { wholeOf } from './source.ts';
import { type Entry, entry, type MapTree, type Tree, textOf, treeOf } from './tree.ts';

/** Lets the checks on the rest of a config file run, though its model is not known. */
const NO_MODEL: JsonObject = {
  identity: '',
  model: '',
  dialect: { template: '', bos: 'server', tokenLimit: 'max_tokens', temperature: true, echoTokens: 0, extra: {} },
};

/** Who sells at which prices, beside those of a table. */
type PricedMarket = Pick<Market, 'providers' | 'otherPrices'>;

export class Resolver {
  readonly #files: Files;
  readonly #models: ModelTable;
  readonly #market: PricedMarket | undefined;
  readonly #problems: Problems;
  /** Content of config files, by the schema that reads it: many nodes share one file. */
  readonly #contents = new WeakMap<z.ZodType, Map<string, Tree>>();
  /** Config files whose own parameters are being resolved. */
  readonly #open = new Set<string>();
  /** Path parameters as written, by absolute path. */
  readonly writtenPaths = new Map<string, string>();

  constructor(files: Files, models: ModelTable, market: PricedMarket | undefined, problems: Problems) {
    this.#files = files;
    this.#models = models;
    this.#market = market;
    this.#problems = problems;
  }

  /** `facts` say whose parameters these are. */
  resolve(tree: Tree, schema: z.ZodType, facts: Facts, what = 'parameter'): Tree {
    if (tree.type === 'broken' || tree.type === 'absent') return tree;
    const branch = writtenBranch(schema, tree);
    const found = paramMark(branch);
    if (found !== undefined) return isNull(tree) ? tree : this.#marked(tree, found, facts);
    if (tree.type === 'list') {
      const items = tree.items.map((item, index) => {
        const child = childSchema(branch, index);
        return child === undefined ? item : this.resolve(item, child, facts, what);
      });
      return { ...tree, items };
    }
    return tree.type === 'map' ? this.#map(tree, chosen(branch, tree), facts, what) : tree;
  }

  #map(tree: MapTree, schema: z.ZodType, facts: Facts, what: string): Tree {
    const strict = dropsUnknownKeys(schema);
    const known = strict ? new Set(keysOf(schema)) : undefined;
    const entries = new Map<string, Entry>();
    for (const [key, { key: span, value }] of tree.entries) {
      // zod would drop a key that a plain object schema does not know; here nothing is ever dropped in silence.
      if (known !== undefined && !known.has(key))
        reportUnknownKey(key, [], { tree, schema, what, facts }, this.#problems);
      const child = childSchema(schema, key);
      entries.set(key, { key: span, value: child === undefined ? value : this.#child(value, child, facts, what) });
    }
    return { ...tree, entries };
  }

  /** null stands for `not given` wherever the schema gives null no meaning of its own. */
  #child(value: Tree, schema: z.ZodType, facts: Facts, what: string): Tree {
    if (isNull(value) && schema.safeParse(undefined).success && !schema.safeParse(null).success) {
      return { ...value, type: 'absent' };
    }
    return this.resolve(value, schema, facts, what);
  }

  #marked(tree: Tree, found: FoundMark, facts: Facts): Tree {
    switch (found.mark) {
      case 'model':
        return this.#model(tree, facts);
      case 'text-file': {
        // A path is one line: a text of several is the text itself.
        if (textOf(tree)?.includes('\n') === true) return tree;
        const file = this.#files.open(tree, 'a text file', facts);
        if (file === undefined) return { type: 'broken', span: tree.span };
        return { type: 'scalar', value: file.source.text, span: wholeOf(file.source) };
      }
      case 'yaml-file':
        // What could stand in a file of its own may as well stand here.
        if (tree.type === 'map') return this.#inside(tree, found.schema, facts);
        return this.#content(tree, found.schema, facts);
      case 'prices-file':
        return this.#prices(tree, found.schema, facts);
      case 'path':
        return this.#path(tree, found, facts);
    }
  }

  #prices(tree: Tree, schema: z.ZodType, facts: Facts): Tree {
    const content = tree.type === 'map' ? this.#inside(tree, schema, facts) : this.#content(tree, schema, facts);
    // A provider file that holds its prices itself, or names their table, is as good as that.
    const inside = entry(content, 'prices')?.value;
    const isProviderFile = entry(content, 'providers') !== undefined;
    if (inside === undefined && isProviderFile) {
      this.#problems.add(content.span, 'CJE-MISSING-VALUE', 'This provider file has no prices', {
        facts,
        hint: 'Add `prices:` with a `date:` and the models, or name another file of prices.',
      });
      return { type: 'broken', span: content.span };
    }
    const named = isProviderFile && inside?.type === 'scalar' ? this.#content(inside, schema, facts) : content;
    const table = inside?.type === 'map' ? inside : named;
    const models = entry(table, 'models');
    if (table.type !== 'map' || models?.value.type !== 'map') return table;
    const { providers = [], otherPrices = [] } = this.#market ?? {};
    const entries = withIdentities(models.value.entries, providers);
    // What the table does not name is priced as the build prices it, and a part of the key as well.
    for (const { identity, model, price } of otherPrices) {
      const exact = `${identity}/${model}`;
      if (!entries.has(exact) && !entries.has(model)) {
        entries.set(exact, { key: tree.span, value: treeOf(price, tree.span) });
      }
    }
    return {
      ...table,
      entries: new Map(table.entries).set('models', { ...models, value: { ...models.value, entries } }),
    };
  }

  #content(tree: Tree, schema: z.ZodType, facts: Facts): Tree {
    const broken: Tree = { type: 'broken', span: tree.span };
    const file = this.#files.open(tree, 'a YAML file', facts);
    if (file === undefined) return broken;
    let contents = this.#contents.get(schema);
    if (contents === undefined) {
      contents = new Map();
      this.#contents.set(schema, contents);
    }
    const known = contents.get(file.path);
    if (known !== undefined) return known;
    if (this.#open.has(file.path)) {
      this.#problems.add(tree.span, 'CJE-FILE-CYCLE', `'${textOf(tree)}' is a part of itself`, { facts });
      return broken;
    }
    this.#open.add(file.path);
    const written = this.#files.yaml(file.path, file.source);
    const content = written === undefined ? broken : this.#inside(written, schema, facts);
    this.#open.delete(file.path);
    contents.set(file.path, content);
    return content;
  }

  #inside(written: Tree, schema: z.ZodType, facts: Facts): Tree {
    const branch = unwrap(schema);
    if (written.type === 'map') return this.#map(written, chosen(branch, written), facts, 'key');
    if (written.type !== 'list') return written;
    const items = written.items.map((item, index) => {
      const child = childSchema(branch, index);
      return child === undefined ? item : this.resolve(item, child, facts, 'key');
    });
    return { ...written, items };
  }

  #path(tree: Tree, found: FoundMark, facts: Facts): Tree {
    const written = textOf(tree);
    if (written === undefined || written === '') return tree;
    if (found.path.keep?.includes(written)) return tree;
    if (found.path.urls === true && /^https?:\/\//i.test(written)) return tree;
    const path = this.#files.locate(written, tree);
    const trouble = this.#files.trouble(path);
    const waited = found.path.optional === true && !this.#files.exists(path);
    if (trouble !== undefined && !waited) {
      this.#files.complain(tree.span, written, path, trouble, facts);
      return { type: 'broken', span: tree.span };
    }
    this.writtenPaths.set(path, written);
    return { ...tree, type: 'scalar', value: path };
  }

  #model(tree: Tree, facts: Facts): Tree {
    const alias = textOf(tree);
    if (alias === undefined) return tree;
    const found = this.#models.find(alias, tree.span, facts, this.#problems);
    return found === undefined ? { type: 'broken', span: tree.span, standIn: NO_MODEL } : treeOf(found, tree.span);
  }
}

const isNull = (tree: Tree): boolean => tree.type === 'scalar' && tree.value === null;

/** Of several object branches the one whose literal members (`type: judge`) the mapping has; the schema itself otherwise. */
function chosen(schema: z.ZodType, tree: MapTree): z.ZodType {
  const objects = branches(schema).filter((branch) => definition(branch).type === 'object');
  if (objects.length < 2) return schema;
  const fitting = objects.filter((branch) =>
    Object.entries(definition(branch).shape ?? {}).every(([key, child]) => {
      if (definition(unwrap(child)).type !== 'literal') return true;
      const value = tree.entries.get(key)?.value;
      return child.safeParse(value?.type === 'scalar' ? value.value : undefined).success;
    }),
  );
  return fitting.length === 1 ? fitting[0]! : schema;
}
