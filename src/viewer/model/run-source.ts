/** What the viewer shows, out of the cache and the pipeline's files. Nothing is written, and no lock is taken. */

import type { Graph } from '../../core/graph.ts';
import { ProblemError } from '../../core/problem.ts';
import type { LockHolder, Store } from '../../core/storage.ts';
import { findBuild } from '../../engine/build-name.ts';
import type { Ports } from '../../engine/ports.ts';
import { comparisonOf } from './comparison.ts';
import { nodesNow, nodesOf } from './open-build.ts';
import { openRun } from './open-run.ts';
import { RowTables } from './row-tables.ts';
import { NOW, type Run, type RunSource } from './types.ts';

/** Builds that stay open: what they were joined from is dear to read again. */
const OPEN = 3;

/** A pipeline as the viewer reads it: its graph, and the store behind it. */
export interface ViewedPipeline {
  readonly graph: Graph;
  readonly ports: Ports;
  readonly store: Pick<Store, 'actions' | 'blobs' | 'builds'>;
}

/** Opens the pipeline and follows what changes on the disk. */
export interface PipelineSource {
  /** The pipeline as it was opened last. */
  current(): ViewedPipeline;
  /** Whether the pipeline's files differ from what was read. */
  changed(): boolean;
  /** Reads the pipeline's files again, and closes what was open. @throws ProblemError where they have mistakes */
  reload(): Promise<ViewedPipeline>;
  /** Sees what other commands have written since. */
  refresh(): Promise<void>;
  /** The build that runs now. */
  building(): LockHolder | undefined;
}

/** @param start the build that is shown first; absent: the newest, or what stands now while there is none or one runs. */
export function runSource(pipelines: PipelineSource, start: string | undefined): RunSource {
  const store = (): ViewedPipeline['store'] => pipelines.current().store;
  const tables = new RowTables({
    writer: () => store().blobs.writer(),
    put: (content) => store().blobs.put(content),
    locate: (ref) => store().blobs.locate(ref),
    read: (ref) => store().blobs.read(ref),
    rows: (ref) => store().blobs.rows(ref),
    chunks: (ref) => store().blobs.chunks(ref),
    setAside: (ref) => store().blobs.setAside(ref),
  });
  const past = new Map<string, Run>();
  let now: { readonly state: string; readonly run: Run } | undefined;

  const openNow = async (): Promise<Run> => {
    let pipeline = pipelines.current();
    if (pipelines.changed()) {
      pipeline = await pipelines.reload();
      // What is open reads from the store that is closed now.
      past.clear();
      now = undefined;
    }
    const nodes = await nodesNow(pipeline.graph, pipeline.ports);
    // While nothing moves, what was joined for the last page serves the next one.
    const state = JSON.stringify(
      nodes.map(({ name, state: how, action }) => [name, how, action?.key, action?.outputs]),
    );
    if (now?.state === state) return now.run;
    now = { state, run: openRun(NOW, undefined, nodes, tables, pipeline.ports) };
    return now.run;
  };

  return {
    get experiment() {
      return pipelines.current().graph.name;
    },
    builds: () => [...store().builds.list()],
    resolve(name) {
      if (name === NOW) return NOW;
      try {
        return findBuild(store().builds, name).id;
      } catch (error) {
        if (error instanceof ProblemError) return undefined;
        throw error;
      }
    },
    start() {
      if (start !== undefined) return start;
      const [newest] = store().builds.list(1);
      return newest === undefined || pipelines.building() !== undefined ? NOW : newest.id;
    },
    refresh: () => pipelines.refresh(),
    async open(id) {
      if (id === NOW) return openNow();
      const known = past.get(id);
      if (known !== undefined) return known;
      const record = store().builds.get(id);
      if (record === undefined) return undefined;
      const { graph, ports } = pipelines.current();
      const run = openRun(id, record, nodesOf(record, graph, ports), tables, ports);
      if (past.size >= OPEN) past.delete(past.keys().next().value!);
      past.set(id, run);
      return run;
    },
    building: () => pipelines.building(),
    compare: async (before, after) => comparisonOf(before, after, store()),
  };
}
