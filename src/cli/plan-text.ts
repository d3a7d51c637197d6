/** A plan for people: what runs and why, what it costs, and how that compares. */

import type { Graph } from '../core/graph.ts';
import type { Plan, PlannedNode } from '../engine/plan.ts';
import { count, dollars, duration, table } from '../ui/format.ts';

export function planText(plan: Plan, graph: Graph, options: { readonly verbose: boolean }): string {
  const running = plan.nodes.filter((node) => node.action === 'run');
  const cached = plan.nodes.length - running.length;
  const title = `${plan.experiment}, profile ${plan.profile}: ${plan.targets.join(', ')}\n`;
  if (running.length === 0) return `${title}\nNothing to do: ${count(plan.nodes.length)} nodes up to date, 0 calls.\n`;
  // Nodes that buy nothing are many and say little.
  const buying = running.filter((node) => node.calls > 0);
  const free = options.verbose ? [] : running.filter((node) => node.calls === 0);
  const shown = options.verbose ? plan.nodes : buying;
  const rows = shown.map((node) => [
    node.node,
    count(node.items),
    count(node.hits),
    `${node.exact ? '' : '≤ '}${count(node.calls)}`,
    costOf(node),
    node.action === 'cached' ? 'up to date' : node.reason,
  ]);
  const header = ['node', 'items', 'hits', 'calls', 'dollars', 'why'];
  const body = table([header, ...rows], { align: ['left', 'right', 'right', 'right', 'right', 'left'] });
  const lines = rows.length === 0 ? [title] : [title, body, ''];
  if (free.length > 0) lines.push(...freeText(free), '');
  lines.push(`${count(running.length)} nodes to run, ${count(cached)} up to date.`);
  lines.push(`Calls    ${plan.exact ? '' : 'at most '}${count(plan.calls)}`);
  lines.push(`Tokens   about ${count(plan.inputTokens)} in, ${count(plan.outputTokens)} out`);
  lines.push(`Dollars  ${dollarsText(plan)}`);
  lines.push(`Time     about ${duration(plan.minutes * 60_000)} at the configured limits`);
  const { reference } = graph;
  if (reference !== undefined) {
    lines.push('');
    lines.push(
      `For comparison, ${reference.name}: ${count(reference.calls)} calls, ${dollars(reference.dollars)}, ${reference.time}.`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Nodes that buy nothing, by reason. */
function freeText(nodes: readonly PlannedNode[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const { node, reason } of nodes) byReason.set(reason, [...(byReason.get(reason) ?? []), node]);
  const rows = [...byReason].map(([reason, names]) => {
    const [first = '', ...more] = names;
    return [more.length === 0 ? first : `${first} and ${count(more.length)} more`, reason];
  });
  return ['Run, and buy nothing:', table(rows)];
}

function costOf(node: PlannedNode): string {
  if (node.models.length === 0) return '';
  let total = 0;
  for (const { expected } of node.models) {
    if (expected === null) return '?';
    total += expected;
  }
  return dollars(total);
}

function dollarsText(plan: Plan): string {
  if (plan.dollars === null) return `unknown: no price for ${plan.unpriced.join(', ')}`;
  const { low, expected, high } = plan.dollars;
  const simulated = plan.realDollars === 0 && expected > 0 ? ' (simulated: nothing is charged)' : '';
  return `${dollars(low)} – ${dollars(expected)} – ${dollars(high)} (low, expected, high)${simulated}`;
}
