/** `summary.md`: how the methods of a grid did. */

import type { CellScore, MethodScore } from '../../../datasets/grid-rows.ts';
import { escapeMarkdown } from '../../../text/escape.ts';
import { methodCellTables, methodsTable } from '../../model/tables/method-scores.ts';
import { tableMarkdown, titleMarkdown } from './table.ts';

export function gridMarkdown(title: string, methods: readonly MethodScore[], cells: readonly CellScore[]): string {
  const main = methodsTable(methods);
  const blocks = [
    `# ${escapeMarkdown(title)}`,
    main.note,
    tableMarkdown(main),
    '## RMSE and coverage by sample size and oracle coverage',
    ...methodCellTables(methods, cells).flatMap((table) => [`### ${titleMarkdown(table)}`, tableMarkdown(table)]),
  ];
  return `${blocks.join('\n\n')}\n`;
}
