/** Machines that share a cache: each with a store of its own, all with one place. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { Action } from '../../src/core/storage.ts';
import { folderStore } from '../../src/remote/folder.ts';
import { KnownSegments } from '../../src/remote/known.ts';
import type { ObjectStore } from '../../src/remote/object-store.ts';
import type { Remote } from '../../src/remote/remote.ts';
import { newSigningKey, type PublicKey, type SigningKey } from '../../src/remote/signing.ts';
import { type LocalStore, openStore } from '../../src/store/store.ts';
import { sampleAction, sampleBuild, sampleCall } from '../store/sample.ts';

export interface Machine {
  readonly store: LocalStore;
  readonly remote: Remote;
  readonly notes: string[];
}

export const DAY = 24 * 3600 * 1000;
export const NOW = 1_780_000_000_000;

export function team() {
  const folders: string[] = [];
  const stores: LocalStore[] = [];
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'cje-team-'));
    folders.push(path);
    return path;
  };
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
  });
  return {
    folder,
    /** @param now moves with the test */
    machine(
      place: ObjectStore | string,
      trusted: readonly (SigningKey | PublicKey)[],
      key?: SigningKey,
      now: () => number = () => NOW,
    ): Machine {
      const home = folder();
      const store = openStore(join(home, '.cache'));
      stores.push(store);
      const notes: string[] = [];
      const remote: Remote = {
        objects: typeof place === 'string' ? folderStore(place) : place,
        trusted: new Set(trusted.map((each) => (typeof each === 'string' ? each : each.public))),
        key,
        known: new KnownSegments(join(home, 'known')),
        now,
        note: (text) => notes.push(text),
      };
      return { store, remote, notes };
    },
  };
}

export const newKey = (): SigningKey => newSigningKey().key;

/** Replies, a failure, an answer that was asked again, and a finished node on top of them. */
export async function fill(store: LocalStore, from = 0, replies = 20): Promise<Action> {
  const samples = Array.from({ length: replies }, (_, index) => sampleCall(from + index));
  await Promise.all(samples.map(({ key, call }) => store.calls.put(key, call)));
  const failed = sampleCall(from + 5000);
  const failure = { class: 'permanent', reason: 'filtered', message: 'no' } as const;
  await store.calls.putFailure(failed.key, { request: failed.call.request, failure, failedAt: 4, node: 'p0' });
  const again = sampleCall(from + 6000);
  await store.calls.put(again.key, { ...again.call, raw: '{"first":1}' });
  await Promise.all([store.calls.supersede(again.key), store.calls.put(again.key, again.call)]);
  const rows = await store.blobs.put(`{"text":"rows of ${from}"}\n`.repeat(50));
  const keys = [...samples.map(({ key }) => key), failed.key, again.key];
  const calls = await store.blobs.put(keys.map((key) => `${key}\n`).join(''));
  const action = { ...sampleAction(`node ${from}`), outputs: { 'rows.jsonl': rows }, calls };
  await store.actions.put(action);
  const node = { key: action.key, outcome: 'run', outputs: action.outputs, bought: replies, cost: 1 } as const;
  await store.builds.put({ ...sampleBuild(`20260101-000000-000-${from}`), nodes: { 'responses/p0': node } });
  return action;
}
