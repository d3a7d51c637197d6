/** What it takes to make all of this again from nothing. */

import { dollars } from '../../../text/money.ts';
import { count } from '../../../text/numbers.ts';
import { isSimulated, otherPriceTexts, totalCost } from '../costs.ts';
import type { ReportData } from '../data.ts';
import { prose, type Section, sectionOf, tableBlock } from '../section.ts';
import { nodeCostTable, stageCostTable } from '../tables/costs.ts';

export function costSection(data: ReportData): Section | undefined {
  if (data.costs.length === 0) return undefined;
  const total = totalCost(data);
  const money = total.dollars === null ? '' : `, ${dollars(total.dollars)}`;
  const notes = [
    `${count(total.calls)} calls${money} from an empty cache. A build that finds its replies in the cache pays nothing.`,
    data.pricesDate === null ? '' : `Prices as of ${data.pricesDate}.`,
    ...otherPriceTexts(data),
    isSimulated(data) ? 'The provider is the simulator, so the money is simulated too.' : '',
    total.dollars === null ? 'A model without a known price makes the sum unknown.' : '',
  ];
  return sectionOf('cost', 'Cost', 'Calls and cost to reproduce', [
    prose(notes.filter((note) => note !== '').join(' ')),
    tableBlock(stageCostTable(data)),
    { type: 'fold', in: ['html'], summary: 'By node', tables: [nodeCostTable(data)] },
  ]);
}
