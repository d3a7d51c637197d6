/** Numbered figures and tables of one page. */

import { type Content, html, Markup } from '../../../text/html.ts';
import { type Chart, drawChart } from '../../charts/chart.ts';
import type { ChartOf, Figure } from '../../model/section.ts';
import { type Table, type TableRow, tableIn } from '../../model/table.ts';
import type { Drawing } from './charts.ts';
import { proseHtml } from './prose.ts';
import { cellHtml, wordsHtml } from './table.ts';

const NUMERIC = new Markup(' class="num"');
const TRUTH_ROW = new Markup(' class="truth"');

/** Counts as it goes, so that every page numbers from 1 and every drawing's ids are its own. */
export class Figures {
  readonly #charts: (chart: ChartOf) => Drawing;
  #drawn = 0;
  #figures = 0;
  #tables = 0;

  constructor(charts: (chart: ChartOf) => Drawing) {
    this.#charts = charts;
  }

  figure({ title, caption, facts = [], chart }: Figure): Markup {
    this.#figures++;
    const drawing = this.#charts(chart);
    const drawings =
      'wide' in drawing
        ? html`<div class="wide">${this.#draw(drawing.wide)}</div><div class="narrow">${this.#draw(drawing.narrow)}</div>`
        : this.#draw(drawing);
    const list = facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${cellHtml(value)}</dd></div>`);
    return html`<figure><figcaption>${title !== undefined && html`<h3>${title}</h3>`}<b>Figure ${this.#figures}.</b> ${proseHtml(caption)}${
      list.length > 0 && html`<dl class="facts">${list}</dl>`
    }</figcaption>${drawings}</figure>\n`;
  }

  /** Nothing where the table has no rows. @param remark a last sentence of the caption, on what only a page shows */
  table(table: Table, remark: Content = null): Markup | null {
    const { title = [], note, columns, rows } = tableIn(table, 'html');
    if (rows.length === 0) return null;
    this.#tables++;
    const label = `Table ${this.#tables}`;
    const align = (index: number) => index > 0 && columns[index]?.align === 'right' && NUMERIC;
    const head = columns.map(
      ({ name }, index) =>
        html`<th scope="col"${align(index)}>${typeof name === 'string' ? name : cellHtml(name)}</th>`,
    );
    const row = ({ cells, role }: TableRow) =>
      html`<tr${role === 'truth' && TRUTH_ROW}>${cells.map((cell, index) =>
        index === 0 ? html`<th scope="row">${cellHtml(cell)}</th>` : html`<td${align(index)}>${cellHtml(cell)}</td>`,
      )}</tr>`;
    const body = rows.filter(({ role }) => role !== 'total').map((each) => html`${row(each)}\n`);
    const foot = rows.filter(({ role }) => role === 'total').map(row);
    return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table><caption><b>${label}.</b> ${wordsHtml(title)}.${
      note !== undefined && html` ${note}`
    }${remark !== null && html` ${remark}`}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody>${foot.length > 0 && html`<tfoot>${foot}</tfoot>`}</table></div>\n`;
  }

  #draw(chart: Chart): Markup {
    this.#drawn++;
    return drawChart(chart, `chart${this.#drawn}`);
  }
}
