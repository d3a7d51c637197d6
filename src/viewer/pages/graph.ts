/** The graph: every node with its state, how complete it is and what it cost. */

import type { NodeAtWork } from '../../core/build-progress.ts';
import { duration } from '../../text/duration.ts';
import { type Content, html, type Markup } from '../../text/html.ts';
import { dollars } from '../../text/money.ts';
import { count, percent, rate } from '../../text/numbers.ts';
import { type BuildSource, NOW } from '../model/build-source.ts';
import type { Progress } from '../model/item-calls.ts';
import type { OpenBuild } from '../model/open-build.ts';
import type { ShownNode } from '../model/open-node.ts';
import { liveness, type Page } from '../parts/layout.ts';
import { links } from '../parts/links.ts';
import { completeness, facts, groupedTable, lacking, state } from '../parts/parts.ts';
import { type Stage, stageGraph, stagesOf } from '../parts/stage-graph.ts';

export function graphPage(run: OpenBuild, source: BuildSource): Page {
  const stages = stagesOf(run.nodes);
  const atWork = atWorkOn(run, source);
  const body = html`<h1>Graph</h1>
${totals(run)}
${stages.length > 0 && stageGraph(stages, boxWords, ({ name }) => `#${anchorOf(name)}`)}
${nodesTable(run, stages, atWork)}`;
  return { title: 'Graph', tab: 'graph', run, body, ...liveness(run, source) };
}

/** What a running build says of each node that it makes; undefined where none runs, or it is not what is shown. */
function atWorkOn(run: OpenBuild, source: BuildSource): AtWork | undefined {
  if (run.id !== NOW || source.building() === undefined) return undefined;
  return (name) => source.progress()?.active[name];
}

type AtWork = (node: string) => NodeAtWork | undefined;

const anchorOf = (stage: string): string => `stage-${encodeURIComponent(stage)}`;

function totals({ nodes, record }: OpenBuild): Markup {
  const of = (state: ShownNode['state']) => nodes.filter((node) => node.state === state).length;
  const states = (['done', 'refused', 'incomplete', 'failed', 'skipped', 'stale'] as const)
    .map((each) => [each, of(each)] as const)
    .filter(([, number]) => number > 0);
  const sum = nodes.reduce<number | null>(
    (total, { reproduce, action }) =>
      action === undefined ? total : total === null || reproduce === null ? null : total + reproduce,
    0,
  );
  return facts([
    ...states.map(([each, number]) => [count(number), state(each)] as const),
    record !== undefined && ['billed', dollars(record.totals.cost.billed)],
    ['to make what is there from nothing', dollars(sum)],
  ]);
}

function boxWords({ nodes }: Stage): string {
  const done = nodes.filter(({ state: each }) => each === 'done' || each === 'refused').length;
  const items = nodes.reduce((sum, { summary }) => sum + (summary?.items ?? 0), 0);
  const of = done === nodes.length ? `${count(done)} nodes` : `${count(done)} of ${count(nodes.length)}`;
  const number = nodes.length === 1 ? '' : of;
  const rows = items === 0 ? '' : `${count(items)} rows`;
  return [number, rows].filter((part) => part !== '').join(' · ') || nodes[0]!.kind;
}

function nodesTable(run: OpenBuild, stages: readonly Stage[], atWork: AtWork | undefined): Markup {
  const past = run.record !== undefined;
  const headings = [
    { name: 'Node' },
    { name: 'State' },
    { name: 'Items', numeric: true },
    { name: 'Calls behind it', numeric: true },
    ...(past || atWork !== undefined
      ? [
          { name: 'Bought', numeric: true },
          { name: 'Billed', numeric: true },
        ]
      : []),
    { name: 'From nothing', numeric: true },
    { name: '' },
  ];
  const groups = stages.map(({ name, nodes }) => {
    const kind = nodes[0]?.kind ?? '';
    return {
      id: anchorOf(name),
      title: html`${name}${kind !== '' && kind !== name && html` <span class="faint">kind ${kind}</span>`}`,
      rows: nodes.map((node) => nodeCells(run, node, atWork)),
    };
  });
  return groupedTable('Nodes', headings, groups);
}

function nodeCells(run: OpenBuild, node: ShownNode, atWork: AtWork | undefined): Content[] {
  const { name, summary, note, reproduce } = node;
  const calls = summary?.calls.reduce((sum, tally) => sum + tally.calls, 0) ?? 0;
  const working = atWork?.(name);
  const counted =
    working === undefined && atWork !== undefined && node.state === 'stale' ? run.progress(name) : undefined;
  const missing = lacking(summary);
  const words = working !== undefined ? leftText(working) : counted !== undefined ? '' : note === '' ? missing : note;
  return [
    html`<a href="${links.node(run.id, name)}">${name}</a>`,
    working === undefined && !begun(counted)
      ? state(node.state)
      : html`<span class="state building">being built</span>`,
    itemsCell(working, counted) ?? completeness(summary),
    node.asks && summary !== undefined ? count(calls) : null,
    ...(run.record !== undefined || atWork !== undefined ? spentCells(node, working) : []),
    node.asks && summary !== undefined ? dollars(reproduce) : null,
    words === '' ? null : html`<span class="faint small">${words}</span>`,
  ];
}

/** Some of its replies are there, though the build has not said yet that it makes it. */
const begun = (counted: Progress | undefined): counted is Progress => counted !== undefined && counted.done > 0;

function itemsCell(working: NodeAtWork | undefined, counted: Progress | undefined): Markup | undefined {
  if (begun(counted)) return progressBar(counted);
  if (working === undefined || working.items === null) return undefined;
  return progressBar({ done: working.done, items: working.items, estimated: false });
}

function spentCells({ asks, bought, billed }: ShownNode, working: NodeAtWork | undefined): Content[] {
  if (working !== undefined && asks) return [count(working.bought), dollars(working.cost)];
  return [asks && bought !== null ? count(bought) : null, asks && billed !== null ? dollars(billed) : null];
}

/** Such as `41.3/s, about 12 s left`. */
function leftText({ rate: calls, remaining }: NodeAtWork): string {
  return [calls === null ? '' : rate(calls), remaining === null ? '' : `about ${duration(remaining)} left`]
    .filter((part) => part !== '')
    .join(', ');
}

export function progressBar({ done, items, estimated }: Progress): Markup {
  const share = items === 0 ? 0 : done / items;
  return html`<progress value="${done}" max="${items}">${percent(share)}</progress> ${estimated && html`about `}${count(done)} of ${count(items)}`;
}
