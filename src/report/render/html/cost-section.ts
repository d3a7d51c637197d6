/** What it takes to make all of this again from nothing. */

import { type Content, html, type Markup } from '../../../text/html.ts';
import { dollars } from '../../../text/money.ts';
import { count } from '../../../text/numbers.ts';
import { isSimulated, type StageCost, stageCosts, totalCost } from '../../model/cost-table.ts';
import type { ReportData } from '../../model/data.ts';
import type { Figures } from './figures.ts';

const COLUMNS = [
  { name: 'Stage' },
  { name: 'Models' },
  { name: 'Calls', numeric: true },
  { name: 'Input tokens', numeric: true },
  { name: 'Output tokens', numeric: true },
  { name: 'Cost', numeric: true },
] as const;

export function costSection(data: ReportData, figures: Figures): Markup | null {
  if (data.costs.length === 0) return null;
  const total = totalCost(data);
  const notes = [
    data.pricesDate !== null && `Prices as of ${data.pricesDate}.`,
    isSimulated(data) && 'The provider is the simulator, so the money is simulated too.',
    total.dollars === null && 'A model without a known price makes the sum unknown.',
  ].filter((note) => note !== false);
  const nodes = data.costs.map(({ node, tally, dollars: cost }) => ({
    cells: [node, tally.model, count(tally.calls), count(tally.inputTokens), count(tally.outputTokens), dollars(cost)],
  }));
  return html`<section id="cost">
<h2>Calls and cost to reproduce</h2>
<p>${count(total.calls)} calls${total.dollars !== null && html`, ${dollars(total.dollars)}`} from an empty cache. A build that finds its replies in the cache pays nothing. ${notes.join(' ')}</p>
${figures.table({
  caption: 'By stage.',
  columns: COLUMNS,
  rows: stageCosts(data).map((stage) => ({ cells: stageCells(stage) })),
  footer: stageCells({ ...total, models: [] }),
})}
<details><summary>By node</summary>
${figures.table({ caption: 'By node and model.', columns: [{ name: 'Node' }, ...COLUMNS.slice(1)], rows: nodes })}</details>
</section>\n`;
}

function stageCells(cost: StageCost): Content[] {
  return [
    cost.stage,
    cost.models.join(', '),
    count(cost.calls),
    count(cost.inputTokens),
    count(cost.outputTokens),
    dollars(cost.dollars),
  ];
}
