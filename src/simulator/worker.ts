/** Entry of the worker thread in which a build runs its simulator. */

import { parentPort, workerData } from 'node:worker_threads';
import { ProblemError } from '../core/problem.ts';
import { startSimulator } from './server.ts';
import type { FromWorker, ToWorker, WorkerOptions } from './worker-messages.ts';

const port = parentPort;
if (port === null) throw new Error('Internal error: this file runs in a worker thread only');
const tell = (message: FromWorker) => port.postMessage(message);

try {
  const simulator = await startSimulator(workerData as WorkerOptions);
  port.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'stats':
        tell({ type: 'stats', stats: simulator.stats() });
        return;
      case 'close':
        void simulator.close().then(() => port.close());
        return;
    }
  });
  tell({ type: 'listening', url: simulator.url });
} catch (error) {
  if (!(error instanceof ProblemError)) throw error;
  tell({ type: 'refused', problems: error.problems });
  port.close();
}
