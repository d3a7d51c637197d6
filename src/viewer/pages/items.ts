/** The items by prompt: searchable, and sorted so that what is worth reading comes first. */

import { type Content, html, Markup } from '../../text/html.ts';
import { count } from '../../text/numbers.ts';
import type { ItemLine, ItemPage, ItemQuery } from '../model/items.ts';
import type { OpenBuild } from '../model/open-build.ts';
import type { Page } from '../parts/layout.ts';
import { links } from '../parts/links.ts';
import { cell, decimalText, natsText, options, pager, table } from '../parts/parts.ts';

export function itemsPage(run: OpenBuild, query: ItemQuery): Page {
  const page = run.items(query);
  if (page === undefined) {
    const body = html`<h1>Items</h1><p class="note">No prompts are there. See the <a href="${links.graph(run.id)}">graph</a> for what is.</p>`;
    return { title: 'Items', tab: 'items', run, body };
  }
  const body = html`<h1>Items</h1>
${filter(page, query)}
${page.rows.length === 0 ? html`<p>No item is like that.</p>` : list(run, page, query)}
${pager({ ...query, selected: page.selected, at: (offset) => links.items(run.id, { ...query, offset }) })}
<p class="keys faint small"><kbd>/</kbd> search · <kbd>j</kbd> <kbd>k</kbd> or <kbd>←</kbd> <kbd>→</kbd> next and previous</p>`;
  return { title: 'Items', tab: 'items', run, wide: true, body };
}

function filter(page: ItemPage, query: ItemQuery): Markup {
  const only = [
    { value: '', label: `All ${count(page.total)}` },
    { value: 'labelled', label: 'With an oracle label' },
    { value: 'failures', label: 'With a failure' },
  ];
  const scorers = page.scorers.map((scorer) => ({ value: scorer, label: scorer }));
  const orders = page.orders.map(({ key, label }) => ({ value: key, label }));
  return html`<form class="filter" method="get" data-auto>
<label>Search <input type="search" name="q" value="${query.text}" placeholder="prompts and responses"></label>
<label>Order <select name="order">${options(orders, page.order.key)}</select></label>
${scorers.length > 1 && html`<label>Judge <select name="scorer">${options(scorers, page.scorer)}</select></label>`}
<label>Only <select name="only">${options(only, query.only === 'all' ? '' : query.only)}</select></label>
<button>Apply</button>
</form>`;
}

function list(run: OpenBuild, page: ItemPage, query: ItemQuery): Markup {
  const { order, policies, logger, scorer } = page;
  const labelled = page.rows.some(({ labels }) => labels.some((label) => label !== null));
  const texts = page.rows.some(({ prompt }) => prompt !== null);
  const failures = page.rows.some((row) => row.failures > 0);
  const headings = [
    { name: 'Item' },
    ...(texts ? [{ name: 'Prompt' }] : []),
    ...(order.value === '' ? [] : [{ name: order.value, numeric: true }]),
    ...(scorer === undefined
      ? []
      : policies.map((policy) => ({ name: policy === logger ? `${policy} (log)` : policy, numeric: true }))),
    ...(failures ? [{ name: 'Failures', numeric: true }] : []),
  ];
  const rows = page.rows.map((line): Content[] => [
    html`<a href="${links.item(run.id, line.id, query)}">${cell(line.id)}</a>`,
    ...(texts ? [html`<span class="prompt">${cell(line.prompt, 110)}</span>`] : []),
    ...(order.value === ''
      ? []
      : [html`<b>${order.scale === 'nats' ? natsText(line.value) : decimalText(line.value)}</b>`]),
    ...(scorer === undefined ? [] : policies.map((_, at) => scoreCell(line, at))),
    ...(failures ? [line.failures > 0 ? html`<span class="warn">${count(line.failures)}</span>` : ''] : []),
  ]);
  const words =
    scorer === undefined
      ? 'Items.'
      : html`Scores by <b>${scorer}</b> of each policy${labelled && '; below them the oracle’s labels'}.`;
  return table('Items', headings, rows, words);
}

function scoreCell({ scores, labels }: ItemLine, at: number): Content {
  const label = labels[at] ?? null;
  return html`${decimalText(scores[at] ?? null)}${label !== null && new Markup(`<br><span class="label">${decimalText(label)}</span>`)}`;
}
