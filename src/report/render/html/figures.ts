/** Numbered figures and tables of one page. */

import { type Content, html, Markup } from '../../../text/html.ts';
import { type Chart, drawChart } from '../../charts/chart.ts';

export interface Column {
  readonly name: string;
  /** Right-aligned, for numbers. */
  readonly numeric?: boolean;
}

export interface TableParts {
  readonly caption: Content;
  readonly columns: readonly Column[];
  /** Rows whose first cell is their heading. */
  readonly rows: readonly TableRow[];
  readonly footer?: readonly Content[];
}

export interface TableRow {
  readonly cells: readonly Content[];
  readonly role?: 'truth';
}

const NUMERIC = new Markup(' class="num"');
const TRUTH_ROW = new Markup(' class="truth"');

/** Counts as it goes, so that every page numbers from 1 and every drawing's ids are its own. */
export class Figures {
  #charts = 0;
  #figures = 0;
  #tables = 0;

  /** A figure of one chart, or of two drawings of it for wide and narrow screens. */
  figure(caption: Content, chart: Chart | { readonly wide: Chart; readonly narrow: Chart }): Markup {
    this.#figures++;
    const drawings =
      'wide' in chart
        ? html`<div class="wide">${this.#draw(chart.wide)}</div><div class="narrow">${this.#draw(chart.narrow)}</div>`
        : this.#draw(chart);
    return html`<figure><figcaption>${caption}</figcaption>${drawings}</figure>\n`;
  }

  /** `Figure 3.`, for the next figure's caption. */
  nextLabel(): Markup {
    return html`<b>Figure ${this.#figures + 1}.</b>`;
  }

  table({ caption, columns, rows, footer }: TableParts): Markup {
    this.#tables++;
    const label = `Table ${this.#tables}`;
    const align = (index: number) => columns[index]?.numeric === true && NUMERIC;
    const head = columns.map((column, index) => html`<th scope="col"${align(index)}>${column.name}</th>`);
    const body = rows.map(
      ({ cells, role }) =>
        html`<tr${role === 'truth' && TRUTH_ROW}>${cells.map((cell, index) =>
          index === 0 ? html`<th scope="row"${align(index)}>${cell}</th>` : html`<td${align(index)}>${cell}</td>`,
        )}</tr>\n`,
    );
    const foot =
      footer === undefined
        ? null
        : html`<tfoot><tr>${footer.map((cell, index) =>
            index === 0 ? html`<th scope="row">${cell}</th>` : html`<td${align(index)}>${cell}</td>`,
          )}</tr></tfoot>`;
    return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table><caption><b>${label}.</b> ${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody>${foot}</table></div>\n`;
  }

  #draw(chart: Chart): Markup {
    this.#charts++;
    return drawChart(chart, `chart${this.#charts}`);
  }
}
