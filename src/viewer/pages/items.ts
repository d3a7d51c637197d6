/** The items by prompt: searchable, and sorted so that what is worth reading comes first. */

import { type Content, html, type Markup } from '../../text/html.ts';
import { count } from '../../text/numbers.ts';
import type { BuildSource } from '../model/build-source.ts';
import { differenceName } from '../model/item-order.ts';
import type { ItemFilter, ItemLine, ItemPage, ItemQuery } from '../model/items.ts';
import type { OpenBuild } from '../model/open-build.ts';
import { liveness, type Page } from '../parts/layout.ts';
import { links } from '../parts/links.ts';
import { cell, decimalText, decimalWriter, natsText, options, pager, table } from '../parts/parts.ts';

export function itemsPage(run: OpenBuild, query: ItemQuery, source: BuildSource): Page {
  const page = run.items(query);
  if (page === undefined) {
    const body = html`<h1>Items</h1><p class="note">No prompts are there. See the <a href="${links.graph(run.id)}">graph</a> for what is.</p>`;
    return { title: 'Items', tab: 'items', run, body, ...liveness(run, source) };
  }
  const body = html`<h1>Items</h1>
${filter(run, page, query)}
${page.rows.length === 0 ? html`<p>No item is like that.</p>` : list(run, page, query)}
${pager({ ...query, selected: page.selected, at: (offset) => links.items(run.id, { ...query, offset }) })}
<p class="keys faint small"><kbd>/</kbd> search · <kbd>j</kbd> <kbd>k</kbd> or <kbd>←</kbd> <kbd>→</kbd> next and previous</p>`;
  return { title: 'Items', tab: 'items', run, wide: true, body, ...liveness(run, source) };
}

function filter(run: OpenBuild, page: ItemPage, query: ItemQuery): Markup {
  const { pair } = page;
  const only: readonly { readonly value: ItemFilter | ''; readonly label: string }[] = [
    { value: '', label: `All ${count(page.total)}` },
    { value: 'labelled', label: 'With a label' },
    { value: 'failures', label: 'With a failure' },
    ...(pair === undefined
      ? []
      : ([
          { value: 'differ', label: 'Scored differently' },
          { value: 'a-better', label: `${pair.a} better` },
          { value: 'b-better', label: `${pair.b} better` },
          { value: 'tied', label: 'Tied' },
        ] as const)),
  ];
  const compared = [{ value: '', label: '–' }, ...page.policies.map((policy) => ({ value: policy, label: policy }))];
  const scorers = page.scorers.map((scorer) => ({ value: scorer, label: scorer }));
  const orders = page.orders.map(({ key, label }) => ({ value: key, label }));
  return html`<form class="filter" method="get" data-auto>
<label>Search <input type="search" name="q" value="${query.text}" placeholder="prompts and responses"></label>
<label>Order <select name="order">${options(orders, page.order.key)}</select></label>
${scorers.length > 1 && html`<label>Judge <select name="scorer">${options(scorers, page.scorer)}</select></label>`}
${
  scorers.length > 0 &&
  page.policies.length > 1 &&
  html`<label>Compare <select name="a">${options(compared, query.a)}</select></label>
<label>with <select name="b">${options(compared, query.b)}</select></label>`
}
<label>Only <select name="only">${options(only, query.only === 'all' ? '' : query.only)}</select></label>
<button>Apply</button>
</form>${pair !== undefined && html`<p class="small"><a href="${links.pair(run.id, { ...pair, scorer: query.scorer })}">${pair.a} and ${pair.b} head to head</a></p>`}`;
}

function list(run: OpenBuild, page: ItemPage, query: ItemQuery): Markup {
  const { order, policies, logger, scorer, pair } = page;
  const byDifference = pair !== undefined && order.value === differenceName(pair);
  const labelled = page.rows.some(({ labels }) => labels.some((label) => label !== null));
  const texts = page.rows.some(({ prompt }) => prompt !== null);
  const failures = page.rows.some((row) => row.failures > 0);
  const headings = [
    { name: 'Item' },
    ...(texts ? [{ name: 'Prompt' }] : []),
    ...(order.value === '' ? [] : [{ name: order.value, numeric: true }]),
    ...(pair === undefined || byDifference ? [] : [{ name: differenceName(pair), numeric: true }]),
    ...(scorer === undefined
      ? []
      : policies.map((policy) => ({ name: policy === logger ? `${policy} (log)` : policy, numeric: true }))),
    ...(failures ? [{ name: 'Failures', numeric: true }] : []),
  ];
  const write: Writers = {
    score: decimalWriter(page.rows.flatMap(({ scores }) => scores)),
    label: decimalWriter(page.rows.flatMap(({ labels }) => labels)),
  };
  const rows = page.rows.map((line): Content[] => [
    html`<a href="${links.item(run.id, line.id, query)}">${cell(line.id)}</a>`,
    ...(texts ? [html`<span class="prompt">${cell(line.prompt, 110)}</span>`] : []),
    ...(order.value === ''
      ? []
      : [html`<b>${order.scale === 'nats' ? natsText(line.value) : decimalText(line.value)}</b>`]),
    ...(pair === undefined || byDifference ? [] : [decimalText(line.difference)]),
    ...(scorer === undefined ? [] : policies.map((_, at) => scoreCell(line, at, write))),
    ...(failures ? [line.failures > 0 ? html`<span class="warn">${count(line.failures)}</span>` : ''] : []),
  ]);
  const words =
    scorer === undefined
      ? 'Items.'
      : html`Scores by <b>${scorer}</b> of each policy${labelled && '; below them the oracle’s labels'}.`;
  return table('Items', headings, rows, words);
}

type Writers = Readonly<Record<'score' | 'label', (value: number | null) => string>>;

function scoreCell({ scores, labels }: ItemLine, at: number, write: Writers): Content {
  const label = labels[at] ?? null;
  return html`${write.score(scores[at] ?? null)}${label !== null && html`<br><span class="label">${write.label(label)}</span>`}`;
}
