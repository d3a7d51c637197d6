/**
 * `${name}`: as a whole value it brings the variable's value with its type; inside a text it brings its characters.
 * `$${` writes a literal `${`.
 */

import { listed, type Problems, suggest } from './problems.ts';
import { pointTo, type Span } from './source.ts';
import { type Entry, plain, type ScalarTree, type Tree } from './tree.ts';

/** Names that can be interpolated here. */
export interface Scope {
  /** The value; broken when its mistake is reported already; undefined when no such name is declared. */
  lookUp(name: string): Tree | undefined;
  names(): readonly string[];
}

export const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const REFERENCE = /\$\$\{|\$\{([^}]*)\}|\$\{/g;

/** The tree with every reference resolved. Mistakes are added to `problems`, and leave a broken part behind. */
export function interpolate(tree: Tree, scope: Scope, problems: Problems): Tree {
  switch (tree.type) {
    case 'list':
      return { ...tree, items: tree.items.map((item) => interpolate(item, scope, problems)) };
    case 'map': {
      const entries = new Map<string, Entry>();
      for (const [key, entry] of tree.entries) {
        entries.set(key, { key: entry.key, value: interpolate(entry.value, scope, problems) });
      }
      return { ...tree, entries };
    }
    case 'scalar':
      return typeof tree.value === 'string' && tree.value.includes('${')
        ? fill(tree, tree.value, scope, problems)
        : tree;
    case 'absent':
    case 'broken':
      return tree;
  }
}

function fill(tree: ScalarTree, text: string, scope: Scope, problems: Problems): Tree {
  const whole = /^\$\{([^}]*)\}$/.exec(text);
  if (whole !== null) {
    const name = whole[1]!.trim();
    const value = find(name, referenceSpan(tree, 0, whole[0]), scope, problems);
    if (value === undefined || value.type === 'broken') return { type: 'broken', span: tree.span };
    return { ...value, span: tree.span, from: { variable: name, span: value.from?.span ?? value.span } };
  }
  let broken = false;
  let nth = 0;
  const filled = text.replace(REFERENCE, (found, inner: string | undefined) => {
    if (found === '$${') return '${';
    const span = referenceSpan(tree, nth++, found);
    const characters = inner === undefined ? unclosed(span, problems) : textFor(inner.trim(), span, scope, problems);
    if (characters === undefined) broken = true;
    return characters ?? '';
  });
  return broken ? { type: 'broken', span: tree.span } : { ...tree, value: filled };
}

function unclosed(span: Span, problems: Problems): undefined {
  problems.add(span, 'CJE-BAD-REFERENCE', "'${' is never closed", {
    hint: "Write '$${' for the characters themselves.",
  });
  return undefined;
}

function textFor(name: string, span: Span, scope: Scope, problems: Problems): string | undefined {
  const value = find(name, span, scope, problems);
  if (value === undefined || value.type === 'broken') return undefined;
  if (value.type === 'scalar' && value.value !== null) return String(value.value);
  const what = value.type === 'list' ? 'a list' : value.type === 'map' ? 'a mapping' : 'null';
  problems.add(span, 'CJE-BAD-REFERENCE', `'${name}' is ${what}, which cannot stand inside a text`, {
    facts: [['declared', pointTo(value.from?.span ?? value.span)]],
    ...(value.type === 'list'
      ? { hint: `To make a node for each of ${elements(value)}, list them under 'matrix:'.` }
      : { hint: `Write '\${${name}}' as the whole value, or give it a text.` }),
  });
  return undefined;
}

function elements(tree: Tree): string {
  const value = plain(tree);
  return Array.isArray(value) ? listed(value.map(String)) : '';
}

function find(name: string, span: Span, scope: Scope, problems: Problems): Tree | undefined {
  const value = scope.lookUp(name);
  if (value !== undefined) return value;
  if (name === '') problems.add(span, 'CJE-BAD-REFERENCE', "'$' and braces must name a variable");
  else {
    problems.add(span, 'CJE-UNKNOWN-VARIABLE', `There is no variable '${name}'`, {
      hint: suggest(name, scope.names(), 'variable'),
    });
  }
  return undefined;
}

/** Where the nth reference of a scalar stands; its whole value where escapes hide the place. */
function referenceSpan(tree: ScalarTree, nth: number, reference: string): Span {
  const { source, start, end } = tree.span;
  // A value that a variable brought is not spelt out here.
  const written = source.text.slice(start, end);
  let count = 0;
  for (const match of written.matchAll(REFERENCE)) {
    if (match[0] === '$${') continue;
    if (count++ === nth && match[0] === reference) {
      return { source, start: start + match.index, end: start + match.index + reference.length };
    }
  }
  return tree.span;
}
