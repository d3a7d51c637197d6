/** A small experiment whose calls can all wait: asked of a batch server of the test's own, in each shape. */

import { type ForkedServer, forkServer } from './forked.ts';
import { writeQuestionsAndJudge } from './lab.ts';
import { emptyProject, type Project, removeProject } from './project.ts';

export const SHAPES = ['openai', 'anthropic', 'fireworks'] as const;
export type Shape = (typeof SHAPES)[number];

export interface Usage {
  readonly answered: number;
  readonly input: number;
  readonly output: number;
}

export interface BatchBill {
  readonly online: Usage;
  readonly batch: Usage;
  readonly keys: Readonly<Record<string, number>>;
  readonly onlineKeys: Readonly<Record<string, number>>;
  readonly made: number;
  readonly cancelled: number;
  readonly wrong: readonly string[];
}

export interface BatchLab {
  readonly project: Project;
  readonly server: ForkedServer;
  bill(): Promise<BatchBill>;
  close(): void;
}

/** Dollars of a bill: online at the table's price, batches at half of it. */
export const dollarsOf = ({ online, batch }: Pick<BatchBill, 'online' | 'batch'>): number =>
  (online.input + 4 * online.output + (batch.input + 4 * batch.output) / 2) / 1e6;

interface LabOptions {
  readonly items?: number;
  readonly manner?: object;
  /** Further settings of the provider's batches, as YAML's flow. */
  readonly batch?: string;
  readonly server?: ForkedServer;
}

export async function batchLab(
  shape: Shape,
  { items = 12, manner = {}, batch = '', server }: LabOptions = {},
): Promise<BatchLab> {
  const project = emptyProject();
  const forked = server ?? (await forkServer(project, 'batches', manner));
  writeBatchLab(project, shape, forked.url, items, batch);
  return {
    project,
    server: forked,
    bill: async () => (await forked.tell('bill')) as BatchBill,
    close() {
      if (server === undefined) forked.stop();
      removeProject(project);
    },
  };
}

/** Identities are named, so that equal experiments have equal keys wherever the server listens. */
function writeBatchLab(project: Project, shape: Shape, url: string, items: number, batch: string): void {
  writeQuestionsAndJudge(project, items);
  const own = `poll_seconds: 0.05${batch === '' ? '' : `, ${batch}`}`;
  const provider = {
    openai: `{ type: openai, base_url: '${url}/v1', identity: lab, batch: { api: openai, ${own} } }`,
    anthropic: `{ type: anthropic, base_url: '${url}/v1', identity: lab, batch: { ${own} } }`,
    fireworks: `{ type: openai, base_url: '${url}/inference/v1', identity: lab, batch: { api: fireworks, account: lab, ${own} } }`,
  }[shape];
  project.write(
    'providers.yaml',
    `providers:\n  lab: ${provider}\nmodels:\n  lab: { provider: lab, model: m }\nprices: prices.yaml\n`,
  );
  project.write('prices.yaml', 'date: 2026-01-01\nmodels:\n  m: { input: 1, output: 4 }\n');
  project.write(
    'policy.yaml',
    "model: lab\napi: chat\ndraw: p0\ntemperature: 0\nmax_tokens: 40\nprompt: '{{prompt}}'\n",
  );
  project.write(
    'pipeline.yaml',
    `name: lab
default: [scores]
vars: { samples: ${items} }
profiles:
  here: { providers: providers.yaml }
stages:
  prompts: { kind: prompts, params: { source: prompts.jsonl, samples: '\${samples}', seed: 1, language: any } }
  responses:
    kind: responses
    inputs: { prompts: prompts }
    params: { policy: policy.yaml }
  scores:
    kind: scores
    inputs: { responses: responses }
    params: { judge: judge.yaml }
`,
  );
}
