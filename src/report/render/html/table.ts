/** The cells of a table as HTML, their numbers with typographer's minus signs. */

import { type Content, html, Markup } from '../../../text/html.ts';
import { decimal } from '../../../text/numbers.ts';
import { minus } from '../../charts/axis.ts';
import { deltaText, intervalText, numberText } from '../../model/number-text.ts';
import type { Cell, Words } from '../../model/table.ts';
import { TEMPERED_MARK } from '../../model/words.ts';

/** Classes of the style sheet. */
const TONES = { good: 'passed', bad: 'failed', quiet: '' } as const;

export function cellHtml(cell: Cell): Content {
  if (cell === null) return null;
  if ('text' in cell || 'value' in cell) {
    const { tone, tempered } = cell;
    const word = 'text' in cell ? cell.text : minus(numberText(cell.value, cell.as));
    const toned =
      tone === undefined
        ? word
        : tone === 'strong'
          ? html`<b>${word}</b>`
          : html`<span class="${TONES[tone]}">${word}</span>`;
    return [toned, tempered === true && TEMPERED_MARK];
  }
  if ('lower' in cell) return intervalText(cell.lower, cell.upper, cell.as ?? 'decimal').replace(/-/g, '−');
  if ('estimate' in cell) {
    const number = minus(decimal(cell.estimate));
    const shown = cell.misses ? html`<span class="misses">${number}</span>` : number;
    return html`${shown} <span class="pm">± ${decimal(cell.reach)}</span>${cell.tempered && TEMPERED_MARK}`;
  }
  if ('refusedBy' in cell) return html`<span class="refused">refused: ${cell.refusedBy}</span>`;
  if ('truth' in cell) {
    // An invisible interval keeps the truth under the estimates.
    const unseen = html`<span aria-hidden="true" class="unseen"> ± 0.000</span>`;
    return cell.truth === null ? null : [minus(decimal(cell.truth)), unseen];
  }
  if ('delta' in cell) return minus(deltaText(cell.delta));
  return joined(cell.list.map(cellHtml), cell.between);
}

export const wordsHtml = (words: Words): Content =>
  joined(
    words.map((run) => (typeof run === 'string' ? run : html`<b>${run.strong}</b>`)),
    ' ',
  );

/** The text between is our own, and its spaces stay. */
const joined = (parts: readonly Content[], between: string): Content =>
  parts.map((part, index) => [index > 0 && new Markup(between), part]);
