/** One prompt across all policies and judges: what was answered, how it was scored, and why. */

import { clip } from '../../text/escape.ts';
import { type Content, html, type Markup } from '../../text/html.ts';
import { count } from '../../text/numbers.ts';
import { jsonBlock, textBlock } from '../../text/verbatim.ts';
import type { ItemDetail, ItemPolicy, ItemQuery, ItemScore, NodeRow } from '../model/items.ts';
import type { OpenBuild } from '../model/open-build.ts';
import type { Page } from '../parts/layout.ts';
import { links } from '../parts/links.ts';
import { cell, decimalText, decimalWriter, facts, natsText, significantText, table } from '../parts/parts.ts';
import { missingPage } from './problem.ts';

/** How much of a text is shown, and where all of it is. */
interface TextLimit {
  readonly limit?: number;
  readonly more?: string;
}

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
  const spread = policies.some(({ scores }) =>
    scores.some(({ verdict }) => verdict !== undefined && verdict.spread !== null),
  );
  const rewarded = policies.some(({ scores }) => scores.some(({ reward }) => reward !== null));
  const headings = [
    { name: 'Policy' },
    ...scorers.map((name) => ({ name, numeric: true })),
    ...(labelled ? [{ name: 'Label', numeric: true }] : []),
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
      html`Scores${spread && html` with the judge’s own standard deviation`}${rewarded && html` and, after →, the reward that the calibration makes of them`}.`,
    weighed &&
      html` Log probabilities, in nats, are of <b>${logger ?? 'the logged policy'}</b>’s response under each policy; the place is that of its weight among all prompts.`,
  ] as const;
  return html`<section class="glance"><h2>At a glance</h2>${table('At a glance', headings, rows, caption)}</section>`;
}

const anchorOf = ({ policy }: ItemPolicy): string => `policy-${encodeURIComponent(policy)}`;

function scoreText(score: ItemScore | undefined): Content {
  if (score === undefined || score.row === undefined) return null;
  if (score.value === null) return statusOf(score.row);
  return html`<b>${decimalText(score.value)}</b>${spreadText(score)}${rewardText(score)}`;
}

const spreadText = ({ verdict }: ItemScore): Content =>
  verdict !== undefined && verdict.spread !== null && html` <span class="pm">± ${verdict.spread.toFixed(3)}</span>`;
const rewardText = ({ reward }: ItemScore): Content =>
  reward !== null && html` <span class="pm">→ ${decimalText(reward)}</span>`;

function labelText({ label, labelRow }: ItemPolicy): Content {
  if (label !== null) return html`<b class="label">${labelNumber(label)}</b>`;
  return labelRow === undefined ? null : statusOf(labelRow);
}

/** A whole label of a scale such as 1 to 5 is written as people wrote it. */
const labelNumber = (label: number): string => decimalWriter([label])(label);

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

function card(run: OpenBuild, { logger }: ItemDetail, policy: ItemPolicy, limit: TextLimit): Markup {
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
${verdicts(policy, limit)}${thoughts(policy, limit)}
${[response, ...scores.map((score) => score.row), labelRow, logprob].map((each) => (each?.asks === true ? callsOf(run, each) : null))}
</article>`;
}

function verdicts({ scores, label, labelRow }: ItemPolicy, limit: TextLimit): Content {
  const told = scores.filter(({ value, verdict }) => value !== null || verdict?.rationale != null);
  return [
    ...told.map((score) => verdictBlock(score, limit)),
    label !== null &&
      html`<section class="verdict"><h4>Label <b class="label">${labelNumber(label)}</b>${ratersText(labelRow)}</h4>${reason(textOf(labelRow, 'rationale'), limit)}</section>`,
  ];
}

/** The judge's reasons stand beside its number. */
function verdictBlock(score: ItemScore, limit: TextLimit): Markup {
  const { scorer, value, verdict } = score;
  const { parts = [], draws = [], orders = null, against = null, rationale = null, repaired = false } = verdict ?? {};
  const asked = against === null ? scorer : html`${scorer}, against ${against}`;
  const details = [
    ...parts.map(({ name, value: part }) => [name, decimalText(part)] as const),
    draws.length > 1 && (['draws', draws.map(decimalText).join(', ')] as const),
    orders !== null && (['shown first', winText(orders[0])] as const),
    orders !== null && (['shown second', winText(orders[1])] as const),
  ];
  const disagree = orders !== null && orders[0] !== orders[1];
  return html`<section class="verdict"><h4>${asked} <b>${decimalText(value)}</b>${spreadText(score)}${rewardText(score)}</h4>
${details.some((entry) => entry !== false) && facts(details)}
${disagree && html`<p class="small faint">The two orders disagree: the place in which it stood counted.</p>`}
${repaired && html`<p class="small faint">The reply was not in the form that was asked for, and was read all the same.</p>`}
${reason(rationale, limit)}</section>`;
}

/** Of a comparison shown in one order. */
const winText = (score: number): string =>
  score === 1 ? 'won' : score === 0 ? 'lost' : score === 0.5 ? 'tied' : decimalText(score);

const ratersText = (row: NodeRow | undefined): Content => {
  const raters = row?.row.raters;
  return typeof raters === 'number' && raters > 1 && html` <span class="pm">mean of ${count(raters)} people</span>`;
};

const textOf = (row: NodeRow | undefined, name: string): string | null => {
  const text = row?.row[name];
  return typeof text === 'string' ? text : null;
};

const reason = (text: string | null, limit: TextLimit): Content => text !== null && textBlock(text, limit);

/** What a model that reasons thought before it answered. */
function thoughts({ response }: ItemPolicy, limit: TextLimit): Content {
  const text = textOf(response, 'thoughts');
  return (
    text !== null && html`<details><summary>Thoughts before the answer</summary>${textBlock(text, limit)}</details>`
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
