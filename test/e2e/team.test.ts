/** Two machines, each with a home and a cache of its own, and a folder that both mount. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Project, removeProject, shippedProject } from '../helpers/project.ts';

const TARGET = 'responses/p0';

describe('a team with a shared cache', () => {
  let place: string;
  let alice: Project;
  let bob: Project;
  const homes: string[] = [];
  const home = () => {
    const folder = mkdtempSync(join(tmpdir(), 'cje-home-'));
    homes.push(folder);
    return { HOME: folder, XDG_CONFIG_HOME: join(folder, '.config'), CJE_SIGNING_KEY: '' };
  };
  const [atAlice, atBob] = [home(), home()];

  beforeAll(() => {
    place = mkdtempSync(join(tmpdir(), 'cje-shared-'));
    alice = shippedProject({ samples: 30 });
    bob = shippedProject({ samples: 30 });
    const key = alice.runWith(atAlice, 'cache', 'keygen').stdout.trim().split('\n').at(-1)!;
    expect(key).toMatch(/^ed25519:/);
    const settings = `remote:\n  url: ${place}\n  trusted: ['${key} alice']\n  push: after\n`;
    alice.write('cje.remote.yaml', settings);
    bob.write('cje.remote.yaml', settings);
  });
  afterAll(() => {
    for (const project of [alice, bob]) removeProject(project);
    for (const folder of [place, ...homes]) rmSync(folder, { recursive: true, force: true });
  });

  it('buys once: what one build gave, the other takes', () => {
    const first = alice.runWith(atAlice, 'build', TARGET, '--json');
    expect(first.finished).toMatchObject({ exit: 0 });
    const bought = first.finished.calls.bought;
    expect(bought).toBe(30);

    const second = bob.runWith(atBob, 'build', TARGET, '--json');
    expect(second.finished).toMatchObject({ exit: 0, calls: { bought: 0 } });
    expect(second.events).toContainEqual({
      type: 'note',
      text: expect.stringMatching(/^shared cache: took 30 replies/),
    });
    expect(bob.outputs()).toEqual(alice.outputs());

    // Told to fetch no more than what it lacks, a build looks there when it would buy.
    rmSync(join(bob.folder, '.cache'), { recursive: true });
    bob.edit('cje.remote.yaml', 'push: after', 'pull: missing');
    expect(bob.runWith(atBob, 'build', TARGET, '--json').finished).toMatchObject({ exit: 0, calls: { bought: 0 } });
  });

  it('names what was tampered with, and builds without it', () => {
    const [segment = ''] = readdirSync(join(place, 'segments'));
    const path = join(place, 'segments', segment);
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path, bytes);
    rmSync(join(bob.folder, '.cache'), { recursive: true });
    const pull = bob.runWith(atBob, 'cache', 'pull');
    expect(pull.exit).toBe(5);
    expect(pull.stderr).toContain('CJE-REMOTE-NOT-BELIEVED');
    expect(pull.stderr).toContain(`segments/${segment}`);
  });
});
