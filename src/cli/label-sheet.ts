/** Writes the sheet of what people should label next, for `cje export --format labels`. */

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { GraphNode } from '../core/graph.ts';
import type { JsonObject } from '../core/json.ts';
import { EXIT, ProblemError } from '../core/problem.ts';
import { labelSheet, SHEET_COLUMNS, type SheetRow, safeCell } from '../datasets/export/label-sheet.ts';
import { readRecords } from '../datasets/files/table.ts';
import type { LabelPlan } from '../datasets/label-sample.ts';
import { LABELS, RESPONSES } from '../datasets/row-types.ts';
import { readInput } from '../engine/inputs.ts';
import { reach } from '../engine/select.ts';
import { survey } from '../engine/survey.ts';
import { csvCell } from '../report/files/estimates-csv.ts';
import type { Session } from './compose.ts';
import { writeText } from './written-file.ts';

interface Sheet {
  readonly node: string;
  /** Texts that were written. */
  readonly written: number;
  /** Texts that were in the file already. */
  readonly kept: number;
}

/**
 * Writes a new file, or adds to one that is a sheet already what it does not ask for yet.
 * @throws ProblemError where responses are not built, or the file is something else
 */
export async function writeLabelSheet(session: Session, node: GraphNode, output: string): Promise<Sheet> {
  const { graph, ports, store } = session;
  const found = await survey(reach(graph, [node.name]), ports);
  const responses = new Map(
    (node.inputs.responses?.nodes ?? []).map(({ label, node: upstream }) => {
      const finished = found.get(upstream);
      if (finished !== undefined) return [label, readInput(finished.action, store.blobs).rows(RESPONSES)] as const;
      throw new ProblemError(
        { id: 'CJE-NOT-BUILT', headline: `${upstream} is not built`, hint: `cje build ${node.name}` },
        EXIT.failed,
      );
    }),
  );
  const labelled = found.get(node.name);
  const labels = labelled === undefined ? [] : readInput(labelled.action, store.blobs).rows(LABELS);
  const sheet = labelSheet(responses, labels, labelPlanOf(node.params));
  const path = resolve(output);
  const asked = existsSync(path) ? await idsIn(path, output) : undefined;
  const rows = sheet.filter(({ text_id }) => !asked?.ids.has(text_id));
  // People may have put columns of their own behind ours.
  const more = ','.repeat(asked?.columns ?? 0);
  const lines = rows.map((row) => `${lineOf(row)}${more}\r\n`).join('');
  if (asked === undefined) writeText(path, `${SHEET_COLUMNS.join(',')}\r\n${lines}`, 'the sheet', 'wx');
  else if (rows.length > 0) writeText(path, `${endsLine(path) ? '' : '\r\n'}${lines}`, 'the sheet', 'a');
  return { node: node.name, written: rows.length, kept: asked?.ids.size ?? 0 };
}

const lineOf = ({ text_id, prompt, response }: SheetRow): string =>
  [text_id, safeCell(prompt), safeCell(response), ''].map(csvCell).join(',');

const endsLine = (path: string): boolean => /[\r\n]$/.test(readFileSync(path, 'utf8'));

interface Asked {
  readonly ids: ReadonlySet<string>;
  /** Columns behind those of a sheet. */
  readonly columns: number;
}

/** The texts that a sheet asks for already. @throws ProblemError where the file is no sheet of ours */
async function idsIn(path: string, written: string): Promise<Asked> {
  const bytes = readFileSync(path);
  const { columns = [], records } = await readRecords(
    { bytes, label: written },
    { missing: new Set(), wanted: () => true },
  );
  const [header = ''] = bytes.toString('utf8').split(/\r?\n/, 1);
  const ours = SHEET_COLUMNS.every((name, index) => columns[index] === name) && header.includes(',');
  if (!ours) {
    throw new ProblemError({
      id: 'CJE-FOLDER-TAKEN',
      headline: `${written} is there already, and its columns are not those of a sheet`,
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

/** What a node's parameters say of who is labelled; an oracle's and a table's words for it differ. */
export function labelPlanOf(params: JsonObject): LabelPlan {
  const number = (name: string, otherwise: number) => {
    const value = params[name];
    return typeof value === 'number' ? value : otherwise;
  };
  const share = number('share', 1);
  const seed = number('seed', 42);
  return {
    logger: typeof params.logger === 'string' ? params.logger : undefined,
    calibrationShare: number('calibration_share', share),
    validationShare: number('validation_share', share),
    seed,
    validationSeed: number('validation_seed', seed),
  };
}
