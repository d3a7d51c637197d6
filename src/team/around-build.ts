/** What a build does with a shared cache: takes before, looks there before it buys, gives after. It never fails for that. */

import type { Digest } from '../core/digest.ts';
import type { Graph } from '../core/graph.ts';
import { ProblemError } from '../core/problem.ts';
import type { RefusedObject, Remote } from '../remote/remote.ts';
import type { BringAnswer } from '../replies/shared.ts';
import type { LocalStore } from '../store/store.ts';
import type { OpenedRemote } from './open-remote.ts';
import { remoteFilePath } from './remote-settings.ts';
import { differentText, givenText, takenText } from './remote-text.ts';

export interface SharedCache {
  /** Takes what is new, where the settings say so. */
  take(): Promise<void>;
  /** Learns what is there, and takes none of it yet. */
  look(): Promise<void>;
  /** Brings an answer that is there into the store; absent where nothing may be fetched. */
  readonly bring?: BringAnswer;
  readonly remote: Remote;
  /** Gives the answers to these calls, or everything; false where that is not possible now. Absent where nothing may be given. */
  readonly giveAnswers?: (calls: readonly Digest[] | 'all') => Promise<boolean>;
  /** Gives what the build bought and made, where the settings say so. */
  give(calls: { readonly bought: number }): Promise<void>;
}

interface CacheOfProject {
  readonly graph: Pick<Graph, 'root'>;
  /** The cache folder. */
  readonly cache: string;
  readonly store: LocalStore;
}

interface SharedOptions {
  /** For the lock. */
  readonly command: string;
  readonly note: (text: string) => void;
}

/** Opens the shared cache for the duration of `work`, which gets none where none is named: nothing is loaded then. */
export async function withSharedCache<T>(
  project: CacheOfProject,
  options: SharedOptions,
  work: (shared: SharedCache | undefined) => Promise<T>,
): Promise<T> {
  const { graph, cache } = project;
  if (remoteFilePath(graph.root) === undefined) return work(undefined);
  const { openRemote } = await import('./open-remote.ts');
  const remote = await openRemote({ root: graph.root, cache, note: options.note });
  if (remote === undefined) return work(undefined);
  try {
    return await work(await sharedCache(project, remote, options));
  } finally {
    await remote.objects.close();
  }
}

async function sharedCache(
  { store }: CacheOfProject,
  remote: OpenedRemote,
  { command, note }: SharedOptions,
): Promise<SharedCache> {
  const [{ lookAround, pull }, { SharedAnswers }, { push, pushAnswers }, { holdKept }] = await Promise.all([
    import('../remote/pull.ts'),
    import('../remote/shared-answers.ts'),
    import('../remote/push.ts'),
    import('../remote/holds.ts'),
  ]);
  const { settings, key, trusted } = remote;
  const tell = (refused: readonly RefusedObject[]) => {
    for (const { name, reason } of refused) note(`shared cache: ${name} was refused: ${reason}`);
  };
  let answers: InstanceType<typeof SharedAnswers> | undefined;
  const look = async () => {
    tell((await lookAround(remote)).refused);
    answers = undefined;
  };
  const giveAnswers = (calls: readonly Digest[] | 'all') =>
    without(
      note,
      'what was bought meanwhile is given as soon as that is possible',
      async () => {
        await (calls === 'all' ? push(store, remote, { all: false }) : pushAnswers(store, remote, calls));
        return true;
      },
      false,
    );
  return {
    remote,
    ...(settings.push === 'never' || key === undefined ? {} : { giveAnswers }),
    look: () => without(note, 'nothing is looked for there', look),
    take: () =>
      without(note, 'the build goes on with what is here', async () => {
        if (settings.pull === 'missing') await look();
        if (settings.pull !== 'before') return;
        const lock = await store.lock.acquire(command);
        // The build itself will say who holds it.
        if (!lock.ok) return;
        try {
          const { added, refused, different } = await pull(store, remote);
          if (added.replies + added.failures + added.actions > 0) note(`shared cache: ${takenText(added)}`);
          if (different > 0) note(`shared cache: ${differentText(different)}`);
          tell(refused);
        } finally {
          await store.lock.release();
        }
      }),
    ...(settings.pull === 'never'
      ? {}
      : {
          bring: async (call) => {
            answers ??= new SharedAnswers(store, remote);
            const found = answers.bring(call);
            // Most misses are known at once to be misses there, too.
            if (found === undefined) return false;
            return await without(note, 'what is there is bought', () => found, false);
          },
        }),
    give: ({ bought }) =>
      without(note, 'a later `cje cache push` gives what is new', async () => {
        if (settings.push === 'after') {
          if (key === undefined) {
            if (bought > 0) note('shared cache: nothing was given, because this machine has no key to sign with');
            return;
          }
          const given = await push(store, remote, { all: false });
          if (given.segments > 0) note(`shared cache: ${givenText(given)}`);
        }
        if (key !== undefined && trusted.has(key.public)) await holdKept(store, remote, Math.random);
      }),
  };
}

/** A place that cannot be reached costs what it would have saved, and nothing else. */
async function without<T>(note: (text: string) => void, then: string, work: () => Promise<T>): Promise<T | undefined>;
async function without<T>(note: (text: string) => void, then: string, work: () => Promise<T>, instead: T): Promise<T>;
async function without<T>(note: (text: string) => void, then: string, work: () => Promise<T>, instead?: T) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const [problem] = error.problems;
    const reason = problem?.facts?.[0]?.[1];
    note(`${problem?.headline}${reason === undefined ? '' : ` (${reason})`}; ${then}`);
    return instead;
  }
}
