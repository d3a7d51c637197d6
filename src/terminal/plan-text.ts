/** A plan for people: what runs and why, what it costs, and how that compares. */

import type { Lane } from '../core/batch.ts';
import type { Graph } from '../core/graph.ts';
import { type Cause, causeText, reasonText, requestsText } from '../engine/cause.ts';
import { describeChanges } from '../engine/changes.ts';
import type { Plan, PlannedNode } from '../engine/plan/planned.ts';
import { duration } from '../text/duration.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { count } from '../text/numbers.ts';
import { counted } from '../text/plural.ts';
import { table } from '../text/table.ts';
import { wrap } from '../text/wrap.ts';

/** @param options.lane as `cje plan --lane` asks for it */
export function planText(
  plan: Plan,
  graph: Graph,
  options: { readonly verbose: boolean; readonly lane?: Lane | undefined },
): string {
  const running = plan.nodes.filter((node) => node.action === 'run');
  const lacking = plan.nodes.filter(({ why }) => why.type === 'incomplete');
  const cached = plan.nodes.length - running.length - lacking.length;
  const title = `${plan.experiment}, profile ${plan.profile}: ${plan.targets.join(', ')}`;
  const lines = [title, ''];
  if (lacking.length > 0) {
    lines.push('Not complete enough, so a build fails there (--retry-failed asks again for what is missing):');
    lines.push(...lacking.map(({ node, why, kind }) => `  ${node}: ${causeText(why, kind)}`), '');
  }
  if (running.length === 0) {
    lines.push(`Nothing to do: ${counted(cached, 'node')} up to date, 0 calls.`);
    return `${lines.join('\n')}\n`;
  }
  const asking = running.filter((node) => node.calls > 0 || node.hits > 0);
  if (asking.length > 0) lines.push(...askingText(options.verbose ? asking.map((node) => [node]) : groups(asking)), '');
  const free = running.filter((node) => node.calls === 0 && node.hits === 0);
  if (free.length > 0) lines.push('Run, and buy nothing:', ...freeText(free, options.verbose), '');
  lines.push(`${counted(running.length, 'node')} to run, ${count(cached)} up to date.`);
  lines.push(...totalsText(plan, options.lane));
  const { reference } = graph;
  if (reference !== undefined) {
    const { name, calls, dollars: cost, time } = reference;
    lines.push('', `For comparison, ${printable(name)}: ${count(calls)} calls, ${dollars(cost)}, ${printable(time)}.`);
  }
  return `${lines.join('\n')}\n`;
}

/** Nodes of one stage that differ in the last part of their name alone, and run for the same cause. */
function groups(nodes: readonly PlannedNode[]): PlannedNode[][] {
  const found = new Map<string, PlannedNode[]>();
  for (const node of nodes) {
    const folder = node.node.slice(0, node.node.lastIndexOf('/') + 1);
    const name = JSON.stringify([node.stage, folder, sharedCause(node)]);
    const group = found.get(name);
    if (group === undefined) found.set(name, [node]);
    else group.push(node);
  }
  return [...found.values()];
}

/** The cause without the names of the nodes that it waits for: each waits for its own. */
const sharedCause = ({ why, kind }: PlannedNode): readonly string[] =>
  why.type === 'waits' ? [why.type, describeChanges(why.changes, kind)] : [causeText(why, kind)];

function groupName(nodes: readonly PlannedNode[]): string {
  const [first] = nodes as [PlannedNode];
  if (nodes.length === 1) return first.node;
  return `${first.node.slice(0, first.node.lastIndexOf('/') + 1)}* (${count(nodes.length)})`;
}

/** A line of numbers for each group, and under it the reason. */
function askingText(all: readonly (readonly PlannedNode[])[]): string[] {
  const rows = all.map((nodes) => [
    groupName(nodes),
    count(sum(nodes, ({ items }) => items)),
    count(sum(nodes, ({ hits }) => hits)),
    `${nodes.every(({ exact }) => exact) ? '' : '≤ '}${count(sum(nodes, ({ calls }) => calls))}`,
    costOf(nodes),
  ]);
  const header = ['node', 'items', 'stored', 'calls', 'dollars'];
  const drawn = table([header, ...rows], { align: ['left', 'right', 'right', 'right', 'right'] }).split('\n');
  return drawn.flatMap((line, index) => {
    const nodes = all[index - 1];
    return nodes === undefined ? [line] : [line, `  ${printable(reasonOf(nodes))}`];
  });
}

function reasonOf(nodes: readonly PlannedNode[]): string {
  const [first] = nodes as [PlannedNode];
  const { why, kind } = first;
  if (nodes.length === 1) return reasonText(why, first.requests, kind);
  const cause = generalCause(nodes);
  const known = nodes.flatMap(({ requests }) =>
    requests !== undefined && requestsText(requests, why) !== '' ? [requests] : [],
  );
  const requests = {
    items: sum(nodes, ({ items }) => items),
    unsettled: sum(nodes, ({ unsettled }) => unsettled),
    edited: known.some(({ edited, unsettled }) => edited && unsettled > 0),
  };
  return reasonText(cause, known.length === 0 ? undefined : requests, kind);
}

/** The one cause of a group: nodes that wait for different ones of a folder wait for the folder. */
function generalCause(nodes: readonly PlannedNode[]): Cause {
  const [{ why }] = nodes as [PlannedNode];
  if (why.type !== 'waits' || new Set(nodes.map(({ waitsFor }) => waitsFor.join('\n'))).size === 1) return why;
  const waited = [...new Set(nodes.flatMap(({ waitsFor }) => waitsFor))];
  const [name = ''] = waited;
  return { ...why, on: waited.length === 1 ? waited : [`${name.slice(0, name.lastIndexOf('/') + 1)}*`] };
}

/** Nodes that buy nothing, by reason. */
function freeText(nodes: readonly PlannedNode[], verbose: boolean): string[] {
  if (verbose) return nodes.flatMap((node) => [`  ${node.node}`, `    ${printable(reasonOf([node]))}`]);
  return groups(nodes).map((group) => `  ${groupName(group)}: ${printable(reasonOf(group))}`);
}

function totalsText(plan: Plan, lane: Lane | undefined): string[] {
  const lines = [`Calls    ${plan.exact ? '' : 'at most '}${count(plan.calls)}`];
  if (plan.calls === 0) return lines;
  const bases = new Set(plan.models.map(({ basis }) => basis));
  const basis = bases.has('guessed')
    ? bases.has('recorded')
      ? 'partly recorded, partly guessed'
      : 'a guess: no like call is stored'
    : 'as recorded of like calls';
  lines.push(`Tokens   ${count(plan.inputTokens)} in, ${count(plan.outputTokens)} out (${basis})`);
  lines.push(...dollarsText(plan));
  lines.push(
    plan.minutes === 0
      ? 'Time     no provider in it has a limit'
      : `Time     ${duration(plan.minutes * 60_000)} at the configured limits`,
  );
  lines.push(...batchText(plan), ...laneText(plan, lane));
  if (plan.models.length > 1) lines.push('', modelsText(plan));
  return lines;
}

/** The other lane: what it would cost, how long it takes, and what must stay online. */
function batchText({ batch, calls, models }: Plan): string[] {
  if (batch === undefined) return [];
  const { online, expected } = batch;
  const price =
    online === null || expected === null
      ? 'an unknown price'
      : `${dollars(expected)} in place of ${dollars(online)}${online === 0 ? '' : `, ${Math.round((1 - expected / online) * 100)} % less`}`;
  const lines = wrap(
    `${count(batch.calls)} calls can wait up to 24 hours for ${price}: --lane batch`,
    WIDTH,
    LABEL,
    LABEL,
  );
  lines[0] = `Batches${lines[0]!.slice('Batches'.length)}`;
  const staying = calls - batch.calls;
  if (staying <= 0) return lines;
  const names = models
    .filter(({ batch: can, calls: own }) => own > (can?.calls ?? 0))
    .map(({ model }) => printable(model));
  return [
    ...lines,
    ...wrap(
      `${counted(staying, 'call')} cannot, and ${staying === 1 ? 'is' : 'are'} bought online: ${names.join(', ')}`,
      WIDTH,
      LABEL,
      LABEL,
    ),
  ];
}

/** What all of it comes to in the lane that was asked for. */
function laneText({ batch, dollars: all }: Plan, lane: Lane | undefined): string[] {
  if (lane === undefined) return [];
  if (lane === 'online') return ['Lane     online: the dollars above'];
  if (batch === undefined) return ['Lane     batch: none of these calls can wait, so the dollars above'];
  const { online, expected } = batch;
  const known = all !== null && online !== null && expected !== null;
  return [
    `Lane     batch: ${known ? `${dollars(all.expected - online + expected)} expected in all` : 'an unknown price'}`,
  ];
}

const WIDTH = 80;
/** Columns of the label that a total begins with. */
const LABEL = 9;

function modelsText(plan: Plan): string {
  const rows = plan.models.map(({ model, calls, inputTokens, outputTokens, expected }) => [
    model,
    count(calls),
    count(inputTokens),
    count(outputTokens),
    expected === null ? '?' : dollars(expected),
  ]);
  const header = ['model', 'calls', 'tokens in', 'out', 'dollars'];
  return table([header, ...rows], { align: ['left', 'right', 'right', 'right', 'right'] });
}

function costOf(nodes: readonly PlannedNode[]): string {
  let total = 0;
  for (const { expected } of nodes.flatMap((node) => node.models)) {
    if (expected === null) return '?';
    total += expected;
  }
  return dollars(total);
}

function dollarsText(plan: Plan): string[] {
  if (plan.dollars === null) return [`Dollars  unknown: no price for ${plan.unpriced.map(printable).join(', ')}`];
  const { low, expected, high, atMost } = plan.dollars;
  const notes = [
    ...(atMost === null ? [] : [`never above ${dollars(atMost)}`]),
    ...(plan.realDollars === 0 && expected > 0 ? ['simulated: nothing is charged'] : []),
  ];
  const lines = [`Dollars  ${dollars(low)} – ${dollars(expected)} – ${dollars(high)} (low, expected, high)`];
  return notes.length === 0 ? lines : [...lines, `         ${notes.join('; ')}`];
}

const sum = <T>(all: readonly T[], pick: (one: T) => number): number =>
  all.reduce((total, one) => total + pick(one), 0);
