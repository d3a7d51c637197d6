/** What was exported, and what it lacks for who reads it, for people. */

import type { Exported } from '../datasets/export/cje-eval.ts';
import { printable } from '../text/escape.ts';
import { count } from '../text/numbers.ts';
import { counted } from '../text/plural.ts';

export function exportedText(node: string, where: string, { logged, fresh, leftOut, withoutDraw }: Exported): string {
  const lines = [`Wrote ${count(logged)} logged rows and ${count(fresh)} fresh draws of ${node} to ${where}`];
  if (leftOut > 0) lines.push(`Left out: ${count(leftOut)} without a judge score, which cje-eval does not read`);
  for (const [policy, prompts] of withoutDraw) {
    const name = printable(policy);
    lines.push(`${name} has no draw for ${count(prompts)} logged prompts: cje-eval's dr estimators want one for each`);
  }
  return `${lines.join('\n')}\n`;
}

interface WrittenSheet {
  readonly node: string;
  /** Texts that were written, and texts that were there. */
  readonly written: number;
  readonly kept: number;
}

export function sheetText({ node, written, kept }: WrittenSheet, where: string): string {
  const before = kept === 0 ? '' : ` beside ${count(kept)} that were there`;
  return written === 0
    ? `Nothing to label: every text that ${node} asks for is labelled or in ${where} already\n`
    : `Wrote ${counted(written, 'text')} to label to ${where}${before}. Fill in the column \`label\`, then build again\n`;
}
