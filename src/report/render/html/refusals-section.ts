/** What was withheld, why, and what would help. */

import { type Content, html, Markup } from '../../../text/html.ts';
import { cellsOf } from '../../model/cells.ts';
import type { ReportData } from '../../model/data.ts';
import { ablationsText, refusalsOf, warningsOf } from '../../model/refusals.ts';

/** What the section is called: refusals come first where there are any. */
export const refusalsName = ({ estimates }: ReportData): string =>
  refusalsOf(estimates).length > 0 ? 'Refused' : 'Warnings';

/** Words between backticks are what one types; what is escaped loses the spaces at its ends. */
const proseHtml = (text: string): Content =>
  text
    .split(/(`[^`]+`)/)
    .map((part, index) =>
      index % 2 === 1
        ? html`<code>${part.slice(1, -1)}</code>`
        : [/^\s/.test(part) && SPACE, part, /\s$/.test(part) && SPACE],
    );
const SPACE = new Markup(' ');

export function refusalsSection(data: ReportData): Markup | null {
  const refusals = refusalsOf(data.estimates);
  const warnings = warningsOf(data.estimates);
  if (refusals.length === 0 && warnings.length === 0) return null;
  const { scorers } = cellsOf(data.estimates);
  const cards = refusals.map(
    (refusal) => html`<li><h3>${refusal.policy} <span class="faint">by</span> ${refusal.gate}</h3>
<p class="faint">${ablationsText(refusal, scorers)}</p>
<p>${proseHtml(refusal.reason)}</p>
<p><b>What to collect.</b> ${proseHtml(refusal.collect)}</p></li>\n`,
  );
  const warned =
    warnings.length > 0 &&
    html`${refusals.length > 0 && html`<h3>Warnings</h3>`}<ul>${warnings.map((warning) => html`<li><b>${warning.policy}</b>: ${proseHtml(warning.text)}. <span class="faint">${ablationsText(warning, scorers)}</span></li>`)}</ul>`;
  return html`<section id="refusals">
<h2>${refusalsName(data)}</h2>
${refusals.length > 0 ? html`<ul class="refusals">${cards}</ul>` : html`<p>Nothing was refused.</p>`}
${warned}
</section>\n`;
}
