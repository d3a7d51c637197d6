/** The tables of a build's report targets, beside those of the build before. */

import { ROWS, writes } from '../core/kind.ts';
import type { OutputRef } from '../core/storage.ts';
import { METHODS } from '../datasets/row-types.ts';
import type { BuildOutcome } from '../engine/build/build.ts';
import { readInput } from '../engine/inputs.ts';
import { DATA, REPORT_JSON, type ReportData } from '../report/model/data.ts';
import { gridTable } from '../report/render/terminal/grid.ts';
import { renderTable } from '../report/render/terminal/report.ts';
import { painter } from '../text/paint.ts';
import type { Session } from './compose.ts';
import type { TerminalLook } from './last-build.ts';

export function reportTables(
  session: Session,
  targets: readonly string[],
  outcome: Pick<BuildOutcome, 'results' | 'build'>,
  look: TerminalLook,
): string {
  const { graph, store } = session;
  const tables: string[] = [];
  for (const target of targets) {
    const action = outcome.results.get(target)?.action;
    const kind = session.kinds.get(graph.nodes.get(target)?.kind ?? '')?.kind;
    if (action?.outputs[ROWS] !== undefined && writes(kind, METHODS)) {
      const scores = [...readInput(action, store.blobs).rows(METHODS)];
      tables.push(gridTable(scores, look.width, painter(look.color)));
      continue;
    }
    const ref = action?.outputs[DATA];
    if (ref === undefined || !writes(kind, REPORT_JSON)) continue;
    const data = read(store, ref);
    const before = outcome.build === null ? undefined : previous(session, target, outcome.build);
    // A build that made the same report again moved nothing; there is nothing to compare.
    const moved = before === undefined || before.digest === ref.digest ? undefined : readIfPresent(store, before);
    tables.push(
      renderTable(data, { color: look.color, width: look.width, ...(moved === undefined ? {} : { previous: moved }) }),
    );
  }
  return tables.join('\n');
}

/** The same report in the newest earlier build that made it. */
function previous({ store, graph }: Session, target: string, id: string): OutputRef | undefined {
  for (const record of store.builds.list()) {
    if (record.id === id || record.profile !== graph.profile) continue;
    const ref = record.nodes[target]?.outputs[DATA];
    if (ref !== undefined) return ref;
  }
  return undefined;
}

function read(store: Session['store'], ref: OutputRef): ReportData {
  return JSON.parse(new TextDecoder().decode(store.blobs.read(ref))) as ReportData;
}

function readIfPresent(store: Session['store'], ref: OutputRef): ReportData | undefined {
  return store.blobs.locate(ref) === undefined ? undefined : read(store, ref);
}
