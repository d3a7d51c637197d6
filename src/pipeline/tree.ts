/** Values that know where they were written: what YAML becomes here, and what interpolation and resolution turn over. */

import type { Json, JsonPrimitive } from '../core/json.ts';
import type { Span } from './source.ts';

interface Written {
  readonly span: Span;
  /** Set on a value that a `${name}` brought here: `span` is then the reference, and this is the variable's own place. */
  readonly from?: { readonly variable: string; readonly span: Span };
}

export interface ScalarTree extends Written {
  readonly type: 'scalar';
  readonly value: JsonPrimitive;
}
interface ListTree extends Written {
  readonly type: 'list';
  readonly items: readonly Tree[];
}
export interface MapTree extends Written {
  readonly type: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
}
/** An entry that counts as not written, such as an optional parameter whose variable is null. */
interface AbsentTree extends Written {
  readonly type: 'absent';
}
/** Something whose mistake is reported already; whatever depends on it is passed over in silence. */
interface BrokenTree extends Written {
  readonly type: 'broken';
  /** A value of the right shape, so that the checks on its neighbours still run. */
  readonly standIn?: Json;
}
export type Tree = ScalarTree | ListTree | MapTree | AbsentTree | BrokenTree;

export interface Entry {
  readonly key: Span;
  readonly value: Tree;
}

/** The plain value; absent parts are left out, broken ones too unless something stands in for them. */
export function plain(tree: Tree): Json | undefined {
  switch (tree.type) {
    case 'scalar':
      return tree.value;
    case 'list':
      return tree.items.map((item) => plain(item) ?? null);
    case 'map': {
      const object: Record<string, Json> = {};
      for (const [key, entry] of tree.entries) {
        const value = plain(entry.value);
        if (value !== undefined) object[key] = value;
      }
      return object;
    }
    case 'absent':
      return undefined;
    case 'broken':
      return tree.standIn;
  }
}

/** The tree of a plain value, all of it at one place. */
export function treeOf(value: Json, span: Span): Tree {
  if (Array.isArray(value)) return { type: 'list', items: value.map((item) => treeOf(item, span)), span };
  if (typeof value !== 'object' || value === null) return { type: 'scalar', value: value as JsonPrimitive, span };
  const entries = new Map<string, Entry>();
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) entries.set(key, { key: span, value: treeOf(member as Json, span) });
  }
  return { type: 'map', entries, span };
}

/** The value under `key`, if the tree is a mapping that has it. */
export function member(tree: Tree | undefined, key: string): Tree | undefined {
  return entry(tree, key)?.value;
}

export function entry(tree: Tree | undefined, key: string): Entry | undefined {
  return tree?.type === 'map' ? tree.entries.get(key) : undefined;
}

/** The entries of a mapping; none of anything else. */
export function entriesOf(tree: Tree | undefined): readonly (readonly [string, Entry])[] {
  return tree?.type === 'map' ? [...tree.entries] : [];
}

/** The text of a scalar that holds one. */
export function textOf(tree: Tree | undefined): string | undefined {
  return tree?.type === 'scalar' && typeof tree.value === 'string' ? tree.value : undefined;
}

interface LocatedValue {
  /** Where to put the caret: the value, or the key under which it is missing. */
  readonly span: Span;
  /** The value itself, when the path leads all the way. */
  readonly tree?: Tree;
  /** True when the path meets something broken: its mistake is reported already. */
  readonly broken: boolean;
  /** How many steps of the path lead into the file in which it ends; 0 when it never leaves the first. */
  readonly outside: number;
}

/** Follows a path of keys and indices as far as it leads. */
export function follow(root: Tree, path: readonly PropertyKey[]): LocatedValue {
  let tree = root;
  let span = root.span;
  let outside = 0;
  for (const [index, step] of path.entries()) {
    if (tree.type === 'broken') return { span, broken: true, outside };
    const next = stepInto(tree, step);
    if (next === undefined) return { span, broken: false, outside };
    tree = next.value;
    const enters = tree.from === undefined && tree.span.source !== next.key.source;
    if (enters && tree.type !== 'scalar') outside = index + 1;
    // A caret under a whole mapping says less than one under the key that opens it.
    span = tree.type === 'scalar' || tree.from !== undefined || enters ? tree.span : next.key;
  }
  return { span, tree, broken: tree.type === 'broken', outside };
}

function stepInto(tree: Tree, step: PropertyKey): Entry | undefined {
  if (tree.type === 'map') return tree.entries.get(String(step));
  if (tree.type !== 'list') return undefined;
  const item = tree.items[Number(step)];
  return item === undefined ? undefined : { key: item.span, value: item };
}
