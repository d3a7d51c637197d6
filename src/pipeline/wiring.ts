/** Asks each kind about its node together with what it depends on, before anything runs. */

import type { JsonObject } from '../core/json.ts';
import type { Kind, WiredNode, WiringFault } from '../core/kind.ts';
import type { Connected } from './inputs.ts';
import type { Facts, Problems } from './problems.ts';
import type { Span } from './source.ts';
import { follow, type Tree } from './tree.ts';

/** A node with the places of what is written of it. */
export interface PlacedNode {
  readonly name: string;
  readonly kind: Kind | undefined;
  readonly params: JsonObject;
  /** The resolved parameters with their places; undefined where they have mistakes of their own. */
  readonly resolved: Tree | undefined;
  readonly inputs: Readonly<Record<string, Connected>>;
  readonly key: Span;
  readonly facts: Facts;
}

/** Reports what kinds find wrong. A node whose own parameters, or any below it, are at fault is left out. */
export function checkWiring(nodes: readonly PlacedNode[], problems: Problems): void {
  const placed = new Map(nodes.map((node) => [node.name, node]));
  const sound = new Map<string, boolean>();
  // Inputs come first in the order of the graph, so those of a node are judged before it.
  for (const node of nodes) {
    const below = Object.values(node.inputs).flatMap(({ nodes: of }) => of.map(({ node: name }) => name));
    const isSound =
      node.kind !== undefined && node.resolved !== undefined && below.every((name) => sound.get(name) === true);
    sound.set(node.name, isSound);
    if (!isSound) continue;
    const { kind } = wired('', node, placed);
    for (const fault of kind.check?.(node.params as never, (name) => inputsOf(node, name, placed)) ?? []) {
      const { id = 'CJE-WIRING', message, hint } = fault;
      problems.add(placeOfFault(node, fault), id, message, {
        facts: node.facts,
        hint,
      });
    }
  }
}

function placeOfFault({ inputs, key, resolved }: PlacedNode, { at }: WiringFault): Span {
  if ('input' in at) return inputs[at.input]?.spans[0] ?? key;
  return resolved === undefined ? key : follow(resolved, at.param).span;
}

function inputsOf({ inputs }: PlacedNode, name: string, placed: ReadonlyMap<string, PlacedNode>): readonly WiredNode[] {
  return (inputs[name]?.nodes ?? []).map(({ label, node }) => wired(label, placed.get(node)!, placed));
}

function wired(label: string, node: PlacedNode, placed: ReadonlyMap<string, PlacedNode>): WiredNode {
  const { name, kind, params } = node;
  return { name, label, kind: kind!, params, inputs: (input) => inputsOf(node, input, placed) };
}
