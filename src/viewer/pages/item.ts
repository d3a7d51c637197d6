/** One prompt across all policies and judges: what was answered, how it was scored, and why. */

import { clip } from '../../text/escape.ts';
import { type Content, html, type Markup } from '../../text/html.ts';
import { count } from '../../text/numbers.ts';
import { jsonBlock, textBlock } from '../../text/verbatim.ts';
import type { ItemDetail, ItemPolicy, ItemQuery, ItemScore, NodeRow } from '../model/items.ts';
import type { OpenBuild } from '../model/open-build.ts';
import type { Page } from '../parts/layout.ts';
import { links } from '../parts/links.ts';
import { cell, decimalText, natsText, significantText, table } from '../parts/parts.ts';
import { missingPage } from './problem.ts';

/** Characters of a text that is shown whole. */
const WHOLE = 2_000_000;

export function itemPage(run: OpenBuild, id: string, query: ItemQuery, full: boolean): Page {
  const item = run.item(id, query);
  if (item === undefined) return missingPage(`There is no item ${id} in this build.`, run);
  const more = links.item(run.id, id, query, { full: '1' });
  const limit = full ? { limit: WHOLE } : { more };
  const body = html`${heading(run, item, query)}
<section class="prompt-text"><h2>Prompt</h2>${item.prompt === null ? html`<p class="faint">Its text is not in this build.</p>` : textBlock(item.prompt, limit)}</section>
${item.policies.length > 0 && glance(item)}
${answered(item) && html`<section><h2>Responses</h2><div class="responses">${item.policies.map((policy) => card(run, item, policy, limit))}</div></section>`}
${measures(run, item)}${unfinished(run, item)}
${item.others.length > 0 && html`<section><h2>In other nodes</h2>${item.others.map((row) => otherRow(run, row))}</section>`}`;
  return { title: clip(item.id, 80), tab: 'items', run, wide: true, body };
}

function heading(
  run: OpenBuild,
  { id, position, selected, previous, next, order }: ItemDetail,
  query: ItemQuery,
): Markup {
  const link = (to: string | undefined, rel: string, text: string) =>
    to === undefined
      ? html`<span class="off">${text}</span>`
      : html`<a rel="${rel}" href="${links.item(run.id, to, query)}">${text}</a>`;
  const offset = position === null ? 0 : Math.floor(position / query.limit) * query.limit;
  return html`<nav class="pager" aria-label="Items">${link(previous, 'prev', '← Previous')}
<a href="${links.items(run.id, { ...query, offset })}">${position === null ? 'All items' : html`${count(position + 1)} of ${count(selected)}`}</a>
${link(next, 'next', 'Next →')}<span class="faint small">${order.label}</span></nav>
<h1>${cell(id, 200)}</h1>`;
}

/** Imported data have numbers without texts. */
const answered = ({ policies }: ItemDetail): boolean => policies.some(({ response }) => response !== undefined);

function glance(item: ItemDetail): Markup | null {
  const { policies, scorers, logger } = item;
  const weighed = policies.some(({ logprobValue }) => logprobValue !== null);
  const labelled = policies.some(({ label }) => label !== null);
  const rewarded = policies.some(({ scores }) => scores.some(({ reward }) => reward !== null));
  const headings = [
    { name: 'Policy' },
    ...scorers.map((name) => ({ name, numeric: true })),
    ...(labelled ? [{ name: 'Oracle label', numeric: true }] : []),
    ...(weighed ? ['Log probability', 'Log ratio', 'Weight', 'Place'].map((name) => ({ name, numeric: true })) : []),
  ];
  const rows = policies.map((policy): Content[] => [
    html`${answered(item) ? html`<a href="#${anchorOf(policy)}">${policy.policy}</a>` : policy.policy}${policy.policy === logger && html` <span class="faint">log</span>`}`,
    ...scorers.map((scorer) => scoreText(policy.scores.find((score) => score.scorer === scorer))),
    ...(labelled ? [labelText(policy)] : []),
    ...(weighed ? weightCells(policy, logger) : []),
  ]);
  if (headings.length === 1) return null;
  const caption = [
    scorers.length > 0 &&
      html`Scores with the judge’s own standard deviation${rewarded && html` and, after →, the reward that the calibration makes of them`}.`,
    weighed &&
      html` Log probabilities, in nats, are of <b>${logger ?? 'the logged policy'}</b>’s response under each policy; the place is that of its weight among all prompts.`,
  ] as const;
  return html`<section><h2>At a glance</h2>${table('At a glance', headings, rows, caption)}</section>`;
}

const anchorOf = ({ policy }: ItemPolicy): string => `policy-${encodeURIComponent(policy)}`;

function scoreText(score: ItemScore | undefined): Content {
  if (score === undefined || score.row === undefined) return null;
  if (score.value === null) return statusOf(score.row);
  const { variance } = score.row.row;
  const spread =
    typeof variance === 'number' && variance > 0
      ? html` <span class="pm">± ${Math.sqrt(variance).toFixed(3)}</span>`
      : null;
  const reward = score.reward === null ? null : html` <span class="pm">→ ${decimalText(score.reward)}</span>`;
  return html`<b>${decimalText(score.value)}</b>${spread}${reward}`;
}

function labelText({ label, labelRow }: ItemPolicy): Content {
  if (label !== null) return html`<b class="label">${decimalText(label)}</b>`;
  return labelRow === undefined ? null : statusOf(labelRow);
}

function weightCells(
  { policy, logprob, logprobValue, logRatio, rank }: ItemPolicy,
  logger: string | undefined,
): Content[] {
  if (logprobValue === null) return [logprob === undefined ? null : statusOf(logprob), '', '', ''];
  if (policy === logger || logRatio === null) return [natsText(logprobValue), '', '', ''];
  return [
    natsText(logprobValue),
    natsText(logRatio),
    significantText(Math.exp(logRatio)),
    rank === null ? '' : `${count(rank.place)} of ${count(rank.of)}`,
  ];
}

/** What kinds measure beside log probabilities, scores and labels. */
function measures(run: OpenBuild, { measured }: ItemDetail): Markup | null {
  if (measured.length === 0) return null;
  const headings = [{ name: 'Measure' }, { name: 'Policy' }, { name: 'Value', numeric: true }, { name: 'Node' }];
  const rows = measured.map(({ measure: { label, scale }, policy, value, row }): Content[] => [
    label,
    policy ?? '',
    value === null ? statusOf(row) : scale === 'nats' ? natsText(value) : decimalText(value),
    html`<a href="${links.node(run.id, row.node)}">${row.node}</a>`,
  ]);
  return html`<section><h2>Measures</h2>${table('Measures', headings, rows)}</section>`;
}

function statusOf({ row }: NodeRow): Content {
  return typeof row.status === 'string' && row.status !== 'ok'
    ? html`<span class="warn">${cell(row.status)}</span>`
    : null;
}

function card(
  run: OpenBuild,
  { logger }: ItemDetail,
  policy: ItemPolicy,
  limit: { limit?: number; more?: string },
): Markup {
  const { response, logprob, scores, labelRow } = policy;
  const row = response?.row;
  const text = typeof row?.response === 'string' ? row.response : null;
  const missing = response === undefined ? 'No response of it is in this build.' : statusOf(response);
  const finish = row?.finish_reason;
  const said = [
    typeof row?.model === 'string' && cell(row.model),
    typeof finish === 'string' && finish !== 'stop' && html`<span class="warn">ended by ${cell(finish)}</span>`,
  ].filter((part) => part !== false);
  return html`<article id="${anchorOf(policy)}" aria-label="${policy.policy}"><h3>${policy.policy}${policy.policy === logger && html` <span class="tag">log</span>`}</h3>
<p class="faint small">${said.map((part, index) => [index > 0 && html` · `, part])}</p>
${text === null ? html`<p>${missing}</p>` : textBlock(text, limit)}
${scoreList(policy)}${reasons(policy, limit)}
${[response, ...scores.map((score) => score.row), labelRow, logprob].map((each) => (each?.asks === true ? callsOf(run, each) : null))}
</article>`;
}

function scoreList({ scores, label }: ItemPolicy): Markup | null {
  const present = scores.filter(({ value }) => value !== null);
  if (present.length === 0 && label === null) return null;
  return html`<dl class="facts">${present.map(({ scorer, value }) => html`<div><dt>${scorer}</dt><dd>${decimalText(value)}</dd></div>`)}${
    label !== null && html`<div><dt>oracle</dt><dd class="label">${decimalText(label)}</dd></div>`
  }</dl>`;
}

/** What judges and raters gave as their reasons, and what a model that reasons thought before it answered. */
function reasons({ response, scores, labelRow }: ItemPolicy, limit: { limit?: number; more?: string }): Content {
  const told = [
    ...scores.map(({ scorer, row }) => ({ of: `Why ${scorer} says so`, text: row?.row.rationale })),
    { of: 'Why the oracle says so', text: labelRow?.row.rationale },
    { of: 'Thoughts before the answer', text: response?.row.thoughts },
  ];
  return told.map(
    ({ of, text }) =>
      typeof text === 'string' && html`<details><summary>${of}</summary>${textBlock(text, limit)}</details>`,
  );
}

/** Opened by a script in place, and without one a link to the page of calls. */
function callsOf(run: OpenBuild, { node, item }: Pick<NodeRow, 'node' | 'item'>): Markup {
  return html`<details data-calls><summary>${node}</summary><p class="small"><a href="${links.calls(run.id, node, item)}">Request and reply on a page of their own</a></p></details>`;
}

function unfinished(run: OpenBuild, { id, index, unfinished: nodes }: ItemDetail): Markup | null {
  if (nodes.length === 0) return null;
  const name = /\p{Surrogate}/u.test(id) ? `#${index}` : id;
  return html`<section><h2>In nodes that are not finished</h2>${nodes.map((node) =>
    callsOf(run, { node, item: name }),
  )}</section>`;
}

function otherRow(run: OpenBuild, row: NodeRow): Markup {
  return html`<details><summary>${row.node}</summary><p class="small"><a href="${links.node(run.id, row.node)}">${row.node}</a>${row.asks && html` · <a href="${links.calls(run.id, row.node, row.item)}">request and reply</a>`}</p>${jsonBlock(row.row)}</details>`;
}
