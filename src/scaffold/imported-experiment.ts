/** An experiment on data that is there already: its pipeline, the gates, and every ablation that the data can carry. */

import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { findData } from '../datasets/import/found-data.ts';
import { ablationsFor, importPipeline } from './import-pipeline.ts';
import { IGNORED, newFolder, writeNew } from './new-folder.ts';

interface Imported {
  readonly folder: string;
  readonly data: string;
  /** Where the shipped experiment lies. */
  readonly shipped: string;
}

/** @throws ProblemError where an experiment is, and for data that cannot be read */
export async function writeImported({ folder: name, data, shipped }: Imported) {
  const folder = newFolder(name);
  const found = await findData(resolve(data));
  const configs = join(shipped, 'configs');
  const path = relative(folder, found.folder) || '.';
  const ablations = new Set(readdirSync(join(configs, 'ablations')).map((file) => basename(file, '.yaml')));
  const pipeline = importPipeline(basename(folder), found, path, ablationsFor(found.holds, ablations));
  mkdirSync(join(folder, 'configs'), { recursive: true });
  cpSync(join(configs, 'gates.yaml'), join(folder, 'configs/gates.yaml'));
  cpSync(join(configs, 'ablations'), join(folder, 'configs/ablations'), { recursive: true });
  writeNew(folder, [
    ['pipeline.yaml', pipeline],
    ['.gitignore', IGNORED],
  ]);
  return { folder, found };
}
