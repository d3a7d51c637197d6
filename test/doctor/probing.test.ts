/** How patient the doctor is, and what its findings come to. */

import { expect, it } from 'vitest';
import type { CheckStatus } from '../../src/doctor/probe.ts';
import { exitOf, impatient } from '../../src/doctor/probing.ts';
import { PROVIDER } from './support.ts';

it.each([
  [5, 600, 3, 60],
  [3, 60, 3, 60],
  [1, 7, 1, 7],
])('%i tries of %i seconds are %i of %i for the doctor', (attempts, timeoutSeconds, tries, seconds) => {
  const { limits } = impatient({ ...PROVIDER, limits: { concurrency: 4, attempts, timeoutSeconds } });
  expect(limits).toEqual({ concurrency: 4, attempts: tries, timeoutSeconds: seconds });
});

it.each<[readonly CheckStatus[], readonly string[], number]>([
  [['ok'], ['ok'], 0],
  [['ok', 'warning', 'note'], ['ok', 'ok'], 0],
  [['ok', 'failure'], ['ok'], 1],
  [['ok'], ['ok', 'would-fail'], 1],
  [['ok'], ['ok', 'not-asked'], 3],
  [['ok'], ['not-asked', 'would-fail'], 1],
  [[], [], 0],
])('checks of a provider %j and of its models %j end with %i', (checks, verdicts, exit) => {
  const found = {
    provider: { checks: checks.map((status) => ({ name: 'x', status, detail: '' })) },
    models: verdicts.map((verdict) => ({ verdict })),
    failed: 0,
  };
  const sound = { ...found, models: [], provider: { checks: [] } };
  expect(exitOf([sound, found] as never)).toBe(exit);
});
