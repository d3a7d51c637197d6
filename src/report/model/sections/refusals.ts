/** What was withheld, why, and what would help; and what warns about the rest. */

import { cellsOf } from '../cells.ts';
import type { ReportData } from '../data.ts';
import { refusalWords } from '../refusal-words.ts';
import { ablationsText, refusalsOf, warningsOf } from '../refusals.ts';
import { type Block, type Card, heading, type Prose, prose, type Section, sectionOf } from '../section.ts';

export function refusalsSection(data: ReportData): Section | undefined {
  const refusals = refusalsOf(data.estimates);
  const all = warningsOf(data.estimates);
  const warnings = all.filter(({ open }) => !open);
  const granted = all.filter(({ open }) => open);
  if (refusals.length === 0 && all.length === 0) return undefined;
  const { scorers } = cellsOf(data.estimates);
  const name = refusals.length > 0 ? 'Refused' : warnings.length > 0 ? 'Warnings' : 'Assumptions';
  // What is said of several policies in the same words is one line.
  const listed = (of: typeof all): Block => {
    const lines = new Map<string, { readonly policies: string[]; readonly said: Prose }>();
    for (const { policy, text, ablations } of of) {
      const where = ablationsText({ ablations }, scorers);
      const line = lines.get(text + where) ?? { policies: [], said: [`: ${text}. `, { quiet: where }] };
      lines.set(text + where, line);
      line.policies.push(policy);
    }
    const items = [...lines.values()].map(({ policies, said }): Prose => [{ strong: policies.join(', ') }, ...said]);
    return { type: 'list', items };
  };
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
    warnings.length > 0 && listed(warnings),
    granted.length > 0 && name !== 'Assumptions' && heading('Assumptions'),
    granted.length > 0 && prose(GRANTED),
    granted.length > 0 && listed(granted),
  ]);
}

const GRANTED =
  'Estimates by a calibration take the judge to mean the same on every policy, and all estimates take labels to show what kinds of answers there are, and prompts to be independent: what belongs together, such as the turns of a conversation, needs one prompt id. Labels contradict it nowhere below, and leave open by how much it may fail.';
