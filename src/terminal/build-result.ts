/** What a build shows at its end, beside what the build before came to. */

import { join, relative } from 'node:path';
import type { Graph } from '../core/graph.ts';
import { type RegisteredKind, ROWS, writes } from '../core/kind.ts';
import type { OutputRef, Store } from '../core/storage.ts';
import { completeItems } from '../core/summary.ts';
import { datasetOfScorer, isOfPeople, labelNodes } from '../datasets/nodes.ts';
import { METHODS } from '../datasets/row-types.ts';
import type { BuildOutcome } from '../engine/build/build.ts';
import { readInput } from '../engine/inputs.ts';
import { DATA, PAGE, REPORT_JSON, type ReportData } from '../report/model/data.ts';
import { gridTable } from '../report/render/terminal/grid.ts';
import { renderHeadline } from '../report/render/terminal/headline.ts';
import { renderTable } from '../report/render/terminal/report.ts';
import { printable } from '../text/escape.ts';
import { count } from '../text/numbers.ts';
import { painter } from '../text/paint.ts';
import { counted } from '../text/plural.ts';

interface BuiltPipeline {
  readonly graph: Graph;
  readonly kinds: ReadonlyMap<string, RegisteredKind>;
  readonly store: Pick<Store, 'blobs' | 'builds'>;
  /** The folder of copies for people. */
  readonly out: string;
}

interface ResultOptions {
  readonly look: { readonly color: boolean; readonly width: number };
  /** Every table, in place of one screen. */
  readonly full: boolean;
}

/** What a build came to: its estimates, or where its outputs are. */
export function buildResult(
  pipeline: BuiltPipeline,
  targets: readonly string[],
  outcome: Pick<BuildOutcome, 'results' | 'build'>,
  options: ResultOptions,
): string {
  const shown = targets.flatMap((target) => targetResult(pipeline, target, outcome, options) ?? []);
  return shown.length > 0 ? shown.join('\n') : outputLines(pipeline, targets, outcome);
}

function targetResult(
  pipeline: BuiltPipeline,
  target: string,
  outcome: Pick<BuildOutcome, 'results' | 'build'>,
  { look, full }: ResultOptions,
): string | undefined {
  const { graph, store } = pipeline;
  const action = outcome.results.get(target)?.action;
  const kind = pipeline.kinds.get(graph.nodes.get(target)?.kind ?? '')?.kind;
  if (action?.outputs[ROWS] !== undefined && writes(kind, METHODS)) {
    const scores = [...readInput(action, store.blobs).rows(METHODS)];
    return gridTable(scores, look.width, painter(look.color));
  }
  const ref = action?.outputs[DATA];
  if (ref === undefined || !writes(kind, REPORT_JSON)) return undefined;
  const data = read(store, ref);
  const before = outcome.build === null ? undefined : previousReport(pipeline, target, outcome.build);
  // A build that made the same report again moved nothing; there is nothing to compare.
  const moved = before === undefined || before.digest === ref.digest ? undefined : readIfPresent(store, before);
  const common = { color: look.color, width: look.width, ...(moved === undefined ? {} : { previous: moved }) };
  if (full) return renderTable(data, common);
  const command = labelCommand(pipeline);
  return renderHeadline(data, {
    ...common,
    ...(action?.outputs[PAGE] === undefined ? {} : { report: shownPath(pipeline, join(target, PAGE)) }),
    ...(command === undefined ? {} : { labelCommand: command }),
    datasetOf: (scorer) => datasetOfScorer(pipeline, scorer),
  });
}

const shownPath = ({ out }: BuiltPipeline, path: string) => printable(relative(process.cwd(), join(out, path)));

/** Stages that are listed, so that one screen holds them. */
const MOST_STAGES = 15;

/** Where the outputs are of targets without a report: a line for each stage. */
function outputLines(
  pipeline: BuiltPipeline,
  targets: readonly string[],
  { results }: Pick<BuildOutcome, 'results'>,
): string {
  const stages = new Map<string, { nodes: number; items: number; complete: number }>();
  for (const target of targets) {
    const summary = results.get(target)?.action?.summary;
    const { stage } = pipeline.graph.nodes.get(target)!;
    if (summary === undefined) continue;
    const { nodes, items, complete } = stages.get(stage) ?? { nodes: 0, items: 0, complete: 0 };
    stages.set(stage, {
      nodes: nodes + 1,
      items: items + summary.items,
      complete: complete + completeItems(summary),
    });
  }
  const lines = [...stages].map(([stage, { nodes, items, complete }]) => {
    const done = items === complete ? counted(items, 'item') : `${count(complete)} of ${counted(items, 'item')}`;
    const size = [...(nodes > 1 ? [counted(nodes, 'node')] : []), ...(items > 0 ? [done] : [])];
    return `${printable(stage)}: ${[...size, `in ${shownPath(pipeline, stage)}/`].join(', ')}`;
  });
  const more = lines.length > MOST_STAGES ? [`and ${lines.length - MOST_STAGES + 1} more stages`] : [];
  return [...(more.length > 0 ? lines.slice(0, MOST_STAGES - 1) : lines), ...more].map((line) => `${line}\n`).join('');
}

/** The same report in the newest earlier build that made it. */
function previousReport({ store, graph }: BuiltPipeline, target: string, id: string): OutputRef | undefined {
  for (const record of store.builds.list()) {
    if (record.id === id || record.profile !== graph.profile) continue;
    const ref = record.nodes[target]?.outputs[DATA];
    if (ref !== undefined) return ref;
  }
  return undefined;
}

function read(store: BuiltPipeline['store'], ref: OutputRef): ReportData {
  return JSON.parse(new TextDecoder().decode(store.blobs.read(ref))) as ReportData;
}

function readIfPresent(store: BuiltPipeline['store'], ref: OutputRef): ReportData | undefined {
  return store.blobs.locate(ref) === undefined ? undefined : read(store, ref);
}

/** How the sheet is written that the pipeline reads; undefined where its labels are no people's. */
function labelCommand(pipeline: BuiltPipeline): string | undefined {
  const [node] = labelNodes(pipeline);
  if (node === undefined || !isOfPeople(node, pipeline.kinds)) return undefined;
  const { file } = node.params;
  const path = typeof file === 'string' ? relative(process.cwd(), file) : 'labels.csv';
  return `cje export --format labels -o ${path}`;
}
