import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach } from 'vitest';
import { type LocalStore, openStore } from '../../src/store/store.ts';

/** Folders and stores that end with the test. */
export function workshop(): {
  folder(): string;
  open(folder: string, options?: Parameters<typeof openStore>[1]): LocalStore;
} {
  const folders: string[] = [];
  const stores: LocalStore[] = [];
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  return {
    folder() {
      const folder = mkdtempSync(join(tmpdir(), 'cje-store-'));
      folders.push(folder);
      return folder;
    },
    open(folder, options) {
      const store = openStore(join(folder, '.cache'), options);
      stores.push(store);
      return store;
    },
  };
}

const bundles: string[] = [];
afterAll(() => {
  for (const file of bundles.splice(0)) rmSync(file, { force: true });
});

/** Bundles a script of this folder for a process of its own; lmdb is found from where the bundle lies. */
export async function bundle(script: string): Promise<string> {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const folder = join(root, 'node_modules', '.cache', 'cje-test');
  await mkdir(folder, { recursive: true });
  const outfile = join(folder, `${script}-${process.pid}.mjs`);
  bundles.push(outfile);
  await build({
    entryPoints: [fileURLToPath(new URL(`./${script}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['lmdb'],
    logLevel: 'error',
  });
  return outfile;
}
