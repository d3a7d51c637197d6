/** Threads for heavy transforms: as many as asked for, started by need, kept for the next task, one task each at a time. */

import { Worker } from 'node:worker_threads';
import type { Executor, TransformResult, TransformTask } from '../executor.ts';
import { type FromThread, type ThreadOptions, threadDied, unpackError } from './messages.ts';

/** The part of a worker thread that the pool needs; a test stands in for it. */
export interface Thread {
  postMessage(task: TransformTask): void;
  on(event: 'message', listener: (reply: FromThread) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  ref(): void;
  unref(): void;
  terminate(): Promise<unknown>;
}

interface Waiting {
  readonly task: TransformTask;
  readonly admit: () => boolean;
  readonly resolve: (result: TransformResult | undefined) => void;
  readonly reject: (error: Error) => void;
}

export class ThreadPool implements Executor {
  readonly #start: () => Thread;
  readonly #size: number;
  readonly #idle: Thread[] = [];
  readonly #busy = new Map<Thread, Waiting>();
  readonly #queue: Waiting[] = [];

  /** @param size threads at most, at least 1 */
  constructor(start: () => Thread, size: number) {
    this.#start = start;
    this.#size = size;
  }

  run(task: TransformTask, admit: () => boolean): Promise<TransformResult | undefined> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ task, admit, resolve, reject });
      this.#next();
    });
  }

  /** Ends every thread; what they were making is lost, and made again by the next build. */
  async close(): Promise<void> {
    for (const { resolve } of this.#queue.splice(0)) resolve(undefined);
    const threads = [...this.#idle.splice(0), ...this.#busy.keys()];
    await Promise.all(threads.map((thread) => thread.terminate()));
  }

  #next(): void {
    while (this.#queue.length > 0 && this.#busy.size < this.#size) {
      const waiting = this.#queue.shift()!;
      if (!waiting.admit()) {
        waiting.resolve(undefined);
        continue;
      }
      const thread = this.#idle.pop() ?? this.#open();
      this.#busy.set(thread, waiting);
      thread.ref();
      thread.postMessage(waiting.task);
    }
  }

  #open(): Thread {
    const thread = this.#start();
    let cause: string | undefined;
    thread.on('message', (reply) => {
      const waiting = this.#release(thread);
      this.#idle.push(thread);
      // A build that ends in an unforeseen way must not hang on its threads.
      thread.unref();
      if (reply.type === 'made') waiting?.resolve(reply.result);
      else waiting?.reject(unpackError(reply));
      this.#next();
    });
    thread.on('error', (error) => {
      cause = error.message;
    });
    thread.on('exit', (code) => {
      const waiting = this.#release(thread);
      const at = this.#idle.indexOf(thread);
      if (at >= 0) this.#idle.splice(at, 1);
      waiting?.reject(threadDied(waiting.task.node, cause ?? `exit code ${code}`));
      this.#next();
    });
    return thread;
  }

  #release(thread: Thread): Waiting | undefined {
    const waiting = this.#busy.get(thread);
    this.#busy.delete(thread);
    return waiting;
  }
}

/** @param entry the bundled `worker.ts` */
export function threadPool(entry: URL, options: ThreadOptions, size: number): ThreadPool {
  return new ThreadPool(() => new Worker(entry, { workerData: options, name: 'transform' }), size);
}
