/** A small experiment whose policy and judge are asked of a server of the test's own. */

import type { Project } from './project.ts';

export interface LabOptions {
  readonly url: string;
  /** Further settings of the provider, and of the one model, as YAML's flow. */
  readonly provider?: string;
  readonly model?: string;
  readonly name?: string;
  readonly items?: number;
  /** The policy is the simulator's, so that the server is asked by the judge alone. */
  readonly judgeOnly?: boolean;
  /** The price table; '' for none. */
  readonly prices?: string;
}

export function writeLab(project: Project, options: LabOptions): void {
  const { items = 8, judgeOnly = false } = options;
  writeQuestionsAndJudge(project, items);
  writeProviders(project, options);
  if (options.prices !== '') {
    const own = 'date: 2026-01-01\nmodels:\n  m: { input: 1, output: 4 }\n  sim-base: { input: 0, output: 0 }\n';
    project.write('prices.yaml', options.prices ?? own);
  }
  const policy = judgeOnly ? 'base' : 'lab';
  project.write('policy.yaml', `model: ${policy}\ndraw: p0\ntemperature: 0\nmax_tokens: 40\nprompt: '{{prompt}}'\n`);
  project.write(
    'pipeline.yaml',
    `name: lab
default: [scores]
profiles:
  here: { providers: providers.yaml }
stages:
  prompts: { kind: prompts, params: { source: prompts.jsonl, samples: ${items}, seed: 1, language: any } }
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

/** What every lab asks about, and how its answers are judged. */
export function writeQuestionsAndJudge(project: Project, items: number): void {
  const prompts = Array.from({ length: items }, (_, index) => `${JSON.stringify({ prompt: `Question ${index}` })}\n`);
  project.write('prompts.jsonl', prompts.join(''));
  project.write('judge.md', 'Rate from 0 to 10.\n{{prompt}}\n{{response}}\n');
  project.write('judge.yaml', 'model: lab\nmax_tokens: 64\ntemplate: judge.md\noutput: score\nattempts: 1\n');
}

/** The provider file alone. */
export function writeProviders(project: Project, { url, provider = '', model = '', name = 'm', prices }: LabOptions) {
  project.write(
    'providers.yaml',
    `providers:
  sim: { type: simulator }
  lab: { type: openai, base_url: '${url}/v1', concurrency: 1${provider === '' ? '' : `, ${provider}`} }
models:
  base: { provider: sim, model: sim-base, template: llama4 }
  lab: { provider: lab, model: ${name}, template: chatml${model === '' ? '' : `, ${model}`} }
${prices === '' ? '' : 'prices: prices.yaml\n'}`,
  );
}
