/** The report's sections in reading order: what `report.html` and the viewer's overview both show. */

import { html, type Markup } from '../../../text/html.ts';
import { counted } from '../../../text/plural.ts';
import { cellsOf } from '../../model/cells.ts';
import type { ReportData } from '../../model/data.ts';
import { estimatorNote } from '../../model/estimator-note.ts';
import { glossary } from '../../model/glossary.ts';
import { experimentLine, isTempered, TEMPERED_MARK, TEMPERED_NOTE } from '../../model/words.ts';
import { costSection } from './cost-section.ts';
import { estimatesSection } from './estimates-section.ts';
import { Figures } from './figures.ts';
import { calibrationSection, gatesSection, qualitySection, weightsSection } from './quality-section.ts';
import { rankingSection } from './ranking-section.ts';
import { refusalsName, refusalsSection } from './refusals-section.ts';

interface ReportSection {
  /** The id of the section's element. */
  readonly id: string;
  readonly name: string;
  readonly content: Markup;
}

/** The sections that there is something to say in. The first opens with the note on tempered numbers where there are any. */
export function reportSections(data: ReportData): ReportSection[] {
  const figures = new Figures();
  const tempered = isTempered(data) && html`<p class="note opening"><b>${TEMPERED_MARK}</b> ${TEMPERED_NOTE}</p>\n`;
  // In reading order: figures are numbered as they are made.
  const sections = [
    ['ranking', 'Ranking', html`${tempered}${rankingSection(data, figures)}`],
    ['estimates', 'Estimates', estimatesSection(data, figures)],
    ['refusals', refusalsName(data), refusalsSection(data)],
    ['weights', 'Weights', weightsSection(data, figures)],
    ['calibration', 'Calibration', calibrationSection(data, figures)],
    ['quality', 'Data quality', qualitySection(data, figures)],
    ['gates', 'Gates', gatesSection(data, figures)],
    ['cost', 'Cost', costSection(data, figures)],
    ['glossary', 'How to read this', glossarySection(data)],
  ] as const;
  return sections.flatMap(([id, name, content]) => (content === null ? [] : [{ id, name, content }]));
}

/** Such as `200 prompts · logged policy p0 · 4 target policies · 17 ablations × 2 scorers`. */
export function factsLine(data: ReportData): string {
  const { ablations, scorers } = cellsOf(data.estimates);
  const cells = ` · ${counted(ablations.length, 'ablation')} × ${counted(scorers.length, 'scorer')}`;
  return `${experimentLine(data)}${ablations.length > 0 ? cells : ''}`;
}

function glossarySection(data: ReportData): Markup {
  const estimators = [...new Set(data.estimates.map((row) => row.estimator))].flatMap((estimator) => {
    const note = estimatorNote(estimator);
    return note === null ? [] : [[estimator, `${note.charAt(0).toUpperCase()}${note.slice(1)}.`] as const];
  });
  const entries = [...glossary(data), ...estimators];
  return html`<section id="glossary">
<h2>How to read this</h2>
<dl class="glossary">${entries.map(([term, meaning]) => html`<div><dt>${term}</dt><dd>${meaning}</dd></div>\n`)}</dl>
</section>\n`;
}
