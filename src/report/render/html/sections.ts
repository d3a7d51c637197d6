/** The sections of the report as HTML: what `report.html` and the viewer's overview both show. */

import { html, Markup } from '../../../text/html.ts';
import type { ReportData } from '../../model/data.ts';
import type { Block, Card, Section } from '../../model/section.ts';
import { sectionsIn } from '../../model/sections/index.ts';
import { chartsOf } from './charts.ts';
import { Figures } from './figures.ts';
import { legendHtml } from './legend.ts';
import { proseHtml, textHtml } from './prose.ts';

interface ReportSection {
  /** The id of the section's element. */
  readonly id: string;
  readonly name: string;
  readonly content: Markup;
}

export function reportSections(data: ReportData): ReportSection[] {
  // In reading order: figures are numbered as they are made.
  const figures = new Figures(chartsOf(data));
  return sectionsIn(data, 'html').map((section) => ({
    id: section.id,
    name: section.name,
    content: sectionHtml(section, figures),
  }));
}

const sectionHtml = ({ id, title, blocks }: Section, figures: Figures): Markup => html`<section id="${id}">
<h2>${title}</h2>
${blocks.map((block) => html`${blockHtml(block, figures)}\n`)}</section>\n`;

function blockHtml(block: Block, figures: Figures): Markup | null {
  switch (block.type) {
    case 'prose':
      return html`<p${block.as !== undefined && new Markup(` class="${block.as}"`)}>${proseHtml(block.prose)}</p>`;
    case 'heading':
      return html`<h3>${block.text}</h3>`;
    case 'list':
      return html`<ul>${block.items.map((item) => html`<li>${proseHtml(item)}</li>`)}</ul>`;
    case 'cards':
      return html`<ul class="refusals">${block.cards.map(cardHtml)}</ul>`;
    case 'table':
      return figures.table(block.table, block.remark);
    case 'figure':
      return figures.figure(block.figure);
    case 'figures':
      return html`<div class="pair">
${block.figures.map((figure) => figures.figure(figure))}</div>`;
    case 'legend':
      return legendHtml(block.scorers, block.truth);
    case 'fold':
      return html`<details><summary>${block.summary}</summary>
${block.tables.map((table) => figures.table(table))}</details>`;
    case 'terms':
      return html`<dl class="glossary">${block.terms.map(([term, meaning]) => html`<div><dt>${term}</dt><dd>${meaning}</dd></div>\n`)}</dl>`;
  }
}

const cardHtml = ({ title, where, why, collect }: Card): Markup => html`<li><h3>${proseHtml(title)}</h3>
<p class="faint">${where}</p>
<p>${textHtml(why)}</p>
<p><b>What to collect.</b> ${textHtml(collect)}</p></li>\n`;
