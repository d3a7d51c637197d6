/** The report's sections in reading order: what the page, the Markdown file and the viewer's overview show. */

import { counted } from '../../../text/plural.ts';
import { cellsOf } from '../cells.ts';
import type { ReportData } from '../data.ts';
import { estimatorNote } from '../estimator-note.ts';
import { glossary } from '../glossary.ts';
import { type Section, sectionOf } from '../section.ts';
import type { Medium } from '../table.ts';
import { experimentLine } from '../words.ts';
import { costSection } from './costs.ts';
import { estimatesSection } from './estimates.ts';
import { calibrationSection, gatesSection, qualitySection, weightsSection } from './quality.ts';
import { rankingSection } from './ranking.ts';
import { refusalsSection } from './refusals.ts';

const SECTIONS = [
  rankingSection,
  estimatesSection,
  refusalsSection,
  weightsSection,
  calibrationSection,
  qualitySection,
  gatesSection,
  costSection,
  glossarySection,
];

/** The sections that there is something to say in, with the blocks that this medium shows. */
export function sectionsIn(data: ReportData, medium: Medium): Section[] {
  return SECTIONS.flatMap((make) => {
    const section = make(data);
    if (section === undefined) return [];
    const blocks = section.blocks.filter((block) => block.in?.includes(medium) !== false);
    return blocks.length === 0 ? [] : [{ ...section, blocks }];
  });
}

/** Such as `200 prompts · logged policy p0 · 4 target policies · 17 ablations × 2 scorers`. */
export function factsLine(data: ReportData): string {
  const { ablations, scorers } = cellsOf(data.estimates);
  const cells = ` · ${counted(ablations.length, 'ablation')} × ${counted(scorers.length, 'scorer')}`;
  return `${experimentLine(data)}${ablations.length > 0 ? cells : ''}`;
}

function glossarySection(data: ReportData): Section | undefined {
  const estimators = [...new Set(data.estimates.map((row) => row.estimator))].flatMap((estimator) => {
    const note = estimatorNote(estimator);
    return note === null ? [] : [[estimator, `${note.charAt(0).toUpperCase()}${note.slice(1)}.`] as const];
  });
  const terms = [...glossary(data), ...estimators];
  return sectionOf('glossary', 'How to read this', 'How to read this', [{ type: 'terms', in: ['html'], terms }]);
}
