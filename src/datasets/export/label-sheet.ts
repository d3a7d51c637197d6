/** The sheet of what people should label next: blind, in random order, each text once. */

import { digestText } from '../../core/digest.ts';
import { isUsable } from '../../core/summary.ts';
import { type LabelPlan, labelledNames } from '../label-sample.ts';
import { drawName, type LabelRow, type ResponseRow } from '../rows.ts';
import { textDigest } from '../text-digest.ts';

/** `label` is empty: it is what people fill in. Neither the policy nor a score is told. */
export const SHEET_COLUMNS = ['text_id', 'prompt', 'response', 'label'] as const;

export interface SheetRow {
  readonly text_id: string;
  readonly prompt: string;
  readonly response: string;
}

/**
 * @param responses of each policy
 * @param labelled what has a label, and need not be asked for
 */
export function labelSheet(
  responses: ReadonlyMap<string, Iterable<ResponseRow>>,
  labelled: Iterable<LabelRow>,
  plan: LabelPlan,
): readonly SheetRow[] {
  const done = new Set(Array.from(labelled, (row) => `${row.policy}\n${drawName(row.prompt_id, row.draw_index)}`));
  const sheet = new Map<string, SheetRow>();
  for (const [policy, of] of responses) {
    const rows = [...of];
    const chosen = labelledNames(policy, rows, plan);
    for (const row of rows) {
      const name = drawName(row.prompt_id, row.draw_index);
      if (!isUsable(row.status) || row.response === null || !chosen.has(name) || done.has(`${policy}\n${name}`))
        continue;
      // Policies that gave the same answer are told of it at once.
      const id = textDigest(row);
      sheet.set(id, { text_id: id, prompt: asked(row), response: row.response });
    }
  }
  const rank = ({ text_id }: SheetRow): string => digestText(`${plan.seed}:${text_id}`);
  return [...sheet.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** The whole conversation where there is more than one turn of it. */
function asked({ prompt, messages }: ResponseRow): string {
  if (messages === undefined) return prompt;
  return messages.map(({ role, content }) => `[${role}]\n${content}`).join('\n\n');
}

/** A spreadsheet takes a cell that begins so for a formula; texts of models are nobody's formulas. */
export const safeCell = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
