/** What it takes to make all of this again from nothing. */

import { html, type Markup } from '../../../text/html.ts';
import { dollars } from '../../../text/money.ts';
import { count } from '../../../text/numbers.ts';
import { isSimulated, otherPriceTexts, totalCost } from '../../model/costs.ts';
import type { ReportData } from '../../model/data.ts';
import { nodeCostTable, stageCostTable } from '../../model/tables/costs.ts';
import type { Figures } from './figures.ts';

export function costSection(data: ReportData, figures: Figures): Markup | null {
  if (data.costs.length === 0) return null;
  const total = totalCost(data);
  const notes = [
    data.pricesDate !== null && `Prices as of ${data.pricesDate}.`,
    ...otherPriceTexts(data),
    isSimulated(data) && 'The provider is the simulator, so the money is simulated too.',
    total.dollars === null && 'A model without a known price makes the sum unknown.',
  ].filter((note) => note !== false);
  return html`<section id="cost">
<h2>Calls and cost to reproduce</h2>
<p>${count(total.calls)} calls${total.dollars !== null && html`, ${dollars(total.dollars)}`} from an empty cache. A build that finds its replies in the cache pays nothing. ${notes.join(' ')}</p>
${figures.table(stageCostTable(data))}
<details><summary>By node</summary>
${figures.table(nodeCostTable(data))}</details>
</section>\n`;
}
