import { readdirSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { ablationsFor } from '../../src/scaffold/import-pipeline.ts';

const folder = resolve(import.meta.dirname, '../../configs/ablations');
const shipped = new Set(readdirSync(folder).map((file) => basename(file, '.yaml')));
const weights = ['ips', 'snips', 'calibrated-ips'];

it.each([
  [
    'all there is',
    { logprobs: true, draws: true, labels: true, ownLabels: true },
    [
      'naive',
      'direct',
      'direct-augmented',
      ...weights,
      'dr-cpo',
      'mrdr',
      'tmle',
      'stacked-dr',
      'dr-augmented',
      'dr-labelled',
    ],
  ],
  [
    'labels on the log alone',
    { logprobs: true, draws: true, labels: true, ownLabels: false },
    ['naive', 'direct', ...weights, 'dr-cpo', 'mrdr', 'tmle', 'stacked-dr'],
  ],
  [
    'no labels',
    { logprobs: true, draws: true, labels: false, ownLabels: false },
    ['naive', ...[...weights, 'dr-cpo', 'mrdr'].map((name) => `${name}-uncalibrated`)],
  ],
  ['no draws', { logprobs: true, draws: false, labels: true, ownLabels: false }, weights],
  ['no log', { logprobs: false, draws: true, labels: true, ownLabels: true }, ['naive', 'direct', 'direct-augmented']],
  ['draws and nothing else', { logprobs: false, draws: true, labels: false, ownLabels: false }, ['naive']],
])('the ablations of an imported pipeline: %s', (_, holds, names) => {
  expect(ablationsFor(holds, shipped)).toEqual(names);
});
