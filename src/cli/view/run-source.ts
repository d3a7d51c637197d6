/** What the viewer shows, out of the cache and the pipeline's files. Nothing is written, and no lock is taken. */

import { ProblemError } from '../../core/problem.ts';
import { isGone, systemProcesses } from '../../store/disk/processes.ts';
import type { LocalStore } from '../../store/store.ts';
import { NOW, type Run, type RunSource } from '../../view/source.ts';
import { findBuild } from '../cache/build-name.ts';
import { stampOf } from '../fast-path.ts';
import type { Session } from '../session.ts';
import { comparisonOf } from './comparison.ts';
import { nodesNow, nodesOf } from './open-build.ts';
import { openRun } from './open-run.ts';
import { RowTables } from './row-tables.ts';

/** Builds that stay open: what they were joined from is dear to read again. */
const OPEN = 3;

export interface SessionSource {
  /** The session as it is now. */
  current(): Session;
  /** Reads the pipeline's files again. @throws ProblemError where they have mistakes */
  reload(): Promise<Session>;
}

/** @param start the build that is shown first; absent: the newest, or what stands now while there is none or one runs. */
export function runSource(sessions: SessionSource, start: string | undefined): RunSource {
  const store = (): LocalStore => sessions.current().store;
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

  /** A build that died holds its lock until the next one takes it over. */
  const building = () => {
    const holder = store().lock.holder();
    return holder === undefined || isGone(holder, systemProcesses) ? undefined : holder;
  };

  const openNow = async (): Promise<Run> => {
    let session = sessions.current();
    if (session.read.consulted.some((stamp) => String(stampOf(stamp[0])) !== String(stamp))) {
      session = await sessions.reload();
      // What is open reads from the session that is closed now.
      past.clear();
      now = undefined;
    }
    const nodes = await nodesNow(session.graph, session.ports);
    // While nothing moves, what was joined for the last page serves the next one.
    const state = JSON.stringify(
      nodes.map(({ name, state: how, action }) => [name, how, action?.key, action?.outputs]),
    );
    if (now?.state === state) return now.run;
    now = { state, run: openRun(NOW, undefined, nodes, tables, session.ports) };
    return now.run;
  };

  return {
    get experiment() {
      return sessions.current().graph.name;
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
      return newest === undefined || building() !== undefined ? NOW : newest.id;
    },
    async refresh() {
      // A compaction puts another file in the place of the one that is open.
      if (!store().database.isCurrent()) await store().database.reopen();
    },
    async open(id) {
      if (id === NOW) return openNow();
      const known = past.get(id);
      if (known !== undefined) return known;
      const record = store().builds.get(id);
      if (record === undefined) return undefined;
      const { graph, ports } = sessions.current();
      const run = openRun(id, record, nodesOf(record, graph, ports), tables, ports);
      if (past.size >= OPEN) past.delete(past.keys().next().value!);
      past.set(id, run);
      return run;
    },
    building,
    compare: async (before, after) => comparisonOf(before, after, store()),
  };
}
