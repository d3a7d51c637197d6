/** Reads YAML into trees that keep their places. Comments, key order, anchors and merges leave no trace in a tree. */

import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import type { Problems } from './problems.ts';
import { pointTo, type Source, type Span } from './source.ts';
import type { Entry, Tree } from './tree.ts';
import { firstFault, lackingColon } from './yaml-faults.ts';

/** Aliases may repeat a value, but not grow a small file into a huge tree. */
const MOST_VALUES = 100_000;

/** Whole numbers as they are written out; `1e300` claims no such exactness. */
const DIGITS = /^[-+]?(?:[0-9]+|0x[0-9a-f]+|0o[0-7]+)$/i;

interface YamlOptions {
  /**
   * Read `${name}` as plain text wherever it stands. Inside `{…}` and `[…]` YAML would take its braces for a mapping.
   */
  readonly interpolated: boolean;
  /** Where in the source the YAML begins; what is before it is not read. */
  readonly from?: number;
}

/** The document's tree, or undefined when it has mistakes; those are added to `problems`. */
export function readYaml(source: Source, problems: Problems, options: YamlOptions): Tree | undefined {
  const before = problems.count;
  const braces = options.interpolated ? maskBraces(source.text) : undefined;
  const { from = 0 } = options;
  const text = braces?.masked ?? source.text;
  const document = parseDocument(from === 0 ? text : ' '.repeat(from) + text.slice(from), {
    prettyErrors: false,
    // With `silent` a second document would be passed over.
    logLevel: 'error',
    stringKeys: true,
    uniqueKeys: false,
    resolveKnownTags: false,
  });
  const unmask = braces?.unmask ?? ((text: string) => text);
  const fault = firstFault(source.text, [...document.errors, ...document.warnings], unmask);
  if (fault !== undefined) {
    const { headline, hint, ...span } = fault;
    problems.add({ source, ...span }, 'CJE-BAD-YAML', headline, { hint });
  }
  if (problems.count > before) return undefined;
  const tree = new Reader(source, document, problems, unmask).read(document.contents as Node | null);
  return problems.count > before ? undefined : tree;
}

/**
 * Puts private-use characters in the place of the braces of each `${name}`, one for one, so that offsets stay true.
 */
function maskBraces(text: string): { masked: string; unmask: (text: string) => string } {
  const stand: string[] = [];
  for (let code = 0xe000; stand.length < 2; code++) {
    const character = String.fromCharCode(code);
    if (!text.includes(character)) stand.push(character);
  }
  const [open, close] = stand as [string, string];
  const masked = text.replace(/\$\{([^{}[\],:\n]*)\}/g, (_, name: string) => `$${open}${name}${close}`);
  return { masked, unmask: (value) => value.replaceAll(open, '{').replaceAll(close, '}') };
}

class Reader {
  readonly #source: Source;
  readonly #document: Document;
  readonly #problems: Problems;
  readonly #unmask: (text: string) => string;
  readonly #open = new Set<Node>();
  readonly #targets = new Map<Alias, Node>();
  #values = 0;

  constructor(source: Source, document: Document, problems: Problems, unmask: (text: string) => string) {
    this.#source = source;
    this.#document = document;
    this.#problems = problems;
    this.#unmask = unmask;
  }

  read(node: Node | null | undefined): Tree {
    const span = this.#spanOf(node);
    if (++this.#values > MOST_VALUES) return this.#broken(span, 'The aliases in this file multiply beyond all use');
    if (node === null || node === undefined) return { type: 'scalar', value: null, span };
    if (isAlias(node)) return this.#alias(node, span);
    if (isScalar(node)) return this.#scalar(node, span);
    if (isSeq(node)) return { type: 'list', items: node.items.map((item) => this.read(item as Node | null)), span };
    if (isMap<Node, Node | null>(node)) return this.#map(node, span);
    throw new Error('Internal error: a YAML node of an unknown type');
  }

  #alias(node: Alias, span: Span): Tree {
    // Finding an anchor searches the whole document, and an alias may be met many times.
    const target = this.#targets.get(node) ?? node.resolve(this.#document);
    if (target === undefined) return this.#broken(span, `There is no anchor '&${node.source}' above`);
    if (this.#open.has(target)) return this.#broken(span, `The alias '*${node.source}' stands inside what it repeats`);
    this.#targets.set(node, target);
    return this.read(target);
  }

  #scalar(node: Scalar, span: Span): Tree {
    const { value } = node;
    if (typeof value === 'string') return { type: 'scalar', value: this.#unmask(value), span };
    if (value === null || typeof value === 'boolean') return { type: 'scalar', value, span };
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      return this.#broken(span, 'This is not a number that a parameter can hold');
    }
    if (DIGITS.test(node.source ?? '') && !Number.isSafeInteger(value)) {
      return this.#broken(span, 'This whole number is too large to be held exactly', 'Quote it if it is a name.');
    }
    return { type: 'scalar', value: Object.is(value, -0) ? 0 : value, span };
  }

  #map(node: YAMLMap<Node, Node | null>, span: Span): Tree {
    this.#open.add(node);
    const entries = new Map<string, Entry>();
    const merged: Tree[] = [];
    for (const pair of node.items) {
      const key = this.#spanOf(pair.key);
      // `key:` with nothing behind it has a null without a place of its own.
      const value = pair.value === null ? ({ type: 'scalar', value: null, span: key } as const) : this.read(pair.value);
      const name = this.#unmask(String((pair.key as Scalar).value));
      const lacking = node.flow && pair.value === null && /[\s:]/.test(name) ? lackingColon(name) : undefined;
      if (lacking !== undefined) this.#broken(key, lacking.headline, lacking.hint);
      else if (name === '<<' && (pair.key as Scalar).type === 'PLAIN') merged.push(value);
      else if (name === '__proto__') this.#broken(key, `'__proto__' cannot be a key`);
      else if (entries.has(name)) this.#twice(name, key, entries.get(name)!.key);
      else entries.set(name, { key, value });
    }
    for (const tree of merged) this.#merge(entries, tree);
    this.#open.delete(node);
    return { type: 'map', entries, span };
  }

  /** What is written in the mapping itself wins over what is merged, and an earlier merge over a later one. */
  #merge(entries: Map<string, Entry>, tree: Tree): void {
    if (tree.type === 'list') for (const item of tree.items) this.#merge(entries, item);
    else if (tree.type === 'map') {
      for (const [name, entry] of tree.entries) if (!entries.has(name)) entries.set(name, entry);
    } else if (tree.type !== 'broken') {
      this.#broken(tree.span, `'<<' merges mappings, and this is none`);
    }
  }

  #twice(name: string, key: Span, first: Span): void {
    this.#problems.add(key, 'CJE-KEY-TWICE', `'${name}' is given twice`, {
      facts: [['first at', pointTo(first)]],
      hint: 'Rename or remove one of them.',
    });
  }

  #broken(span: Span, headline: string, hint?: string): Tree {
    this.#problems.add(span, 'CJE-BAD-YAML', headline, { hint });
    return { type: 'broken', span };
  }

  #spanOf(node: Node | null | undefined): Span {
    const [start, end] = node?.range ?? [0, 0];
    // A block collection's range runs on to the next key; its last line is enough.
    const text = this.#source.text.slice(start, end);
    return { source: this.#source, start, end: start + text.trimEnd().length };
  }
}
