/**
 * The table: an edit, the nodes that must run after it (and no others), and the calls that must be bought. Counts are
 * worked out from the data; a stage that is not named buys nothing.
 */

import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, isMap, isScalar, type Pair, type YAMLMap } from 'yaml';
import { addProfile, type Folder, HOSTED } from './experiment.ts';
import type { Asked } from './requests.ts';

export interface Served {
  /** Another address at which the provider `north` answers alike. */
  readonly elsewhere: string;
}

export interface Row {
  readonly name: string;
  readonly edit?: (folder: Folder, served: Served) => void;
  /** What is edited in the code, instead of the experiment. */
  readonly code?: 'parser' | 'estimator';
  /** Arguments before and after the edit; `args` holds for both. */
  readonly args?: readonly string[];
  readonly argsAfter?: readonly string[];
  /** Patterns of node names: `*` does not cross a slash, `**` does, `{a,b}` is either. */
  readonly runs: readonly string[];
  readonly buys?: Readonly<Record<string, Count>>;
}

const PIPELINE = 'pipeline.yaml';
const SIMULATOR = 'configs/providers/simulator.yaml';
const SERVED = 'configs/providers/served.yaml';
const JUDGE = 'configs/judges/deterministic';
const COT = 'configs/policies/pi_cot.yaml';

const NOTHING: readonly string[] = [];
/** What depends on the datasets of every judge. */
const ANALYSIS = ['dataset/*', 'estimates/**', 'ablations'];

type Count = (after: Asked, before: Asked) => number;

const newLabels: Count = (after, before) => [...after.labels].filter((label) => !before.labels.has(label)).length;
const newPrompts: Count = (after, before) => [...after.ids].filter((id) => !before.ids.has(id)).length;
const distinctPairs: Count = (after) => after.pairs();
const everyPrompt: Count = ({ prompts }) => prompts;
const forAll: (count: Count) => Count = (count) => (after, before) => POLICIES * count(after, before);
const POLICIES = 5;

/** What other answers of one policy cost: themselves, what both judges say of them, and the policy's labels. */
const answersOf = (policy: string): Readonly<Record<string, Count>> => ({
  responses: everyPrompt,
  'scores/deterministic': (after) => after.pairs(policy),
  'scores/uncertainty': (after) => after.pairs(policy),
  oracle: ({ labels }) => [...labels].filter((label) => label.startsWith(`${policy} `)).length,
});
const EVERYTHING: Readonly<Record<string, Count>> = {
  responses: forAll(everyPrompt),
  logprobs: forAll(everyPrompt),
  'scores/deterministic': distinctPairs,
  'scores/uncertainty': distinctPairs,
  oracle: ({ labels }) => labels.size,
};

/** The nodes that see what one policy answers. */
const seeing = (policy: string) => [
  `responses/${policy}`,
  `logprobs/${policy}`,
  `consistency/${policy}`,
  `scores/*/${policy}`,
  'oracle',
  'truth',
  ...ANALYSIS,
];

/** Puts the members of a map in the opposite order. */
function reverseKeys(document: Document, ...path: readonly string[]): void {
  const map = (path.length === 0 ? document.contents : document.getIn(path, true)) as YAMLMap;
  if (!isMap(map)) throw new Error(`${path.join('.')} is not a map`);
  map.items.reverse();
}

function renameKey(document: Document, path: readonly string[], from: string, to: string): void {
  const map = document.getIn(path, true) as YAMLMap;
  const pair = map.items.find(({ key }: Pair) => isScalar(key) && key.value === from);
  if (pair === undefined) throw new Error(`${path.join('.')} has no ${from}`);
  pair.key = document.createNode(to);
}

const changePolicy = (field: string, value: unknown) => (folder: Folder) =>
  folder.change(COT, (document) => document.set(field, value));

export const ROWS: readonly Row[] = [
  {
    name: 'a comment in every kind of YAML file',
    edit: (folder) => {
      for (const file of [PIPELINE, SIMULATOR, COT, `${JUDGE}.yaml`, 'configs/gates.yaml', 'configs/prices.yaml']) {
        folder.write(file, `# said in passing\n${folder.read(file)}# and at the end\n`);
      }
    },
    runs: NOTHING,
  },
  {
    name: 'the order of keys, and of stages',
    edit: (folder) => {
      for (const file of [COT, `${JUDGE}.yaml`, 'configs/gates.yaml', SIMULATOR])
        folder.change(file, (document) => reverseKeys(document));
      folder.change(PIPELINE, (document) => {
        reverseKeys(document, 'stages');
        reverseKeys(document, 'stages', 'dataset', 'inputs');
        reverseKeys(document, 'stages', 'truth', 'params', 'policies');
        reverseKeys(document, 'vars');
      });
    },
    runs: NOTHING,
  },
  {
    name: 'an anchor and its alias in place of two values',
    edit: (folder) => {
      folder.edit(PIPELINE, '  seed: 42\n', '  seed: &seed 42\n');
      folder.edit(PIPELINE, '      seed: 42\n', '      seed: *seed\n');
    },
    runs: NOTHING,
  },
  {
    name: 'quotes, flow style and folding',
    edit: (folder) => {
      folder.edit(PIPELINE, 'kind: prompts', "kind: 'prompts'");
      folder.edit(COT, 'draw: pi_cot', 'draw: "pi_cot"');
      folder.edit(
        COT,
        'system: Think step-by-step before providing your answer.',
        'system: >-\n  Think step-by-step\n  before providing your answer.',
      );
      folder.edit(
        PIPELINE,
        '  scorers: [deterministic, uncertainty]',
        '  scorers:\n    - deterministic\n    - uncertainty',
      );
    },
    runs: NOTHING,
  },
  {
    name: 'another profile that says the same',
    edit: (folder) => addProfile(folder, `twin: { providers: ${SIMULATOR}, vars: { temperature: 1 } }`),
    argsAfter: ['--profile', 'twin'],
    runs: NOTHING,
  },
  {
    name: 'a variable that nothing uses',
    edit: (folder) => folder.edit(PIPELINE, 'vars:\n', 'vars:\n  unused: 17\n'),
    runs: NOTHING,
  },
  {
    name: 'a variable set on the command line to what it is',
    argsAfter: ['--set', 'seed=42'],
    runs: NOTHING,
  },
  {
    name: 'budget and default target',
    edit: (folder) =>
      folder.change(PIPELINE, (document) => {
        document.setIn(['budget', 'confirm_above'], 5);
        document.set('default', ['ablations']);
      }),
    runs: NOTHING,
  },
  {
    name: 'a blank within a placeholder of a judge template',
    edit: (folder) => folder.edit(`${JUDGE}.md`, '{{prompt}}', '{{ prompt }}'),
    // The template is another, its renderings are not: the wave stops where the scores come out as before.
    runs: ['scores/deterministic/*'],
  },
  {
    name: 'a blank line at the end of a judge template',
    edit: (folder) => folder.write(`${JUDGE}.md`, `${folder.read(`${JUDGE}.md`)}\n`),
    runs: ['scores/deterministic/*', 'dataset/deterministic', 'estimates/deterministic/*', 'ablations'],
    buys: { 'scores/deterministic': distinctPairs },
  },
  {
    name: 'a word of a judge template',
    edit: (folder) => folder.edit(`${JUDGE}.md`, '**Accuracy**', '**Correctness**'),
    runs: ['scores/deterministic/*', 'dataset/deterministic', 'estimates/deterministic/*', 'ablations'],
    buys: { 'scores/deterministic': distinctPairs },
  },
  {
    name: "a judge's attempts",
    edit: (folder) => folder.edit(`${JUDGE}.yaml`, 'attempts: 2', 'attempts: 3'),
    runs: ['scores/deterministic/*'],
  },
  {
    name: 'a judge under another name of the same model',
    edit: (folder) => {
      folder.change(SIMULATOR, (document) => renameKey(document, ['models'], 'judge', 'referee'));
      for (const scorer of ['deterministic', 'uncertainty']) {
        folder.edit(`configs/judges/${scorer}.yaml`, 'model: judge', 'model: referee');
      }
    },
    runs: NOTHING,
  },
  {
    name: 'another model for one policy',
    edit: changePolicy('model', 'maverick'),
    runs: seeing('pi_cot'),
    buys: { ...answersOf('pi_cot'), logprobs: everyPrompt },
  },
  {
    name: 'the temperature of one policy, where the profile sets that of all',
    edit: changePolicy('temperature', 0.7),
    runs: NOTHING,
  },
  {
    name: 'the temperature of one policy, where its own is used',
    args: HOSTED,
    edit: changePolicy('temperature', 0.7),
    // A text that is there already is scored without sampling: its log probability stays.
    runs: seeing('pi_cot').filter((node) => node !== 'logprobs/pi_cot'),
    buys: answersOf('pi_cot'),
  },
  {
    name: 'the temperature of all policies',
    edit: (folder) => folder.edit(PIPELINE, '      temperature: 1\n', '      temperature: 0.9\n'),
    runs: ['responses/*', 'logprobs/*', 'consistency/*', 'scores/**', 'oracle', 'truth', ...ANALYSIS],
    buys: EVERYTHING,
  },
  {
    name: 'max_tokens of one policy',
    edit: changePolicy('max_tokens', 500),
    // A text that is there already is scored without sampling: its log probability stays.
    runs: seeing('pi_cot').filter((node) => node !== 'logprobs/pi_cot'),
    buys: answersOf('pi_cot'),
  },
  {
    name: 'a system prompt',
    edit: changePolicy('system', 'Think step-by-step, and be brief.'),
    runs: seeing('pi_cot'),
    buys: { ...answersOf('pi_cot'), logprobs: everyPrompt },
  },
  {
    name: 'the seed of the sample',
    args: HOSTED,
    edit: (folder) => folder.edit(PIPELINE, '  seed: 42\n', '  seed: 43\n'),
    runs: ['**'],
    buys: {
      responses: forAll(newPrompts),
      logprobs: forAll(newPrompts),
      'scores/deterministic': forAll(newPrompts),
      'scores/uncertainty': forAll(newPrompts),
      oracle: newLabels,
    },
  },
  {
    name: 'one prompt added',
    edit: (folder) => {
      folder.write(
        'prompts.jsonl',
        `${folder.read('prompts.jsonl')}{"prompt_id": "new", "prompt": "Why is the sea salt?"}\n`,
      );
      folder.edit(PIPELINE, '  samples: 16\n', '  samples: 17\n');
    },
    runs: ['**'],
    buys: {
      responses: () => POLICIES,
      logprobs: () => POLICIES,
      'scores/deterministic': () => POLICIES,
      'scores/uncertainty': () => POLICIES,
      oracle: newLabels,
    },
  },
  {
    name: 'one prompt removed',
    edit: (folder) => {
      folder.write('prompts.jsonl', folder.read('prompts.jsonl').split('\n').slice(1).join('\n'));
      folder.edit(PIPELINE, '  samples: 16\n', '  samples: 15\n');
    },
    runs: ['**'],
    buys: { oracle: newLabels },
  },
  {
    name: 'the order of prompts',
    edit: (folder) =>
      folder.write('prompts.jsonl', folder.read('prompts.jsonl').trim().split('\n').reverse().join('\n')),
    runs: ['**'],
  },
  {
    name: 'a prompt file elsewhere, with the same bytes',
    edit: (folder) => {
      renameSync(join(folder.path, 'prompts.jsonl'), join(folder.path, 'configs/mine.jsonl'));
      folder.edit(PIPELINE, 'prompts_source: prompts.jsonl', 'prompts_source: configs/mine.jsonl');
    },
    // It is told where the prompts come from, because only those of the simulated world have a law.
    runs: ['truth'],
  },
  { name: 'the code that reads scores', code: 'parser', runs: ['scores/**', 'oracle', ...ANALYSIS] },
  { name: 'the code of an estimator', code: 'estimator', runs: ['estimates/**', 'ablations'] },
  {
    name: 'the price table',
    edit: (folder) => folder.edit('configs/prices.yaml', 'sim-base: { input: 0.15', 'sim-base: { input: 0.30'),
    runs: ['ablations'],
  },
  {
    name: 'concurrency, rate limits, time-outs and tries',
    edit: (folder) => {
      folder.edit(
        SIMULATOR,
        'concurrency: 64',
        'concurrency: 3\n    requests_per_minute: 100000\n    tokens_per_minute: 1e9',
      );
      folder.edit(SIMULATOR, 'timeout_seconds: 30', 'timeout_seconds: 31');
      folder.edit(SIMULATOR, 'attempts: 4', 'attempts: 5');
    },
    runs: NOTHING,
  },
  {
    name: 'the number of jobs',
    argsAfter: ['--jobs', '1'],
    runs: NOTHING,
  },
  {
    name: "the simulator's latency and faults",
    edit: (folder) =>
      folder.edit(
        SIMULATOR,
        'type: simulator',
        'type: simulator\n    options: { latency_ms: 20, faults: { rate500: 0.1 } }',
      ),
    runs: NOTHING,
  },
  {
    name: 'the base URL of a provider without an identity',
    args: HOSTED,
    edit: (folder, { elsewhere }) =>
      folder.change(SERVED, (document) => document.setIn(['providers', 'north', 'base_url'], elsewhere)),
    // The larger model and the judges are served by another provider; p0's new answers are forced under it all the same.
    runs: [
      'responses/{p0,pi_clone,pi_cot,pi_bad}',
      'logprobs/*',
      'consistency/{p0,pi_clone,pi_cot,pi_bad}',
      'scores/*/{p0,pi_clone,pi_cot,pi_bad}',
      'oracle',
      'truth',
      ...ANALYSIS,
    ],
    buys: {
      responses: ({ prompts }) => (POLICIES - 1) * prompts,
      logprobs: forAll(everyPrompt),
      'scores/deterministic': (after) => after.pairs('p0', 'pi_clone', 'pi_cot', 'pi_bad'),
      'scores/uncertainty': (after) => after.pairs('p0', 'pi_clone', 'pi_cot', 'pi_bad'),
      oracle: ({ labels }) => labels.size,
    },
  },
  {
    name: 'the base URL of a provider with an identity',
    args: HOSTED,
    edit: (folder, { elsewhere }) =>
      folder.change(SERVED, (document) => document.setIn(['providers', 'south', 'base_url'], elsewhere)),
    runs: NOTHING,
  },
  {
    name: 'a base URL written another way',
    args: HOSTED,
    edit: (folder) =>
      folder.write(
        SERVED,
        folder.read(SERVED).replace('base_url: http:', 'base_url: HTTP:').replace('/v1\n', '/v1/\n'),
      ),
    runs: NOTHING,
  },
  {
    name: 'the variable that holds the API key',
    args: HOSTED,
    edit: (folder) => folder.edit(SERVED, 'key: NORTH_KEY', 'key: OTHER_KEY'),
    runs: NOTHING,
  },
  {
    name: 'a field that is sent with every request to a model',
    args: HOSTED,
    edit: (folder) => folder.edit(SERVED, 'model: sim-large, ', 'model: sim-large, extra: { user: somebody }, '),
    runs: seeing('pi_bigger_model'),
    buys: { ...answersOf('pi_bigger_model'), logprobs: everyPrompt },
  },
  {
    name: 'a policy file that nothing uses',
    edit: (folder) =>
      folder.write('configs/policies/pi_new.yaml', folder.read(COT).replace('draw: pi_cot', 'draw: pi_new')),
    runs: NOTHING,
  },
  {
    name: 'a new estimator',
    edit: (folder) => {
      folder.write('configs/ablations/snips-again.yaml', folder.read('configs/ablations/snips.yaml'));
      folder.edit(PIPELINE, ' snips,', ' snips, snips-again,');
    },
    runs: ['estimates/*/snips-again', 'ablations'],
  },
  {
    name: 'an estimator that is left out',
    edit: (folder) => folder.edit(PIPELINE, ' snips,', ''),
    runs: ['ablations'],
  },
  {
    name: 'a renamed stage that nobody calls by name',
    edit: (folder) => {
      folder.edit(PIPELINE, '  truth:\n', '  worth:\n');
      folder.edit(PIPELINE, 'truth: truth', 'truth: worth');
    },
    runs: NOTHING,
  },
  {
    name: 'a renamed stage whose name is shown',
    edit: (folder) => {
      folder.edit(PIPELINE, '  logprobs:\n', '  forcing:\n');
      folder.edit(PIPELINE, 'logprobs: logprobs/*', 'logprobs: forcing/*');
      folder.edit(PIPELINE, 'responses/*, logprobs/*', 'responses/*, forcing/*');
    },
    // The report names the nodes whose calls it counts.
    runs: ['ablations'],
  },
  {
    name: 'a renamed policy with the same draw',
    edit: (folder) => {
      renameSync(join(folder.path, COT), join(folder.path, 'configs/policies/pi_steps.yaml'));
      folder.write(PIPELINE, folder.read(PIPELINE).replaceAll('pi_cot', 'pi_steps'));
    },
    runs: ['oracle', 'truth', ...ANALYSIS],
  },
  {
    name: "a policy's draw",
    edit: changePolicy('draw', 'another'),
    runs: seeing('pi_cot'),
    buys: { ...answersOf('pi_cot'), logprobs: everyPrompt },
  },
  {
    name: 'how much may be missing',
    edit: (folder) => folder.edit(PIPELINE, '  tolerate: 0.05', '  tolerate: 0.2'),
    runs: NOTHING,
  },
  {
    name: 'the share of labels, from 25 % to 30 %',
    edit: (folder) => folder.edit(PIPELINE, 'calibration_share: 0.25', 'calibration_share: 0.30'),
    runs: ['oracle', ...ANALYSIS],
    buys: { oracle: newLabels },
  },
  {
    name: 'no oracle',
    argsAfter: ['--set', 'oracle=off'],
    runs: ['oracle', ...ANALYSIS],
  },
  {
    name: 'the threshold of a gate',
    edit: (folder) => folder.edit('configs/gates.yaml', 'clone_ess_share: 0.9', 'clone_ess_share: 0.8'),
    runs: ANALYSIS,
  },
  {
    name: 'a second measurement by the judges',
    edit: (folder) =>
      folder.change(PIPELINE, (document) => document.setIn(['stages', 'scores', 'params', 'replicate'], 1)),
    // The simulated judges say the same again, so the wave stops there.
    runs: ['scores/**'],
    buys: { 'scores/deterministic': distinctPairs, 'scores/uncertainty': distinctPairs },
  },
  {
    name: 'a second sample of every answer',
    edit: (folder) =>
      folder.change(PIPELINE, (document) => document.setIn(['stages', 'responses', 'params', 'replicate'], 1)),
    runs: ['responses/*', 'logprobs/*', 'consistency/*', 'scores/**', 'oracle', ...ANALYSIS],
    buys: EVERYTHING,
  },
];
