/** Recorded answers of the simulated world: no change of its code changes one unless its version says so. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_WORLD, worldIdentity } from '../../src/simulator/world/index.ts';
import { ROOT } from '../helpers/project.ts';
import { type Recorded, worldAnswers } from './world-answers.ts';

const recorded = JSON.parse(readFileSync(join(ROOT, 'test/fixtures/world-answers.json'), 'utf8')) as Recorded;
const now = worldAnswers();

const REMEDY = `
If the world was meant to answer as before, the edit has changed it: undo that.
If it was meant to change, give WORLD_VERSION in src/simulator/world/version.ts another value, or builds are served the
answers of before out of their caches; then record the new answers by \`npm run golden\`.
If only the requests of test/simulator/world-answers.ts were changed, \`npm run golden\` alone will do.
`;

describe('the simulated world', () => {
  it.each(Object.keys(recorded.sorts))('answers as recorded: %s', (name) => {
    expect(now.sorts[name], REMEDY).toEqual(recorded.sorts[name]);
  });

  it('answers as recorded, to read', () => {
    expect(JSON.parse(JSON.stringify(now.readable)), REMEDY).toEqual(recorded.readable);
  });

  it('is asked nothing that was not recorded', () => {
    expect(Object.keys(now.sorts).sort(), REMEDY).toEqual(Object.keys(recorded.sorts).sort());
  });

  it('has the identity under which its answers were bought', () => {
    expect(now.identity, REMEDY).toBe(recorded.identity);
  });

  it('has another identity under another configuration', () => {
    expect(worldIdentity({ ...DEFAULT_WORLD, leadingNewline: 0.2 })).not.toBe(now.identity);
  });
});
