/** A table in a terminal: its title, and a grid that fits the width. */

import { plainLine } from '../../../text/escape.ts';
import { decimal } from '../../../text/numbers.ts';
import type { Paint } from '../../../text/paint.ts';
import { wrap } from '../../../text/wrap.ts';
import { deltaText, intervalText, numberText } from '../../model/number-text.ts';
import { type Cell, type Table, tableIn } from '../../model/table.ts';
import { TEMPERED_MARK } from '../../model/words.ts';
import { type LayoutCell, layoutLines } from './layout.ts';

const STYLES = { strong: 'bold', good: 'green', bad: 'yellow', quiet: 'dim' } as const;

/** Lines of at most `width` columns; none where the table has no rows. */
export function tableLines(table: Table, width: number, paint: Paint): string[] {
  const { title, columns, rows } = tableIn(table, 'terminal');
  if (rows.length === 0) return [];
  // Digits stay in line where only some numbers bear the mark.
  const blank = rows.some(({ cells }) => cells.some((cell) => cell !== null && 'estimate' in cell && cell.tempered))
    ? ' '
    : '';
  const [corner = '', ...names] = columns.map(({ name, brief = name }) =>
    typeof brief === 'string' ? plainLine(brief) : formsOf(brief, '').at(-1)!,
  );
  const grid = {
    // Below a title it is plain what the rows are.
    corner: title === undefined ? corner : '',
    columns: names,
    rows: rows.map(({ cells: [label = null, ...cells], role }) => ({
      label: formsOf(label, '').at(-1)!,
      cells: cells.map((cell) => layoutCell(cell, blank)),
      ...(role === 'truth' && { style: 'green' as const }),
    })),
  };
  const heading = title?.map((run) => (typeof run === 'string' ? run : run.strong)).join(' ');
  return [
    ...(heading === undefined ? [] : wrap(heading, width).map((line) => paint('bold', line))),
    ...layoutLines(grid, width, paint),
  ];
}

function layoutCell(cell: Cell, blank: string): LayoutCell | undefined {
  if (cell === null) return undefined;
  const forms = formsOf(cell, blank);
  if ('refusedBy' in cell) return { forms, clippable: true, style: 'yellow' };
  if ('tone' in cell && cell.tone !== undefined) return { forms, style: STYLES[cell.tone] };
  if (!('delta' in cell) || cell.delta === 0) return { forms };
  return { forms, style: cell.delta === null ? 'dim' : cell.delta > 0 ? 'blue' : 'yellow' };
}

/** The same content, longest form first. */
function formsOf(cell: Cell, blank: string): [string, ...string[]] {
  if (cell === null) return [''];
  if ('text' in cell) {
    const forms = cell.brief === undefined ? [] : [plainLine(cell.brief) + mark(cell)];
    return [plainLine(cell.text) + mark(cell), ...forms];
  }
  if ('value' in cell) return [numberText(cell.value, cell.as) + mark(cell)];
  if ('lower' in cell) return [intervalText(cell.lower, cell.upper, cell.as ?? 'decimal')];
  if ('estimate' in cell) return [`${decimal(cell.estimate)} ±${decimal(cell.reach)}${mark(cell) || blank}`];
  if ('refusedBy' in cell) {
    const gate = plainLine(cell.refusedBy);
    return [`refused: ${gate}${blank}`, `✗ ${gate}${blank}`];
  }
  // Blanks as wide as ` ±0.123`, so that the truth stands right under the estimates.
  if ('truth' in cell) return [`${decimal(cell.truth)}       ${blank}`];
  if ('delta' in cell) {
    // Blanks in the place of an arrow.
    if (cell.delta === 0) return [`${deltaText(0)}  `, '±    '];
    return [cell.delta === null ? `${deltaText(null)}  ` : deltaText(cell.delta)];
  }
  return [cell.list.map((each) => formsOf(each, blank).at(-1)!).join(cell.between)];
}

const mark = ({ tempered }: { readonly tempered?: boolean }) => (tempered === true ? TEMPERED_MARK : '');
