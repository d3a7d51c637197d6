/** What was withheld, why, and what would help; and what warns about the rest. */

import { cellsOf } from '../cells.ts';
import type { ReportData } from '../data.ts';
import { refusalWords } from '../refusal-words.ts';
import { ablationsText, refusalsOf, warningsOf } from '../refusals.ts';
import { type Card, heading, type Prose, prose, type Section, sectionOf } from '../section.ts';

export function refusalsSection(data: ReportData): Section | undefined {
  const refusals = refusalsOf(data.estimates);
  const warnings = warningsOf(data.estimates);
  if (refusals.length === 0 && warnings.length === 0) return undefined;
  const { scorers } = cellsOf(data.estimates);
  const name = refusals.length > 0 ? 'Refused' : 'Warnings';
  return sectionOf('refusals', name, name, [
    refusals.length === 0 && prose('Nothing was refused.'),
    {
      type: 'cards',
      cards: refusals.map((refusal): Card => {
        const { policy, gate, reason, collect } = refusal;
        const { why } = refusalWords(refusal);
        const title: Prose = [{ strong: policy }, ...(why === reason ? [] : [`: ${why}`])];
        return { title, where: ablationsText(refusal, scorers), why: `${reason} (${gate})`, collect };
      }),
    },
    refusals.length > 0 && warnings.length > 0 && heading('Warnings'),
    {
      type: 'list',
      items: warnings.map(
        (warning): Prose => [
          { strong: warning.policy },
          `: ${warning.text}. `,
          { quiet: ablationsText(warning, scorers) },
        ],
      ),
    },
  ]);
}
