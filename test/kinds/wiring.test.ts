/** Mistakes in an experiment of one's own: each one message, at its place, before anything runs. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Problem, ProblemError } from '../../src/core/problem.ts';
import { KINDS } from '../../src/kinds/index.ts';
import { loadPipeline } from '../../src/pipeline/load.ts';
import { type OwnExperiment, ownFiles } from '../../src/scaffold/own-experiment.ts';
import { folderOf, simulatorIdentity } from '../pipeline/fixture.ts';

const OWN: OwnExperiment = {
  name: 'mine',
  source: 'my.jsonl',
  promptsFile: undefined,
  prompts: 50,
  policies: ['brief', 'thorough'],
  answered: false,
  model: 'local',
  judge: 'local',
  oracle: undefined,
  baseUrl: 'http://127.0.0.1:1/v1',
  key: undefined,
  logProbabilities: false,
  schemas: 'schemas',
  prices: { local: { input: 0, output: 0 } },
  pricesDate: '2026-01-01',
  labels: 'labels.csv',
};

type Files = Record<string, string>;
const files = (own: Partial<OwnExperiment> = {}): Files => ({
  ...Object.fromEntries(ownFiles({ ...OWN, ...own })),
  'my.jsonl': '{"prompt":"How?"}\n',
});

function edit(all: Files, path: string, from: string, to: string): Files {
  const text = all[path] ?? '';
  if (!text.includes(from)) throw new Error(`${path} does not hold ${from}`);
  return { ...all, [path]: text.replace(from, to) };
}

const load = (all: Files) =>
  loadPipeline({
    file: 'pipeline.yaml',
    cwd: folderOf(all),
    kinds: new Map(KINDS.map((kind) => [kind.name, kind])),
    simulatorIdentity,
  });

function problemsOf(all: Files): readonly Problem[] {
  try {
    load(all);
    return [];
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    expect(error.exit).toBe(2);
    return error.problems;
  }
}

/** The line of a file that holds a text. */
const lineOf = (all: Files, path: string, text: string): number =>
  all[path]!.split('\n').findIndex((line) => line.includes(text)) + 1;

describe('what init writes', () => {
  it.each([
    ['two policies', {}],
    ['with a model that labels', { oracle: 'big' }],
    ['with log probabilities', { logProbabilities: true }],
    ['on answers that are there already', { answered: true, source: 'my.jsonl' }],
    ['on answers to prompts of another file', { answered: true, source: 'my.jsonl', promptsFile: 'my.jsonl' }],
    ['with models that reason', { model: 'gpt-5', judge: 'o3' }],
    ['with a name that YAML would take for something else', { name: 'on: 1', policies: ['yes', 'no'] }],
  ])('is right: %s', (_, own) => {
    const all = files(own);
    expect(problemsOf(all)).toEqual([]);
    expect(all['pipeline.yaml']!.split('\n').length).toBeLessThanOrEqual(61);
  });
});

describe('the judges to start from', () => {
  const folder = join(import.meta.dirname, '../../configs/judges');
  const shipped = Object.fromEntries(
    readdirSync(folder).map((name) => [`configs/judges/${name}`, readFileSync(join(folder, name), 'utf8')]),
  );
  const withJudge = (judge: string) => {
    const all = edit({ ...files(), ...shipped }, 'pipeline.yaml', 'configs/judge.yaml', `configs/judges/${judge}`);
    const compared = edit(
      all,
      'pipeline.yaml',
      'responses/${policy}" }',
      'responses/${policy}", against: responses/brief }',
    );
    const known = edit(all, 'pipeline.yaml', 'samples: all', 'samples: all, columns: { reference: answer }');
    return judge === 'pairwise.yaml' ? compared : judge === 'reference.yaml' ? known : all;
  };

  it.each(Object.keys(shipped).flatMap((path) => (path.endsWith('.yaml') ? [path.split('/').at(-1)!] : [])))(
    '%s is right',
    (judge) => expect(problemsOf(withJudge(judge))).toEqual([]),
  );

  it('a panel of two', () => {
    const readme = shipped['configs/judges/README.md']!;
    const stages = /```yaml\n([\s\S]*?)```/.exec(readme)![1]!;
    const all = withJudge('rubric.yaml');
    const text = all['pipeline.yaml']!.replace(/ {2}scores:[\s\S]*?(?= {2}labels:)/, stages);
    const pipeline = text
      .replace('scores: scores/*, oracle', 'scores: panel/*, oracle')
      .replace('[responses/*, scores/*]', 'scores/**');
    expect(problemsOf({ ...all, 'pipeline.yaml': pipeline })).toEqual([]);
    expect(load({ ...all, 'pipeline.yaml': pipeline }).nodes.get('panel/brief')!.inputs.scores!.nodes).toHaveLength(2);
  });
});

/** An edit, what it is told, and where: the text on the line that the message points to. */
const MISTAKES: readonly (readonly [what: string, path: string, from: string, to: string, told: RegExp, at: string])[] =
  [
    [
      'judging several times by a matrix',
      'pipeline.yaml',
      'matrix: { policy: "${policies}" }\n    inputs: { responses: "responses/${policy}" }\n    params: { judge: configs/judge.yaml }',
      'matrix: { replicate: [0, 1], policy: "${policies}" }\n    inputs: { responses: "responses/${policy}" }\n    params: { judge: configs/judge.yaml, replicate: "${replicate}" }',
      /matches no node[\s\S]*To judge several times write `draws:` in the judge file/,
      'scores: scores/*',
    ],
    [
      'answering several times by a matrix',
      'pipeline.yaml',
      'matrix: { policy: "${policies}" }\n    inputs: { prompts: prompts }\n    params: { policy: "configs/policies/${policy}.yaml" }',
      'matrix: { again: [0, 1], policy: "${policies}" }\n    inputs: { prompts: prompts }\n    params: { policy: "configs/policies/${policy}.yaml" }',
      /matches no node[\s\S]*To answer several times write `draws:` under its params/,
      'responses/${policy}',
    ],
    [
      'estimates of another scorer',
      'pipeline.yaml',
      'scorer: judge, ablation',
      'scorer: jugde, ablation',
      /the scorer of 'dataset' is 'judge', not 'jugde'[\s\S]*Write `scorer: judge`/i,
      'scorer: jugde',
    ],
    [
      'scores over prompts',
      'pipeline.yaml',
      'responses: "responses/${policy}"',
      'responses: prompts',
      /takes 'responses'.*makes 'prompts'/,
      'responses: prompts',
    ],
    [
      'estimates over prompts',
      'pipeline.yaml',
      '{ dataset: dataset }',
      '{ dataset: prompts }',
      /takes 'dataset'.*makes 'prompts'/,
      'dataset: prompts',
    ],
    [
      'scores over scores',
      'pipeline.yaml',
      'responses: "responses/${policy}"',
      'responses: labels',
      /takes 'responses'.*makes 'labels'/,
      'responses: labels',
    ],
    [
      'labels as scores',
      'pipeline.yaml',
      'scores: scores/*, oracle',
      'scores: labels, oracle',
      /takes 'scores'.*makes 'labels'/,
      'scores: labels',
    ],
    [
      'an estimator that needs weights',
      'pipeline.yaml',
      'direct-augmented]',
      'dr-cpo]',
      /dr-cpo needs log probabilities/,
      'ablation: { estimator',
    ],
    [
      'a logger that nobody is',
      'pipeline.yaml',
      'scorer: judge\n  est',
      'scorer: judge\n      logger: p0\n  est',
      /no responses of the logger 'p0'/,
      'logger: p0',
    ],
    [
      'a clone without a logger',
      'pipeline.yaml',
      'scorer: judge\n  est',
      'scorer: judge\n      clone: brief\n  est',
      /a clone is one of a logger/i,
      'clone: brief',
    ],
    ['a table of nothing known', 'pipeline.yaml', 'as: labels', 'as: label', /'as' cannot be 'label'/, 'as: label'],
    ['a table that does not say of what', 'pipeline.yaml', 'as: labels, ', '', /'as' is missing/, 'kind: table'],
    [
      'a scale upside down',
      'pipeline.yaml',
      'scale: [1, 5], share',
      'scale: [5, 1], share',
      /from its lowest value/,
      'scale: [5, 1]',
    ],
    ['a share above 1', 'pipeline.yaml', 'share: 0.3', 'share: 30', /'share' must be at most 1/, 'share: 30'],
    ['a misspelt parameter', 'pipeline.yaml', 'order: hash', 'ordr: hash', /Unknown parameter 'ordr'/, 'ordr: hash'],
    [
      'an order that there is not',
      'pipeline.yaml',
      'order: hash',
      'order: random',
      /'order' must be 'python' or 'hash'/,
      'order: random',
    ],
    [
      'samples that are no number',
      'pipeline.yaml',
      'samples: all',
      'samples: every',
      /'samples' must be/,
      'samples: every',
    ],
    [
      'a policy without a file',
      'pipeline.yaml',
      '[brief, thorough]',
      '[brief, thorougher]',
      /'configs\/policies\/thorougher.yaml' does not exist/,
      'configs/policies/${policy}.yaml',
    ],
    [
      'a policy named twice',
      'pipeline.yaml',
      '[brief, thorough]',
      '[brief, brief]',
      /'brief' is given twice/,
      '[brief, brief]',
    ],
    [
      'a kind that there is not',
      'pipeline.yaml',
      'kind: scores',
      'kind: score',
      /There is no kind 'score'/,
      'kind: score',
    ],
    [
      'an unknown estimator',
      'pipeline.yaml',
      'direct-augmented]',
      'direct-augmentd]',
      /must be|estimator/,
      'estimator',
    ],
    [
      'no such placeholder',
      'configs/judge.yaml',
      '{{response}}',
      '{{respons}}',
      /Unknown placeholder \{\{respons\}\}/,
      'template',
    ],
    ['a rubric without the response', 'configs/judge.yaml', '{{response}}', 'it', /lacks \{\{response\}\}/, 'template'],
    [
      'a reference that nobody reads',
      'configs/judge.yaml',
      '{{response}}',
      '{{response}} {{reference}}',
      /'prompts' reads no reference answers/,
      'template',
    ],
    [
      'a column that nobody keeps',
      'configs/judge.yaml',
      '{{response}}',
      '{{response}} {{columns.topic}}',
      /does not keep the column 'topic'/,
      'template',
    ],
    [
      'draws that are all the same',
      'configs/judge.yaml',
      'output: score',
      'output: score\ndraws: 4',
      /are all the same of a judge at temperature 0/,
      'draws: 4',
    ],
    [
      'criteria without their names',
      'configs/judge.yaml',
      'output: score',
      'output: criteria',
      /'criteria' must name/,
      'model: judge',
    ],
    ['a comparison with nobody', 'configs/judge.yaml', 'output: score', 'output: pairwise', /compares two/, 'template'],
    [
      'a rationale at an odd place',
      'configs/judge.yaml',
      'rationale: before',
      'rationale: first',
      /'rationale' must be/,
      'rationale: first',
    ],
    [
      'an unknown model',
      'configs/judge.yaml',
      'model: judge',
      'model: jugde',
      /no model alias 'jugde'/,
      'model: jugde',
    ],
    [
      'a misspelt setting of a judge',
      'configs/judge.yaml',
      'max_tokens',
      'max_token',
      /Unknown key 'max_token'/,
      'max_token:',
    ],
    [
      'a policy without a name for its answers',
      'configs/policies/brief.yaml',
      'draw: brief',
      '# draw',
      /'draw' is missing/,
      '',
    ],
    [
      'an API that there is not',
      'configs/policies/brief.yaml',
      'api: chat',
      'api: chats',
      /'api' must be 'chat' or 'completions'/,
      'api: chats',
    ],
    [
      'a chat model that is asked by completions',
      'configs/policies/brief.yaml',
      'api: chat\n',
      '',
      /needs a model with a chat template/,
      'model: model',
    ],
    [
      'a temperature out of range',
      'configs/policies/brief.yaml',
      'temperature: 1',
      'temperature: 3',
      /'temperature' must be at most 2/,
      'temperature: 3',
    ],
    [
      'a provider that there is not',
      'configs/providers.yaml',
      'provider: server, model: local }',
      'provider: servr, model: local }',
      /servr/,
      'servr',
    ],
    [
      'a base URL with a password',
      'configs/providers.yaml',
      'http://127',
      'http://a:b@127',
      /no credential/,
      'base_url',
    ],
    [
      'a price that is a word',
      'configs/providers.yaml',
      'input: 0,',
      'input: free,',
      /'prices.models.local.input'|input.* must be a number|prices/,
      'input: free',
    ],
  ];

describe('a mistake', () => {
  it.each(MISTAKES)('%s', (_, path, from, to, told, at) => {
    const all = edit(files(), path, from, to);
    const problems = problemsOf(all);
    const texts = problems.map(({ headline, hint = '' }) => `${headline}\n${hint}`);
    expect(texts).toContainEqual(expect.stringMatching(told));
    const { place } = problems[texts.findIndex((text) => told.test(text))]!;
    const file = join('', place?.file ?? '');
    expect(Object.keys(all)).toContain(file);
    if (at !== '') expect([file, place?.line]).toEqual([file, lineOf(all, file, at)]);
  });

  it.each([
    ['a wire that closes a circle', 'inputs: { prompts: prompts }', 'inputs: { prompts: labels }', /makes 'labels'/],
    ['no provider file', 'profiles:\n  main: { providers: configs/providers.yaml }\n', '', /stands for nothing/],
    [
      'one policy’s scores for all',
      'scores: scores/*, oracle',
      'scores: scores/brief, oracle',
      /names 'scores\/brief' alone/,
    ],
    ['a word off the scale', 'scale: [1, 5], share', 'scale: [1, 5], values: { good: 7 }, share', /'values.good' is 7/],
    ['calls of what asks none', 'calls: [responses/*, scores/*]', 'calls: [dataset]', /stage 'dataset' asks none/],
    ['labels of nobody’s log', 'scale: [1, 5], share', 'scale: [1, 5], logger: bref, share', /logger 'bref'/],
  ])('is one message: %s', (_, from, to, told) => {
    const problems = problemsOf(edit(files(), 'pipeline.yaml', from, to));
    expect(problems.map(({ headline }) => headline)).toEqual([expect.stringMatching(told)]);
  });

  it('of a file that is read twice is told once', () => {
    const problems = problemsOf(edit(files(), 'configs/providers.yaml', 'date: 2026-01-01', 'date: soon'));
    expect(problems.map(({ headline }) => headline)).toEqual([expect.stringMatching(/^'prices.date' must be a day/)]);
  });

  it('is told once, though several nodes make it', () => {
    const [first, ...more] = problemsOf(edit(files(), 'configs/judge.yaml', 'rationale: before', 'rationale: first'));
    expect([first?.place?.file, more]).toEqual(['configs/judge.yaml', []]);
  });

  it('with log probabilities: a chat policy has none', () => {
    const all = files({ logProbabilities: true });
    const policy = all['configs/policies/brief.yaml']!;
    const [problem] = problemsOf({ ...all, 'configs/policies/brief.yaml': `api: chat\n${policy}` });
    expect(problem).toMatchObject({ id: 'CJE-CHAT-POLICY', place: { file: 'configs/policies/brief.yaml', line: 1 } });
  });

  it('with log probabilities: chat policies are one mistake of the stage, which names its nodes', () => {
    const all = files({ logProbabilities: true });
    const chat = Object.entries(all).filter(([path]) => path.startsWith('configs/policies/'));
    const problems = problemsOf({
      ...all,
      ...Object.fromEntries(chat.map(([path, text]) => [path, `api: chat\n${text}`])),
    });
    const told = problems.filter(({ headline }) => headline.includes('A chat policy has no log probabilities'));
    expect(told).toHaveLength(1);
    expect(told[0]?.facts).toContainEqual([
      'node',
      'logprobs/brief, logprobs/thorough, consistency/brief, consistency/thorough',
    ]);
  });

  it('with log probabilities: a log of several draws is none', () => {
    const all = edit(
      files({ logProbabilities: true }),
      'pipeline.yaml',
      '{ policy: "configs/policies/${policy}.yaml" }',
      '{ policy: "configs/policies/${policy}.yaml", draws: 3 }',
    );
    const told = problemsOf(all).map(({ headline }) => headline);
    expect(told).toContainEqual(expect.stringMatching(/the log is one answer a prompt/));
  });

  it('an oracle of nobody', () => {
    const all = files({ oracle: 'big' });
    const without = edit(
      edit(all, 'pipeline.yaml', ', labels: labels }', ' }'),
      'pipeline.yaml',
      'oracle: configs/oracle.yaml, ',
      '',
    );
    expect(problemsOf(without).map(({ headline }) => headline)).toEqual([
      expect.stringMatching(/Nobody labels|nobody labels/),
    ]);
  });
});
