/** The sheet of what people should label next as a CSV file: a new one, or what the one that is there lacks. */

import type { GraphNode } from '../../core/graph.ts';
import type { Input } from '../../core/kind.ts';
import { ProblemError } from '../../core/problem.ts';
import { csvCell } from '../../text/csv.ts';
import { readRecords } from '../files/table.ts';
import { labelPlanOf } from '../label-sample.ts';
import { LABELS, RESPONSES } from '../row-types.ts';
import { labelSheet, SHEET_COLUMNS, type SheetRow, safeCell } from './label-sheet.ts';

interface SheetLines {
  /** What is to be written, or added to the file that is there. */
  readonly text: string;
  /** Texts in it. */
  readonly written: number;
  /** Texts that were in the file already. */
  readonly kept: number;
}

interface SheetFile {
  readonly bytes: Buffer;
  /** As it was typed. */
  readonly label: string;
}

/**
 * @param node whose labels are wanted
 * @param built what a node has left. @throws ProblemError where it is not built
 * @param labelled what the node itself has left, where it was built
 * @param there the file, where there is one
 * @throws ProblemError where the file is something else
 */
export async function sheetLines(
  node: GraphNode,
  built: (name: string) => Input,
  labelled: Input | undefined,
  there: SheetFile | undefined,
): Promise<SheetLines> {
  const responses = new Map(
    (node.inputs.responses?.nodes ?? []).map(({ label, node: upstream }) => [label, built(upstream).rows(RESPONSES)]),
  );
  const sheet = labelSheet(responses, labelled?.rows(LABELS) ?? [], labelPlanOf(node.params));
  const asked = there === undefined ? undefined : await idsIn(there);
  const rows = sheet.filter(({ text_id }) => !asked?.ids.has(text_id));
  // People may have put columns of their own behind ours.
  const more = ','.repeat(asked?.columns ?? 0);
  const lines = rows.map((row) => `${lineOf(row)}${more}\r\n`).join('');
  const before = there === undefined ? `${SHEET_COLUMNS.join(',')}\r\n` : endsLine(there) ? '' : '\r\n';
  return { text: `${before}${lines}`, written: rows.length, kept: asked?.ids.size ?? 0 };
}

const lineOf = ({ text_id, prompt, response }: SheetRow): string =>
  [text_id, safeCell(prompt), safeCell(response), ''].map(csvCell).join(',');

const endsLine = ({ bytes }: SheetFile): boolean => /[\r\n]$/.test(bytes.toString('utf8'));

interface Asked {
  readonly ids: ReadonlySet<string>;
  /** Columns behind those of a sheet. */
  readonly columns: number;
}

/** The texts that a sheet asks for already. @throws ProblemError where the file is no sheet of ours */
async function idsIn(file: SheetFile): Promise<Asked> {
  const { columns = [], records } = await readRecords(file, { missing: new Set(), wanted: () => true });
  const [header = ''] = file.bytes.toString('utf8').split(/\r?\n/, 1);
  const ours = SHEET_COLUMNS.every((name, index) => columns[index] === name) && header.includes(',');
  if (!ours) {
    throw new ProblemError({
      id: 'CJE-FOLDER-TAKEN',
      headline: `${file.label} is there already, and its columns are not those of a sheet`,
      facts: [
        ['it has', columns.join(', ')],
        ['a sheet', SHEET_COLUMNS.join(', ')],
      ],
      hint: 'name another file; nothing was written',
    });
  }
  const ids = records.flatMap(({ fields }) => (typeof fields.text_id === 'string' ? [fields.text_id.trim()] : []));
  return { ids: new Set(ids), columns: columns.length - SHEET_COLUMNS.length };
}
