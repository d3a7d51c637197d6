/** What was withheld, why, and what would help. */

import { html, type Markup } from '../../../text/html.ts';
import { counted } from '../../../text/plural.ts';
import { cellsOf } from '../../model/cells.ts';
import type { ReportData } from '../../model/data.ts';
import { refusalsOf, refusedAblations, warningsOf } from '../../model/refusals.ts';

export function refusalsSection(data: ReportData): Markup | null {
  const refusals = refusalsOf(data.estimates);
  const warnings = warningsOf(data.estimates);
  if (refusals.length === 0 && warnings.length === 0) return null;
  const { scorers } = cellsOf(data.estimates);
  const cards = refusals.map(
    (refusal) => html`<li><h3>${refusal.policy} <span class="faint">by</span> ${refusal.gate}</h3>
<p class="faint">${refusedAblations(refusal, scorers)}</p>
<p>${refusal.reason}</p>
<p><b>What to collect.</b> ${refusal.collect}</p></li>\n`,
  );
  const warned =
    warnings.length > 0 &&
    html`<h3>Warnings</h3><ul>${warnings.map(({ text, cells }) => html`<li>${text} <span class="faint">(${counted(cells, 'estimate')})</span></li>`)}</ul>`;
  return html`<section id="refusals">
<h2>Refused</h2>
${refusals.length > 0 ? html`<ul class="refusals">${cards}</ul>` : html`<p>Nothing was refused.</p>`}
${warned}
</section>\n`;
}
