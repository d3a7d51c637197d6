import { expect, it } from 'vitest';
import { labelShare } from '../../src/scaffold/own-experiment.ts';

it.each([
  [0, 1],
  [10, 1],
  // Fifteen of forty are 37.5 %.
  [40, 0.38],
  [150, 0.1],
  // A tenth of a thousand are more than fifteen.
  [1000, 0.1],
])('of %i prompts people are asked to label a share of %d, so that fifteen are, or a tenth', (prompts, share) => {
  expect(labelShare(prompts)).toBe(share);
});
