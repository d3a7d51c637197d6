/** The graph: every node with its state, how complete it is and what it cost. */

import { type Content, html, type Markup } from '../../text/html.ts';
import { dollars } from '../../text/money.ts';
import { count, percent } from '../../text/numbers.ts';
import { type BuildSource, NOW } from '../model/build-source.ts';
import type { Progress } from '../model/item-calls.ts';
import type { OpenBuild } from '../model/open-build.ts';
import type { ShownNode } from '../model/open-node.ts';
import type { Page } from '../parts/layout.ts';
import { links } from '../parts/links.ts';
import { completeness, facts, groupedTable, lacking, state } from '../parts/parts.ts';
import { type Stage, stageGraph, stagesOf } from '../parts/stage-graph.ts';

/** Seconds between two looks at a build that runs. */
const REFRESH = 5;

export function graphPage(run: OpenBuild, source: BuildSource): Page {
  const stages = stagesOf(run.nodes);
  const running = run.id === NOW && source.building() !== undefined;
  const body = html`<h1>Graph</h1>
${totals(run)}
${stages.length > 0 && stageGraph(stages, boxWords, ({ name }) => `#${anchorOf(name)}`)}
${nodesTable(run, stages, running)}`;
  return { title: 'Graph', tab: 'graph', run, body, ...(running ? { refresh: REFRESH } : {}) };
}

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

function nodesTable(run: OpenBuild, stages: readonly Stage[], running: boolean): Markup {
  const past = run.record !== undefined;
  const headings = [
    { name: 'Node' },
    { name: 'State' },
    { name: 'Items', numeric: true },
    { name: 'Calls behind it', numeric: true },
    ...(past
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
      rows: nodes.map((node) => nodeCells(run, node, past, running)),
    };
  });
  return groupedTable('Nodes', headings, groups);
}

function nodeCells(run: OpenBuild, node: ShownNode, past: boolean, running: boolean): Content[] {
  const { name, summary, note, bought, billed, reproduce } = node;
  const calls = summary?.calls.reduce((sum, tally) => sum + tally.calls, 0) ?? 0;
  const progress = running && node.state === 'stale' ? run.progress(name) : undefined;
  const missing = lacking(summary);
  const words = progress !== undefined ? '' : note === '' ? missing : note;
  return [
    html`<a href="${links.node(run.id, name)}">${name}</a>`,
    progress === undefined ? state(node.state) : html`<span class="state building">being built</span>`,
    progress === undefined ? completeness(summary) : progressBar(progress),
    node.asks && summary !== undefined ? count(calls) : null,
    ...(past
      ? [node.asks && bought !== null ? count(bought) : null, node.asks && billed !== null ? dollars(billed) : null]
      : []),
    node.asks && summary !== undefined ? dollars(reproduce) : null,
    words === '' ? null : html`<span class="faint small">${words}</span>`,
  ];
}

export function progressBar({ done, items, estimated }: Progress): Markup {
  const share = items === 0 ? 0 : done / items;
  return html`<progress value="${done}" max="${items}">${percent(share)}</progress> ${estimated && html`about `}${count(done)} of ${count(items)}`;
}
