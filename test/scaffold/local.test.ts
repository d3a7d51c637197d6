/** Whether the engine must be installed before models run on this machine. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { ENGINE, ENGINE_FOLDER } from '../../src/core/local-engine.ts';
import { missingEngine } from '../../src/scaffold/local.ts';

let folder = '';
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('an engine is missing where there is none, or one of another version', () => {
  folder = mkdtempSync(join(tmpdir(), 'cje-engine-'));
  const missing = () => missingEngine(folder, join(folder, 'bin', 'cje.js'));
  const install = (version: string) => {
    const place = join(folder, ENGINE_FOLDER, 'node_modules', ENGINE.name);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'package.json'), JSON.stringify({ name: ENGINE.name, version }));
  };
  expect(missing()).toContain(`${ENGINE.name}@${ENGINE.version}`);
  install('0.0.1');
  expect(missing()).toContain(`${ENGINE.name}@${ENGINE.version}`);
  install(ENGINE.version);
  expect(missing()).toBeUndefined();
});
