/**
 * Entry of the threads that run heavy transforms. A thread reads its inputs from the cache's blobs itself, checking their
 * digests, and leaves its outputs there, so that what crosses is a task and some digests. It runs the kind's own code,
 * which is what the node's key holds a digest of; this file only carries it.
 */

import { parentPort, workerData } from 'node:worker_threads';
import type { TransformKind } from '../core/kind.ts';
import { evaluateTask } from '../engine/blocks.ts';
import { type FromThread, packError, type ThreadOptions, type ToThread } from '../engine/threads/messages.ts';
import { registerKinds } from '../kinds/index.ts';
import { FileBlobs } from '../store/blobs/blobs.ts';
import { nodeDisk } from '../store/disk/disk.ts';
import { CODE_DIGESTS } from './build-info.ts';

const port = parentPort;
if (port === null) throw new Error('Internal error: this file runs in a worker thread only');
const { cache } = workerData as ThreadOptions;
const blobs = new FileBlobs(cache, { readOnly: false, disk: nodeDisk });
const kinds = registerKinds(CODE_DIGESTS);

const answer = async (task: ToThread): Promise<FromThread> => {
  try {
    const kind = kinds.get(task.kind)?.kind;
    if (kind?.shape !== 'transform') throw new Error(`Internal error: ${task.kind} is no transform`);
    const result = await evaluateTask(task, kind as TransformKind<unknown>, blobs, () => performance.now());
    return { type: 'made', result };
  } catch (error) {
    return packError(error);
  }
};

port.on('message', (task: ToThread) => void answer(task).then((reply) => port.postMessage(reply)));
