/** The batch APIs together: each serves the paths that are its own. */

import { AnthropicBatches } from './anthropic.ts';
import { FireworksBatches } from './fireworks.ts';
import type { BatchReply, BatchRequest } from './http.ts';
import { type Answer, Jobs } from './jobs.ts';
import { OpenAiBatches } from './openai.ts';
import type { BatchTrouble } from './trouble.ts';

export interface BatchService {
  /** Whether a path belongs to a batch API. */
  owns(path: string): boolean;
  serve(request: BatchRequest): Promise<BatchReply | undefined>;
}

const OWN = /^\/(files|batches|messages\/batches|accounts|signed)(\/|$)/;

export function createBatches(answer: Answer, trouble: BatchTrouble, now: () => number): BatchService {
  const jobs = new Jobs(answer, trouble, now);
  const shapes = [new OpenAiBatches(jobs), new AnthropicBatches(jobs), new FireworksBatches(jobs)];
  return {
    owns: (path) => OWN.test(path),
    async serve(request) {
      for (const shape of shapes) {
        const reply = await shape.serve(request);
        if (reply !== undefined) return reply;
      }
      return undefined;
    },
  };
}
