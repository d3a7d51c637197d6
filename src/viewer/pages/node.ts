/** One node: what it is made of, how complete it is, what it measured, and its rows. */

import type { JsonObject } from '../../core/json.ts';
import { writes } from '../../core/kind.ts';
import { servedText } from '../../core/served-model.ts';
import { usageText } from '../../core/usage.ts';
import { ESTIMATES } from '../../datasets/row-types.ts';
import { type Content, html, type Markup } from '../../text/html.ts';
import { dollars } from '../../text/money.ts';
import { count } from '../../text/numbers.ts';
import { jsonBlock } from '../../text/verbatim.ts';
import { type BuildSource, NOW } from '../model/build-source.ts';
import type { NumberColumn } from '../model/number-column.ts';
import type { OpenBuild } from '../model/open-build.ts';
import type { ShownNode } from '../model/open-node.ts';
import type { RowPage, RowQuery } from '../model/row-page.ts';
import { liveness, type Page } from '../parts/layout.ts';
import { links, rowFields } from '../parts/links.ts';
import { alike, cell, completeness, facts, lacking, options, pager, state, table, time } from '../parts/parts.ts';
import { progressBar } from './graph.ts';
import { missingPage } from './problem.ts';

export async function nodePage(run: OpenBuild, name: string, query: RowQuery, source: BuildSource): Promise<Page> {
  const node = run.node(name);
  if (node === undefined) return missingPage(`There is no node ${name} in this build.`, run);
  const progress = node.action === undefined && node.asks ? run.progress(name) : undefined;
  const page = run.rows(name, query);
  const columns = page === undefined ? [] : run.columns(name);
  const body = html`<h1>${name}</h1>
${nodeFacts(node)}
${node.note !== '' && html`<p class="note">${node.note}</p>`}
${progress !== undefined && html`<p>${progressBar(progress)} items settled.</p>`}
${node.action === undefined && run.record !== undefined && html`<p><a href="${links.node(NOW, name)}">As it stands now</a></p>`}
${standing(run, node)}
${await numbers(columns)}
${page !== undefined && page.total > 0 && rows(run, node, page, query)}
${files(run, node)}
<details><summary>Parameters</summary>${jsonBlock(node.params)}</details>`;
  return { title: name, tab: 'graph', run, body, ...(node.action === undefined ? liveness(run, source) : {}) };
}

function nodeFacts({
  kind,
  definition,
  state: how,
  summary,
  action,
  asks,
  bought,
  billed,
  reproduce,
}: ShownNode): Markup {
  const missing = lacking(summary);
  const tallies = summary?.calls ?? [];
  return facts([
    ['state', state(how)],
    ['kind', kind],
    summary !== undefined && summary.items > 0 && ['items', completeness(summary)],
    missing !== '' && [writes(definition, ESTIMATES) ? 'cells' : 'without a result', missing],
    ...tallies.map(
      ({ model, calls, inputTokens, outputTokens }) =>
        [model, `${count(calls)} calls, ${count(inputTokens)} tokens in, ${count(outputTokens)} out`] as const,
    ),
    ...tallies.flatMap((tally) => {
      const text = servedText(tally);
      return text === undefined ? [] : [['answered', html`<span class="warn">${text}</span>`] as const];
    }),
    ...tallies.flatMap((tally) => {
      const text = usageText(tally);
      return text === undefined ? [] : [['usage', html`<span class="warn">${text}</span>`] as const];
    }),
    asks &&
      bought !== null && ['bought by this build', html`${count(bought)}${billed !== null && `, ${dollars(billed)}`}`],
    asks && action !== undefined && ['from nothing', dollars(reproduce)],
    action !== undefined && ['made', time(action.finishedAt)],
    action !== undefined && ['key', html`<code>${action.key}</code>`],
  ]);
}

function standing(run: OpenBuild, { inputs, name }: ShownNode): Markup {
  const link = (node: string) => html`<a href="${links.node(run.id, node)}">${node}</a>`;
  const above = run.nodes.filter((other) => other.inputs.some(({ node }) => node === name));
  const list = (title: string, nodes: readonly string[]) =>
    nodes.length > 0 &&
    html`<div><dt>${title}</dt><dd>${nodes.map((node, index) => [index > 0 && html` · `, link(node)])}</dd></div>`;
  return html`<dl class="standing">${list('Stands on', [...new Set(inputs.map(({ node }) => node))])}${list(
    'Is read by',
    above.map((other) => other.name),
  )}</dl>`;
}

async function numbers(columns: readonly NumberColumn[]): Promise<Markup | null> {
  if (columns.length === 0) return null;
  const [first] = columns as readonly [NumberColumn];
  let figure: Markup | null = null;
  if (first.histogram.length > 0) {
    const [{ histogramChart }, { drawChart }] = await Promise.all([
      import('../../report/charts/histogram.ts'),
      import('../../report/charts/chart.ts'),
    ]);
    const { name, n, mean, histogram: counts } = first;
    const [from, , , , to] = first.quantiles;
    const chart = histogramChart({ name, n, mean, from, to, counts }, 'var(--blue)');
    figure = html`<figure class="spread"><figcaption>How <b>${name}</b> is spread over ${count(n)} rows.</figcaption>${drawChart(chart, 'spread')}</figure>`;
  }
  const headings = ['Column', 'n', 'Mean', 'SD', 'Min', '25 %', 'Median', '75 %', 'Max'];
  const summary = table(
    'Numbers',
    headings.map((name, index) => ({ name, numeric: index > 0 })),
    columns.map(({ name, n, mean, standardDeviation, quantiles }) => [
      name,
      count(n),
      ...alike([mean, standardDeviation, ...quantiles]),
    ]),
  );
  const all =
    columns.length > 3
      ? html`<details><summary>All ${columns.length} columns of numbers</summary>${summary}</details>`
      : summary;
  return html`<section id="numbers"><h2>Numbers</h2>${figure}${all}</section>`;
}

/** Names first, then what is said of the row; texts and the rest after them. */
function firstColumns({ asks, definition }: ShownNode): string[] {
  // What was not asked for is repeated from other nodes.
  const measures = asks ? (definition?.measures ?? []) : [];
  return ['policy', 'prompt_id', 'status', ...measures.map(({ column }) => column), ...RESULT];
}
const RESULT = ['estimate', 'lower', 'upper', 'gate'];
const MOST_COLUMNS = 14;

function rows(run: OpenBuild, node: ShownNode, page: RowPage, query: RowQuery): Markup {
  const names = new Set(page.rows.flatMap(({ row }) => Object.keys(row)));
  const first = firstColumns(node);
  const columns = [...first.filter((name) => names.has(name)), ...[...names].filter((name) => !first.includes(name))];
  const shown = columns.slice(0, MOST_COLUMNS);
  const sortable = new Set(page.sortable);
  const headings = [
    { name: '#', numeric: true },
    ...shown.map((name) => {
      if (!sortable.has(name)) return { name };
      const sorted = query.sort === name;
      const to = links.node(run.id, node.name, {
        ...query,
        sort: name,
        descending: sorted ? !query.descending : true,
        offset: 0,
      });
      const arrow = sorted && html` ${query.descending ? '↓' : '↑'}`;
      return {
        name: html`<a href="${to}#rows">${name}${arrow}</a>`,
        numeric: true,
        ...(sorted ? { sorted: query.descending ? ('descending' as const) : ('ascending' as const) } : {}),
      };
    }),
    ...(node.asks ? [{ name: '' }] : []),
  ];
  // Numbers of a column are written alike, so that they stand under each other.
  const numbersOf = new Map(shown.map((name) => [name, columnOf(page, name)]));
  const body = page.rows.map(({ index, item, row }, place) => [
    count(index),
    ...shown.map((name) => numbersOf.get(name)?.[place] ?? rowCell(run, name, row)),
    ...(node.asks ? [html`<a href="${links.calls(run.id, node.name, item)}">calls</a>`] : []),
  ]);
  const statuses = [
    { value: '', label: `All ${count(page.total)}` },
    ...Object.entries(page.statuses).map(([status, number]) => ({
      value: status,
      label: `${status} (${count(number)})`,
    })),
  ];
  const kept = rowFields({ sort: query.sort, descending: query.descending });
  return html`<section id="rows"><h2>Rows</h2>
<form class="filter" method="get" action="#rows" data-auto>
<label>Search <input type="search" name="q" value="${query.text}" placeholder="any text of a row"></label>
${statuses.length > 2 && html`<label>Status <select name="status">${options(statuses, query.status)}</select></label>`}
${Object.entries(kept).map(([name, value]) => value !== undefined && html`<input type="hidden" name="${name}" value="${value}">`)}
<button>Apply</button>
</form>
${
  page.rows.length === 0
    ? html`<p>No row is like that.</p>`
    : table(
        'Rows',
        headings,
        body,
        columns.length > shown.length ? `The first ${shown.length} of ${columns.length} columns.` : undefined,
      )
}
${pager({ ...query, selected: page.selected, at: (offset) => `${links.node(run.id, node.name, { ...query, offset })}#rows` })}</section>`;
}

/** The texts of a column that has numbers alone; undefined for any other. */
function columnOf({ rows: all }: RowPage, name: string): readonly (string | null)[] | undefined {
  const values = all.map(({ row }) => row[name] ?? null);
  if (!values.every((value) => value === null || typeof value === 'number')) return undefined;
  const texts = alike(values.filter((value) => value !== null));
  return values.map((value) => (value === null ? null : texts.shift()!));
}

function rowCell(run: OpenBuild, name: string, row: JsonObject): Content {
  const value = row[name];
  if (name === 'prompt_id' && typeof value === 'string' && !/\p{Surrogate}/u.test(value)) {
    return html`<a href="${links.item(run.id, value)}">${cell(value)}</a>`;
  }
  if (name === 'status' && value !== 'ok') return html`<span class="warn">${cell(value)}</span>`;
  return cell(value);
}

function files(run: OpenBuild, { name, outputs }: ShownNode): Markup | null {
  const entries = Object.entries(outputs);
  if (entries.length === 0) return null;
  return html`<section id="files"><h2>Files</h2>
${table(
  'Files',
  [{ name: 'File' }, { name: 'Bytes', numeric: true }, { name: 'Digest' }],
  entries.map(([file, { size, digest }]) => [
    html`<a href="${links.file(run.id, name, file)}">${file}</a>`,
    count(size),
    html`<code>${digest}</code>`,
  ]),
)}</section>`;
}
