import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { remember, remembered, seenFile } from '../../src/cli/last-build.ts';

let folder: string;
const at = (name: string) => join(folder, name);
const args = (...more: readonly string[]) => ['build', '-f', at('pipeline.yaml'), ...more];
const footing = () => {
  const consulted = [at('pipeline.yaml'), at('absent')].map(seenFile);
  const readAt = Date.now() + 60_000;
  return { consulted, readAt, copies: [at('report.md')], blobs: [[at('blob'), 8]] as const, records: at('data.mdb') };
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cje-fast-'));
  mkdirSync(at('.cache'));
  for (const name of ['pipeline.yaml', 'report.md', 'blob', 'data.mdb']) writeFileSync(at(name), `the ${name}`);
  remember(at('.cache'), 'cje 1', args(), footing(), 'nothing to do');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the memory of a build', () => {
  it('answers while nothing that it depended on has changed', () => {
    expect(remembered('cje 1', args())).toBe('nothing to do');
    // Another build's records make the file longer.
    appendFileSync(at('data.mdb'), 'more');
    expect(remembered('cje 1', args())).toBe('nothing to do');
    expect(remembered('cje 2', args())).toBeUndefined();
    expect(remembered('cje 1', [...args(), '--offline'])).toBeUndefined();
  });

  it('is none of a copy whose folder has become a file', () => {
    mkdirSync(at('out'));
    writeFileSync(at('out/report.md'), 'the report');
    remember(at('.cache'), 'cje 1', args(), { ...footing(), copies: [at('out/report.md')] }, 'nothing to do');
    expect(remembered('cje 1', args())).toBe('nothing to do');
    rmSync(at('out'), { recursive: true });
    writeFileSync(at('out'), '');
    expect(remembered('cje 1', args())).toBeUndefined();
  });

  it('is none of an output whose folder has become a file', () => {
    mkdirSync(at('blobs'));
    writeFileSync(at('blobs/one'), 'an output');
    remember(at('.cache'), 'cje 1', args(), { ...footing(), blobs: [[at('blobs/one'), 9]] }, 'nothing to do');
    expect(remembered('cje 1', args())).toBe('nothing to do');
    rmSync(at('blobs'), { recursive: true });
    writeFileSync(at('blobs'), '');
    expect(remembered('cje 1', args())).toBeUndefined();
  });

  it('is looked for beside the pipeline that the command line names, however it does', () => {
    const asked = (...line: string[]) => {
      remember(at('.cache'), 'cje 1', line, footing(), line.join(' '));
      return remembered('cje 1', line) === line.join(' ');
    };
    expect(asked('build', '--file', at('pipeline.yaml'))).toBe(true);
    expect(asked('build', `--file=${at('pipeline.yaml')}`)).toBe(true);
    expect(asked('build', 'report')).toBe(false);
    const before = process.cwd();
    process.chdir(folder);
    try {
      expect(asked('build', 'report')).toBe(true);
    } finally {
      process.chdir(before);
    }
  });

  it('is none of a file that was so young when it was read that an edit might not show', () => {
    const told = (age: number) => {
      const { consulted, ...rest } = footing();
      const written = Number(BigInt(consulted[0]!.modified) / 1_000_000n);
      const changed = Number(BigInt(consulted[0]!.changed) / 1_000_000n);
      remember(
        at('.cache'),
        'cje 1',
        args(`aged-${age}`),
        { ...rest, consulted, readAt: Math.max(written, changed) + age },
        'x',
      );
      return remembered('cje 1', args(`aged-${age}`));
    };
    expect([told(0), told(1000), told(2000), told(2001)]).toEqual([undefined, undefined, undefined, 'x']);
  });

  it('is of the sixteen commands that were built last, each by its own words', () => {
    const told = () => remembered('cje 1', args());
    for (let other = 1; other <= 15; other++) {
      remember(at('.cache'), 'cje 1', args(`stage-${other}`), footing(), `text ${other}`);
      expect(remembered('cje 1', args(`stage-${other}`))).toBe(`text ${other}`);
    }
    expect(told()).toBe('nothing to do');
    remember(at('.cache'), 'cje 1', args('stage-16'), footing(), 'text 16');
    expect(told()).toBeUndefined();
    expect(remembered('cje 1', args('stage-1'))).toBe('text 1');
  });

  it.each<[string, () => void]>([
    ['an edited file', () => appendFileSync(at('pipeline.yaml'), ' ')],
    ['a file where none was', () => writeFileSync(at('absent'), '')],
    ['a changed copy', () => appendFileSync(at('report.md'), ' ')],
    ['a blob cut short', () => truncateSync(at('blob'), 3)],
    ['records that are gone', () => rmSync(at('data.mdb'))],
    ['records cut short', () => truncateSync(at('data.mdb'), 3)],
    [
      'other records',
      () => {
        copyFileSync(at('data.mdb'), at('other'));
        renameSync(at('other'), at('data.mdb'));
      },
    ],
  ])('is silent after %s', (_, change) => {
    change();
    expect(remembered('cje 1', args())).toBeUndefined();
  });
});
