/** The calls behind one row: each request as it was sent, the raw reply, and what was read from it. */

import type { NamedText } from '../../core/protocol.ts';
import type { ShownCall } from '../../engine/explain/show.ts';
import { type Content, html, type Markup } from '../../text/html.ts';
import { dollars } from '../../text/money.ts';
import { count } from '../../text/numbers.ts';
import { jsonBlock, textBlock } from '../../text/verbatim.ts';
import type { OpenBuild } from '../model/open-build.ts';
import { indentJson } from '../parts/indent.ts';
import type { Page } from '../parts/layout.ts';
import { links } from '../parts/links.ts';
import { facts, time } from '../parts/parts.ts';
import { missingPage } from './problem.ts';

const WHOLE = 4_000_000;
/** Characters of a raw reply: log probabilities come by the thousand. */
const REPLY = 6_000;

export function callsPage(run: OpenBuild, node: string, name: string, full: boolean): Page {
  if (run.node(node) === undefined) return missingPage(`There is no node ${node} in this build.`, run);
  const found = run.calls(node, name);
  if (found === undefined) return missingPage(`${node} has no item ${name}, or what it depends on is not there.`, run);
  const { item, prompt, row, calls } = found;
  const more = `${links.calls(run.id, node, item)}&full=1`;
  const limit = full ? { limit: WHOLE } : { limit: REPLY, more };
  const body = html`<h1>${item}</h1>
<p class="faint">of <a href="${links.node(run.id, node)}">${node}</a>${prompt !== undefined && html` · <a href="${links.item(run.id, prompt)}">across all policies</a>`}</p>
<div id="calls" class="calls">
${calls.map((call, index) => callSection(call, index, calls.length, limit))}
${calls.length === 0 && html`<p>No call stands behind it${run.node(node)?.asks === true ? ', or what it was asked with is no longer there' : ''}.</p>`}
<section><h3>Row</h3>${row === null ? html`<p>Not settled: a reply is missing.</p>` : jsonBlock(row, limit)}</section>
</div>`;
  return { title: `${item} of ${node}`, tab: 'items', run, body };
}

function callSection(call: ShownCall, index: number, calls: number, limit: { limit: number; more?: string }): Markup {
  const { key, identity, path, draw, raw, parsed, failure, failedAt, bought, texts, settings } = call;
  const spent = bought === null ? null : bought.cost === null ? 'an unknown price' : dollars(bought.cost);
  return html`<section class="call"><h3>${calls > 1 ? `Call ${index + 1} of ${calls}` : 'Call'}</h3>
${facts([
  bought !== null && ['model', bought.model],
  bought !== null && ['cost', spent],
  bought !== null && ['tokens', `${count(bought.usage.inputTokens)} in, ${count(bought.usage.outputTokens)} out`],
  bought !== null && ['bought', html`${time(bought.boughtAt)} by ${bought.node}`],
  bought?.batch !== undefined && ['batch', html`<code>${bought.batch}</code>`],
  ['to', `${path} of ${identity}`],
  ['draw', draw],
  ['key', html`<code>${key}</code>`],
])}
<h4>Sent</h4>
${texts.filter(({ name }) => name !== 'prompt').map((text) => messageBlock(text, limit))}
${texts.filter(({ name }) => name === 'prompt').map(({ text }) => textBlock(text, limit))}
<details><summary>Settings</summary>${jsonBlock(settings)}</details>
${reply(call, limit)}
${failure === null && raw !== null && html`<details><summary>Read as</summary>${jsonBlock(parsed, limit)}</details>`}
${failure !== null && html`<p class="failed">${raw === null ? 'Failed for good' : 'Could not be read'}${failedAt !== null && html`, ${time(failedAt)}`}</p>${textBlock(failure)}`}
${raw === null && failure === null && html`<p>Not bought yet.</p>`}
</section>`;
}

function messageBlock({ name, text }: NamedText, limit: { limit: number; more?: string }): Content {
  return html`<p class="role">${name}</p>${textBlock(text, limit)}`;
}

/** The text that was answered, then the reply as it came. */
function reply({ raw, answered }: ShownCall, limit: { limit: number; more?: string }): Markup | null {
  if (raw === null) return null;
  try {
    JSON.parse(raw);
  } catch {
    return html`<h4>Raw reply</h4>${textBlock(raw, limit)}`;
  }
  const whole = html`<details><summary>Raw reply</summary>${textBlock(indentJson(raw), limit)}</details>`;
  return answered === null
    ? html`<h4>Answered</h4>${whole}`
    : html`<h4>Answered</h4>${textBlock(answered, limit)}${whole}`;
}
