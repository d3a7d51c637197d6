/** Starts and stops a simulator in a thread of its own, so that it does not share the build's. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ProblemError } from '../core/problem.ts';
import type { SimulatorStats } from './server.ts';
import type { FromWorker, ToWorker, WorkerOptions } from './worker-messages.ts';

interface SimulatorThread {
  /** The base URL for clients, ending in `/v1`. */
  readonly url: string;
  stats(): Promise<SimulatorStats>;
  close(): Promise<void>;
}

/**
 * @param workerUrl the bundled or transpiled `worker.ts`
 * @throws ProblemError when the port is taken
 */
export async function startSimulatorWorker(workerUrl: URL, options: WorkerOptions = {}): Promise<SimulatorThread> {
  const worker = new Worker(workerUrl, { workerData: options, name: 'simulator' });
  const [first] = (await once(worker, 'message')) as [FromWorker];
  switch (first.type) {
    case 'refused':
      await worker.terminate();
      throw new ProblemError(first.problems);
    case 'stats':
      throw new Error('Internal error: the simulator spoke before it was listening');
    case 'listening':
      break;
  }
  // A build that ends in an unforeseen way must not hang on its simulator.
  worker.unref();
  const tell = (message: ToWorker) => worker.postMessage(message);
  return {
    url: first.url,
    async stats() {
      worker.ref();
      const reply = once(worker, 'message');
      tell({ type: 'stats' });
      const [message] = (await reply) as [FromWorker];
      worker.unref();
      if (message.type !== 'stats') throw new Error(`Internal error: the simulator answered ${message.type}`);
      return message.stats;
    },
    async close() {
      const ended = once(worker, 'exit');
      worker.ref();
      tell({ type: 'close' });
      await ended;
    },
  };
}
