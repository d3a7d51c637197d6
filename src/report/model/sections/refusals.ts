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
  const listed = (of: typeof all): Block => ({
    type: 'list',
    items: toldOnce(
      of.map(({ policy, text, ablations }) => ({ policy, text, of: ablationsText({ ablations }, scorers) })),
    ).map(
      ({ policies, text, of: ablations }): Prose => [
        { strong: policies.join(', ') },
        `: ${text}. `,
        { quiet: ablations },
      ],
    ),
  });
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

interface Told {
  readonly text: string;
  /** The ablations that it is said of. */
  readonly of: string;
}

/** What is said of several policies in the same words is one line. */
function toldOnce(
  lines: readonly (Told & { readonly policy: string })[],
): (Told & { readonly policies: readonly string[] })[] {
  const groups = new Map<string, Told & { policies: string[] }>();
  for (const { policy, text, of } of lines) {
    const key = JSON.stringify([text, of]);
    const group = groups.get(key) ?? { text, of, policies: [] };
    groups.set(key, group);
    group.policies.push(policy);
  }
  return [...groups.values()];
}

const GRANTED =
  'Estimates by a calibration take the judge to mean the same on every policy, and all estimates take labels to show what kinds of answers there are, and prompts to be independent: what belongs together, such as the turns of a conversation, needs one prompt id. Labels contradict it nowhere below, and leave open by how much it may fail.';
