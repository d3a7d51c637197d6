/** Puts nodes after what they depend on, and finds circles. */

import type { Connected } from './inputs.ts';
import type { Problems } from './problems.ts';
import { pointTo, type Span } from './source.ts';

interface Connectable {
  readonly name: string;
  readonly stage: string;
  readonly inputs: Readonly<Record<string, Connected>>;
}

/** The nodes in topological order, otherwise as they came. A circle is reported as a path, once for its stages. */
export function topological<N extends Connectable>(nodes: readonly N[], problems: Problems): N[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const ordered: N[] = [];
  const settled = new Set<string>();
  const path: Step<N>[] = [];
  const circles = new Set<string>();

  const visit = (node: N, span: Span | undefined, misfit = false): void => {
    if (settled.has(node.name)) return;
    const start = path.findIndex((step) => step.node === node);
    if (start !== -1) {
      report([...path.slice(start), { node, span, misfit }], circles, problems);
      return;
    }
    path.push({ node, span, misfit });
    for (const input of Object.values(node.inputs)) {
      for (const [index, { node: upstream }] of input.nodes.entries()) {
        visit(byName.get(upstream)!, input.spans[index], input.misfit);
      }
    }
    path.pop();
    settled.add(node.name);
    ordered.push(node);
  };
  for (const node of nodes) visit(node, undefined);
  return ordered;
}

interface Step<N> {
  readonly node: N;
  /** The input that asks for it, and whether it is told already that it does not fit there. */
  readonly span: Span | undefined;
  readonly misfit: boolean;
}

/** @param circle from a node back to itself */
function report(circle: readonly Step<Connectable>[], circles: Set<string>, problems: Problems): void {
  // Who mends the wire opens the circle.
  if (circle.slice(1).some(({ misfit }) => misfit)) return;
  // The nodes of one matrix go in circles together: one of them is enough.
  const stages = [...new Set(circle.map(({ node }) => node.stage))].sort().join('\n');
  if (circles.has(stages)) return;
  circles.add(stages);
  const names = circle.map(({ node }) => node.name);
  const facts = circle
    .slice(1)
    .map(({ node, span }, index) => [names[index]!, `reads '${node.name}' (${pointTo(span!)})`] as const);
  problems.add(circle[1]!.span, 'CJE-STAGE-CYCLE', `The stages go in a circle: ${names.join(' → ')}`, {
    facts,
    hint: 'One of these inputs must go.',
  });
}
