/** Connects nodes: finds what each input's pattern means, and checks it against what the kind takes. */

import type { GraphInput } from '../core/graph.ts';
import { fits, type InputSlot, type Kind, mayBeAbsent, takesMany, typesOf } from '../core/kind.ts';
import { nearest } from '../core/problem.ts';
import { compileGlob, oddPattern } from './glob.ts';
import { interpolate } from './interpolate.ts';
import { type Facts, listed, type Problems, suggest } from './problems.ts';
import type { Span } from './source.ts';
import { type Draft, type Expansion, mayBeBroken, type Stage } from './stages.ts';
import { entriesOf, entry, member, type Tree, textOf } from './tree.ts';

/** An input with the place that asks for each of its nodes. */
export interface Connected extends GraphInput {
  readonly spans: readonly Span[];
  /** A node does not write what the input takes: that is told, and what else comes of the wire is no second mistake. */
  readonly misfit?: true;
}

export class Connector {
  readonly #problems: Problems;
  readonly #broken: ReadonlySet<string>;
  /** By stage name, then in the order of the matrix: an order that moving stages about does not change. */
  readonly #names: readonly string[];
  readonly #stages: ReadonlyMap<string, readonly string[]>;
  readonly #stageOf: ReadonlyMap<string, Stage>;
  /** Patterns that were told of. */
  readonly #unmatched = new Set<string>();

  constructor(expansion: Expansion, problems: Problems) {
    this.#problems = problems;
    this.#broken = expansion.broken;
    const stages = new Map<string, string[]>();
    for (const { name, stage } of expansion.drafts) stages.set(stage.name, [...(stages.get(stage.name) ?? []), name]);
    this.#stages = stages;
    this.#stageOf = new Map(expansion.drafts.map(({ name, stage }) => [name, stage]));
    this.#names = [...stages.keys()].sort().flatMap((stage) => stages.get(stage)!);
  }

  /** The inputs of a node in the order of its kind, without the optional ones that are not given. */
  connect(draft: Draft): Record<string, Connected> {
    const { kind, tree } = draft.stage;
    const written = member(tree, 'inputs');
    if (kind !== undefined) checkNames(draft.stage, kind, written, this.#problems);
    const slots = kind?.inputs ?? Object.fromEntries(entriesOf(written).map(([name]) => [name, ANY]));
    const connected: Record<string, Connected> = {};
    for (const [name, slot] of Object.entries(slots)) {
      const value = entry(written, name)?.value;
      if (value === undefined) continue;
      const found = this.#input(name, slot, interpolate(value, draft.scope, this.#problems), draft);
      if (found !== undefined) connected[name] = found;
    }
    return connected;
  }

  #input(name: string, slot: InputSlot, value: Tree, draft: Draft): Connected | undefined {
    const { arity } = slot;
    const patterns = value.type === 'list' ? value.items : [value];
    if (patterns.length === 0) {
      this.#problems.add(value.span, 'CJE-MISSING-INPUT', `The input '${name}' names no node`, {
        hint: 'Give it a node or a glob.',
      });
      return undefined;
    }
    if (value.type === 'list' && !takesMany(arity)) {
      this.#problems.add(
        value.span,
        'CJE-INPUT-TAKES-ONE',
        `The input '${name}' of kind '${draft.stage.kind?.name}' takes one node, not a list`,
      );
      return undefined;
    }
    const nodes: { label: string; node: string }[] = [];
    const spans: Span[] = [];
    const told = this.#problems.count;
    const labels = new Map<string, string>();
    let fitting = true;
    for (const pattern of patterns) {
      const matched = this.#match(name, pattern, draft);
      fitting = this.#checkFit(name, slot, pattern, matched, draft) && fitting;
      for (const { label: open, node } of matched) {
        if (nodes.some((found) => found.node === node)) continue;
        // Labels of several globs could meet, so a list is labelled by the nodes' whole names.
        const label = takesMany(arity) && patterns.length > 1 ? node : open;
        const other = labels.get(label);
        if (other !== undefined) {
          this.#problems.add(
            pattern.span,
            'CJE-INPUT-AMBIGUOUS',
            `The input '${name}' cannot tell '${other}' from '${node}'`,
            {
              facts: [['left open', label]],
              hint: 'List several globs: then nodes go by their whole names.',
            },
          );
          return undefined;
        }
        labels.set(label, node);
        nodes.push({ label, node });
        spans.push(pattern.span);
      }
    }
    if (nodes.length === 0) return undefined;
    const misfit = fitting ? {} : ({ misfit: true } as const);
    if (takesMany(arity)) return { arity: 'many', nodes, spans, ...misfit };
    if (nodes.length > 1) {
      // Of nodes that do not fit it does not matter how many they are.
      if (this.#problems.count > told) return undefined;
      this.#problems.add(
        value.span,
        'CJE-INPUT-TAKES-ONE',
        `The input '${name}' of kind '${draft.stage.kind?.name}' takes one node`,
        {
          facts: [['matched', listed(nodes.map(({ node }) => node))], ...draft.facts],
          hint: 'Name one of them.',
        },
      );
      return undefined;
    }
    return { arity: 'one', nodes: [{ label: '', node: nodes[0]!.node }], spans, ...misfit };
  }

  #match(input: string, pattern: Tree, draft: Draft): readonly { label: string; node: string }[] {
    const text = textOf(pattern);
    if (text === undefined) {
      if (pattern.type !== 'broken') {
        this.#problems.add(
          pattern.span,
          'CJE-BAD-PATTERN',
          `The input '${input}' must be the name of a node, or a glob`,
        );
      }
      return [];
    }
    const odd = oddPattern(text);
    if (odd !== undefined) {
      this.#problems.add(pattern.span, 'CJE-BAD-PATTERN', `The input '${input}' is '${text}', which ${odd}`, {
        facts: draft.facts,
      });
      return [];
    }
    const glob = compileGlob(text);
    const matched = this.#names.flatMap((node) => {
      const label = glob.match(node);
      return label === undefined ? [] : [{ label, node }];
    });
    // Where the stage is there its matrix is the mistake, whoever reads it.
    const again = this.#stages.has(text.split('/')[0]!) && this.#unmatched.has(text);
    if (matched.length === 0 && !again && !mayBeBroken(text, this.#broken)) {
      this.#unmatched.add(text);
      this.#problems.add(pattern.span, 'CJE-UNKNOWN-NODE', `The input '${input}' matches no node`, {
        facts: [['pattern', text], ...draft.facts],
        hint: this.#hint(text),
      });
    }
    return matched;
  }

  /** Reports nodes that do not write what the input takes; false where there are any. */
  #checkFit(
    input: string,
    slot: InputSlot,
    pattern: Tree,
    matched: readonly { readonly node: string }[],
    draft: Draft,
  ): boolean {
    if (slot.asking === true && !this.#checkAsking(input, pattern, matched, draft)) return false;
    const odd = new Map<string, string>();
    for (const { node } of matched) {
      const { name, kind } = this.#stageOf.get(node)!;
      if (kind !== undefined && !fits(slot, kind) && !odd.has(name)) odd.set(name, node);
    }
    for (const [stage, node] of odd) {
      const made = quoted(
        typesOf(this.#stageOf.get(node)!.kind).map(({ name }) => name),
        'and',
      );
      const taken = quoted(
        (slot.rows ?? []).map(({ name }) => name),
        'or',
      );
      this.#problems.add(
        pattern.span,
        'CJE-INPUT-MISFIT',
        `The input '${input}' takes ${taken}, and the stage '${stage}' makes ${made === '' ? 'no rows' : made}`,
        { facts: [['wired to', node], ...draft.facts], hint: this.#fitting(slot, draft.stage) },
      );
    }
    return odd.size === 0;
  }

  /** Reports a pattern of which no node asks a model; one of several may be a node that combines what others asked. */
  #checkAsking(input: string, pattern: Tree, matched: readonly { readonly node: string }[], draft: Draft): boolean {
    const asks = ({ kind }: Stage) => kind === undefined || kind.shape === 'calls';
    const [first] = matched;
    if (first === undefined || matched.some(({ node }) => asks(this.#stageOf.get(node)!))) return true;
    const stages = [...new Set([...this.#stageOf.values()].filter(asks).map(({ name }) => name))];
    this.#problems.add(
      pattern.span,
      'CJE-INPUT-MISFIT',
      `The input '${input}' takes stages that ask a model, and the stage '${this.#stageOf.get(first.node)!.name}' asks none`,
      {
        facts: [['wired to', first.node], ...draft.facts],
        hint: stages.length === 0 ? 'No stage here asks a model.' : `Stages that would fit: ${listed(stages)}.`,
      },
    );
    return false;
  }

  /** Where the matrix of a stage leaves more open than a pattern of so many parts says. */
  #finer(stage: string, parts: number): string | undefined {
    const [node] = this.#stages.get(stage) ?? [];
    if (node === undefined || node.split('/').length - 1 <= parts) return undefined;
    const again = this.#stageOf.get(node)?.kind?.again;
    return `The nodes of '${stage}' have ${node.split('/').length} parts, such as ${node}.${again === undefined ? '' : ` ${again}`}`;
  }

  #fitting(slot: InputSlot, own: Stage): string {
    const stages = new Set([...this.#stageOf.values()].filter(({ name }) => name !== own.name));
    const fitting = [...stages].flatMap(({ name, kind }) => (kind !== undefined && fits(slot, kind) ? [name] : []));
    return fitting.length === 0 ? 'No stage here makes that.' : `Stages that would fit: ${listed(fitting)}.`;
  }

  #hint(pattern: string): string {
    const nodes = this.#stages.get(pattern);
    if (nodes !== undefined) return `'${pattern}' is a stage of ${nodes.length} nodes: ${listed(nodes)}.`;
    const [first, ...rest] = pattern.split('/');
    const finer = this.#finer(first!, rest.length);
    if (finer !== undefined) return finer;
    const near = nearest(pattern, this.#names);
    if (near !== undefined) return `Did you mean '${near}'?`;
    const stages = [...this.#stages.keys()];
    const stage = nearest(first!, stages);
    if (stage === undefined) return `Stages: ${listed(stages)}.`;
    if (stage !== first) return `Did you mean '${[stage, ...rest].join('/')}'?`;
    return `The nodes of '${stage}' are ${listed(this.#stages.get(stage)!)}.`;
  }
}

/** What a kind that does not exist takes. */
const ANY: InputSlot = { arity: 'many' };

function quoted(names: readonly string[], word: 'and' | 'or'): string {
  const marked = names.map((name) => `'${name}'`);
  return marked.length < 2 ? marked.join('') : `${marked.slice(0, -1).join(', ')} ${word} ${marked.at(-1)}`;
}

/** Names that the kind does not know, and those it needs and does not get. */
function checkNames(stage: Stage, kind: Kind, written: Tree | undefined, problems: Problems): void {
  const known = Object.keys(kind.inputs);
  const given = entriesOf(written);
  const misspelt = new Set<string>();
  for (const [name, { key }] of given) {
    if (known.includes(name)) continue;
    const free = known.filter((candidate) => entry(written, candidate) === undefined);
    misspelt.add(nearest(name, free) ?? '');
    problems.add(key, 'CJE-UNKNOWN-INPUT', `The kind '${kind.name}' has no input '${name}'`, {
      hint: known.length === 0 ? 'It takes no inputs.' : suggest(name, free.length > 0 ? free : known, 'input'),
    });
  }
  if (written !== undefined && written.type !== 'map') return;
  for (const name of known) {
    if (mayBeAbsent(kind.inputs[name]!.arity) || entry(written, name) !== undefined || misspelt.has(name)) continue;
    const facts: Facts = [['kind', kind.name]];
    problems.add(
      entry(stage.tree, 'inputs')?.key ?? stage.key,
      'CJE-MISSING-INPUT',
      `The stage '${stage.name}' lacks the input '${name}'`,
      {
        facts,
        hint: `Add '${name}:' under 'inputs:'.`,
      },
    );
  }
}
