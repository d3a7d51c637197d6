/** The pipeline that the viewer shows: opened without the lock, and opened again when its files change. */

import type { LockHolder } from '../core/storage.ts';
import { isGone, systemProcesses } from '../store/disk/processes.ts';
import type { PipelineSource } from '../viewer/model/build-source.ts';
import type { Session } from './compose.ts';
import { stampOf } from './last-build.ts';

interface ViewedSession extends PipelineSource {
  current(): Session;
  close(): Promise<void>;
}

/** @param open opens the pipeline for reading. @throws ProblemError where its files have mistakes */
export async function viewedSession(open: () => Promise<Session>): Promise<ViewedSession> {
  let session = await open();
  return {
    current: () => session,
    changed: () => session.read.consulted.some((stamp) => String(stampOf(stamp[0])) !== String(stamp)),
    async reload() {
      const fresh = await open();
      await session.close();
      session = fresh;
      return session;
    },
    async refresh() {
      const { database } = session.store;
      // A compaction puts another file in the place of the one that is open.
      if (!database.isCurrent()) await database.reopen();
    },
    building(): LockHolder | undefined {
      // A build that died holds its lock until the next one takes it over.
      const holder = session.store.lock.holder();
      return holder === undefined || isGone(holder, systemProcesses) ? undefined : holder;
    },
    close: () => session.close(),
  };
}
