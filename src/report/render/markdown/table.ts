/** A table as Markdown. */

import { escapeMarkdown } from '../../../text/escape.ts';
import { decimal } from '../../../text/numbers.ts';
import { deltaText, intervalText, numberText } from '../../model/number-text.ts';
import { type Cell, type Table, tableIn } from '../../model/table.ts';
import { TEMPERED_MARK } from '../../model/words.ts';

/** Empty where the table has no rows. */
export function tableMarkdown(table: Table): string {
  const { columns, rows } = tableIn(table, 'markdown');
  if (rows.length === 0) return '';
  const header = columns.map(({ name, brief = name }) =>
    typeof brief === 'string' ? escapeMarkdown(brief) : cellMarkdown(brief),
  );
  const rule = columns.map(({ align }) => (align === 'right' ? '---:' : ':---'));
  const body = rows.map(({ cells, role }) => {
    const words = cells.map(cellMarkdown);
    if (role === 'truth') return words.map((word) => word && `*${word}*`);
    return role === 'total' ? [`**${words[0]}**`, ...words.slice(1)] : words;
  });
  return [header, rule, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export const titleMarkdown = ({ title = [] }: Table): string =>
  title.map((run) => (typeof run === 'string' ? escapeMarkdown(run) : `**${escapeMarkdown(run.strong)}**`)).join(' ');

function cellMarkdown(cell: Cell): string {
  if (cell === null) return '';
  if ('text' in cell) {
    const word = escapeMarkdown(cell.brief ?? cell.text);
    return (cell.tone === 'bad' ? `**${word}**` : word) + mark(cell);
  }
  if ('value' in cell) {
    const word = numberText(cell.value, cell.as);
    // A dollar sign would open a formula.
    return (cell.as === 'dollars' ? escapeMarkdown(word) : word) + mark(cell);
  }
  if ('lower' in cell) return intervalText(cell.lower, cell.upper, cell.as ?? 'decimal');
  if ('estimate' in cell) return `${decimal(cell.estimate)} ± ${decimal(cell.reach)}${mark(cell)}`;
  if ('refusedBy' in cell) return `*refused: ${escapeMarkdown(cell.refusedBy)}*`;
  if ('truth' in cell) return decimal(cell.truth);
  if ('delta' in cell) return escapeMarkdown(deltaText(cell.delta));
  return cell.list.map(cellMarkdown).join(cell.between);
}

const mark = ({ tempered }: { readonly tempered?: boolean }) => (tempered === true ? TEMPERED_MARK : '');
