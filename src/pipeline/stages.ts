/** Expands each stage into its nodes: one for each combination of its matrix. */

import type { Kind } from '../core/kind.ts';
import { nearest } from '../core/problem.ts';
import { oddSegment } from './glob.ts';
import { interpolate, type Scope } from './interpolate.ts';
import { type Facts, type Problems, suggest } from './problems.ts';
import { stageFile } from './schema.ts';
import { pointTo, type Span } from './source.ts';
import { type Entry, entriesOf, entry, member, plain, type Tree, textOf } from './tree.ts';

/** A node whose inputs and parameters are not looked at yet. */
export interface Draft {
  readonly name: string;
  readonly stage: Stage;
  /** The matrix variables of this node before the pipeline's own. */
  readonly scope: Scope;
  readonly facts: Facts;
}

export interface Stage {
  readonly name: string;
  readonly key: Span;
  /** Undefined for a kind that does not exist: the stage's names and references can be checked all the same. */
  readonly kind: Kind | undefined;
  /** The tree under the stage's name. */
  readonly tree: Tree;
}

export interface Expansion {
  /** In the order of pipeline.yaml, then of the matrix. */
  readonly drafts: readonly Draft[];
  /** Stages whose nodes are not known, for a mistake in their name or matrix. */
  readonly broken: ReadonlySet<string>;
}

/** True when a pattern may mean nodes that are not known because of a mistake that is reported already. */
export function mayBeBroken(pattern: string, broken: ReadonlySet<string>): boolean {
  const first = pattern.split('/')[0]!;
  return [...broken].some((stage) => first.includes('*') || stage.split('/')[0] === first);
}

export function expandStages(
  stages: Tree | undefined,
  kinds: ReadonlyMap<string, Kind>,
  variables: Scope,
  problems: Problems,
): Expansion {
  const drafts: Draft[] = [];
  const broken = new Set<string>();
  const taken = new Map<string, { readonly name: string; readonly span: Span }>();
  const told = new Set<number>();
  for (const [name, { key, value: tree }] of entriesOf(stages)) {
    const kind = readKind(tree, kinds, problems);
    const combinations = combine(member(tree, 'matrix'), variables, problems);
    if (combinations === undefined || misspeltMatrix(tree) || name.split('/').some((part) => oddSegment(part))) {
      broken.add(name);
      continue;
    }
    const stage: Stage = { name, key, kind, tree };
    for (const combination of combinations) {
      const node = [name, ...combination.map(({ text }) => text)].join('/');
      const span = combination.at(-1)?.span ?? key;
      // `out/` has a folder for each node, and not every disk tells capitals apart.
      const other = taken.get(node.toLowerCase());
      if (other !== undefined) {
        const same = other.name === node;
        // Every stage of that matrix has the two; the value is one mistake.
        if (!same && told.has(span.start)) continue;
        told.add(span.start);
        problems.add(
          span,
          'CJE-NODE-TWICE',
          same ? `Two nodes are named '${node}'` : `'${other.name}' and '${node}' differ in case alone`,
          {
            facts: [['first at', pointTo(other.span)]],
            hint: 'Rename one of them: a node is found, and its output stored, by its name.',
          },
        );
        continue;
      }
      taken.set(node.toLowerCase(), { name: node, span });
      const values = new Map(combination.map(({ variable, value }) => [variable, value]));
      drafts.push({
        name: node,
        stage,
        scope: {
          lookUp: (variable) => values.get(variable) ?? variables.lookUp(variable),
          names: () => [...values.keys(), ...variables.names()],
        },
        facts: [['node', node]],
      });
    }
  }
  return { drafts, broken };
}

/** A stage that means a matrix and misspells it would only give a second mistake for each use of its variables. */
function misspeltMatrix(stage: Tree): boolean {
  const known = Object.keys(stageFile.shape);
  return (
    entry(stage, 'matrix') === undefined &&
    entriesOf(stage).some(([key]) => !known.includes(key) && nearest(key, known) === 'matrix')
  );
}

function readKind(stage: Tree, kinds: ReadonlyMap<string, Kind>, problems: Problems): Kind | undefined {
  const written = entry(stage, 'kind');
  const name = textOf(written?.value);
  if (name === undefined) return undefined;
  const variants = [...kinds.values()].filter(({ variant }) => variant?.of === name);
  if (variants.length > 0) return readVariant(stage, written!, variants, problems);
  const kind = kinds.get(name);
  if (kind !== undefined && kind.variant === undefined) return kind;
  const known = new Set([...kinds].map(([each, { variant }]) => variant?.of ?? each));
  problems.add(written!.value.span, 'CJE-UNKNOWN-KIND', `There is no kind '${name}'`, {
    hint: suggest(name, known, 'kind'),
  });
  return undefined;
}

/** Which of the kinds of one name a parameter means. */
function readVariant(stage: Tree, kind: Entry, variants: readonly Kind[], problems: Problems): Kind | undefined {
  const { param } = variants[0]!.variant!;
  const words = variants.map(({ variant }) => variant!.word);
  const written = entry(member(stage, 'params'), param);
  const word = textOf(written?.value);
  const found = variants.find(({ variant }) => variant!.word === word);
  if (found !== undefined) return found;
  if (written?.value.type === 'broken') return undefined;
  if (word === undefined) {
    problems.add(written?.value.span ?? kind.value.span, 'CJE-MISSING-VALUE', `'${param}' is missing`, {
      hint: `Say what the rows are: \`${param}: ${words.join(' | ')}\` under 'params:'.`,
    });
  } else {
    problems.add(written!.value.span, 'CJE-BAD-VALUE', `'${param}' cannot be '${word}'`, {
      hint: suggest(word, words, param),
    });
  }
  return undefined;
}

interface Choice {
  readonly variable: string;
  readonly value: Tree;
  readonly text: string;
  readonly span: Span;
}

/** Every combination, the last variable varying fastest; one empty combination without a matrix; undefined for a mistake. */
function combine(matrix: Tree | undefined, variables: Scope, problems: Problems): Choice[][] | undefined {
  let combinations: Choice[][] = [[]];
  let broken = matrix !== undefined && matrix.type !== 'map';
  for (const [variable, { key, value }] of entriesOf(matrix)) {
    // Any other shape is reported with the shape of the file.
    if (value.type !== 'list' && textOf(value) === undefined) {
      broken = true;
      continue;
    }
    const choices = choose(variable, key, interpolate(value, variables, problems), problems);
    if (choices === undefined) broken = true;
    else combinations = combinations.flatMap((before) => choices.map((choice) => [...before, choice]));
  }
  return broken ? undefined : combinations;
}

function choose(variable: string, key: Span, list: Tree, problems: Problems): Choice[] | undefined {
  if (list.type === 'broken') return undefined;
  if (list.type !== 'list') {
    const from: Facts = list.from === undefined ? [] : [['from', pointTo(list.from.span)]];
    // Every stage that uses a variable would tell of it.
    problems.add(list.from?.span ?? list.span, 'CJE-NOT-A-LIST', `The matrix variable '${variable}' must be a list`, {
      facts: from,
      ...(list.type === 'scalar' && list.value !== null ? { hint: `Write it as [${String(list.value)}].` } : {}),
    });
    return undefined;
  }
  if (list.items.length === 0) {
    problems.add(list.from?.span ?? key, 'CJE-EMPTY-MATRIX', `The matrix variable '${variable}' has no values`, {
      facts: list.from === undefined ? [] : [['from', pointTo(list.from.span)]],
      hint: 'A stage without nodes does nothing: give it a value, or remove the stage.',
    });
    return undefined;
  }
  const choices: Choice[] = [];
  let broken = false;
  for (const value of list.items) {
    const text = value.type === 'scalar' && value.value !== null ? String(value.value) : undefined;
    const odd = text === undefined ? 'is not a word or number' : oddSegment(text);
    if (value.type === 'broken') broken = true;
    else if (text === undefined || odd !== undefined) {
      const shown = JSON.stringify(plain(value) ?? null);
      problems.add(
        value.span,
        'CJE-BAD-NAME',
        `${shown} cannot be a value of the matrix variable '${variable}': it ${odd}`,
        {
          hint: "Matrix values become parts of nodes' names; use a short word, and look its meaning up in a config file.",
        },
      );
      broken = true;
    } else if (choices.some((choice) => choice.text === text)) {
      problems.add(value.span, 'CJE-NODE-TWICE', `'${text}' is given twice: two nodes would have one name`, {
        facts: [['matrix', variable]],
        hint: 'Remove one of them.',
      });
    } else choices.push({ variable, value, text, span: value.span });
  }
  return broken ? undefined : choices;
}
