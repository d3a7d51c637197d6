/** The pipeline that the viewer shows: opened without the lock, and opened again when its files change. */

import { ProblemError } from '../core/problem.ts';
import type { LockHolder, PipelineSettings } from '../core/storage.ts';
import { isGone, systemProcesses } from '../store/disk/processes.ts';
import { readProgress } from '../ui/progress-file.ts';
import type { PipelineSource } from '../viewer/model/build-source.ts';
import type { Session } from './compose.ts';
import { isAsSeen } from './last-build.ts';

interface ViewedSession extends PipelineSource {
  current(): Session;
  close(): Promise<void>;
}

/**
 * Opens the pipeline for reading; by the settings of a build where they are given.
 *
 * @throws ProblemError where its files have mistakes
 */
type Open = (settings: PipelineSettings | undefined) => Promise<Session>;

/** @param openPast opens what earlier builds left, whatever the pipeline's files say */
export async function viewedSession(open: Open, openPast: () => Session): Promise<ViewedSession> {
  let opened = await openOr(open, openPast);
  /** Of the build that the pipeline was opened for; empty: as the viewer was told. */
  let settings = '';
  const building = (): LockHolder | undefined => {
    // A build that died holds its lock until the next one takes it over.
    const holder = opened.session.store.lock.holder();
    return holder === undefined || isGone(holder, systemProcesses) ? undefined : holder;
  };
  const wanted = () => building()?.settings;
  return {
    current: () => opened.session,
    problem: () => opened.problem,
    // Files with mistakes are read again each time: which of them it takes to mend them is not known.
    changed: () =>
      opened.problem !== undefined ||
      settingsText(wanted()) !== settings ||
      !opened.session.read.consulted.every(isAsSeen),
    async reload() {
      const of = wanted();
      let fresh: Session;
      try {
        fresh = await open(of);
      } catch (error) {
        if (error instanceof ProblemError) opened = { ...opened, problem: error };
        throw error;
      }
      await opened.session.close();
      opened = { session: fresh };
      settings = settingsText(of);
      return fresh;
    },
    async refresh() {
      const { database } = opened.session.store;
      // A compaction puts another file in the place of the one that is open.
      if (!database.isCurrent()) await database.reopen();
    },
    building,
    progress: () => readProgress(opened.session.cache, building()?.pid),
    close: () => opened.session.close(),
  };
}

interface Opened {
  readonly session: Session;
  /** Why the pipeline's files could not be read. */
  readonly problem?: ProblemError;
}

async function openOr(open: Open, openPast: () => Session): Promise<Opened> {
  try {
    return { session: await open(undefined) };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const session = openPast();
    if (session.store.builds.list(1)[Symbol.iterator]().next().done !== true) return { session, problem: error };
    await session.close();
    // Nothing was built yet, so there is nothing to show.
    throw error;
  }
}

const settingsText = (settings: PipelineSettings | undefined): string =>
  settings === undefined ? '' : JSON.stringify(settings);
