import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { gatesSchema } from '../../src/datasets/gates-file.ts';
import { ablationSchema, estimatorSettings } from '../../src/kinds/files/ablation.ts';
import { DEFAULT_GATES, ESTIMATOR_NAMES, estimate, resolveConfig } from '../../src/stats/index.ts';
import { labelledData } from './labelled-data.ts';

const CONFIGS = resolve(import.meta.dirname, '../../configs');
const FOLDER = join(CONFIGS, 'ablations');
const ablations = readdirSync(FOLDER)
  .sort()
  .map((file) => ({
    name: file.replace('.yaml', ''),
    text: readFileSync(join(FOLDER, file), 'utf8'),
  }));
const gates = gatesSchema.parse(parse(readFileSync(join(CONFIGS, 'gates.yaml'), 'utf8')));
const data = labelledData({ prompts: 120, labelled: 0.4, ownLabelled: 0.3 });

describe('every shipped ablation', () => {
  it.each(ablations)('$name says what it is and gives estimates', ({ name, text }) => {
    expect(text).toMatch(/^# .+\n/);
    const ablation = ablationSchema.parse(parse(text));
    // A bootstrap of fewer resamples is the same code.
    const settings = { ...estimatorSettings(ablation, gates.overlap, false), replicates: 100 };
    const { policies } = estimate(settings, data);
    expect(policies.map(({ policy }) => policy)).toEqual(['near', 'far']);
    const near = policies[0]!;
    if (near.status !== 'ok') throw new Error(`${name} refuses: ${near.message}`);
    expect(near.estimate).toBeGreaterThan(0.3);
    expect(near.estimate).toBeLessThan(0.7);
    expect(near.standardError).toBeGreaterThan(0);
  });

  it('is named after its estimator', () => {
    for (const { name, text } of ablations)
      expect(name.startsWith((parse(text) as { estimator: string }).estimator)).toBe(true);
  });

  it('leaves no estimator without one', () => {
    const shipped = new Set(ablations.map(({ text }) => (parse(text) as { estimator: string }).estimator));
    expect([...shipped].sort()).toEqual([...ESTIMATOR_NAMES].sort());
  });
});

describe('the shipped pipeline', () => {
  it('names ablations that are there', () => {
    const { vars } = parse(readFileSync(join(CONFIGS, '../pipeline.yaml'), 'utf8')) as {
      vars: { ablations: string[] };
    };
    const known = ablations.map(({ name }) => name);
    for (const name of vars.ablations) expect(known).toContain(name);
  });

  it('writes out every gate of an estimate, at the value that docs and code have', () => {
    const ablation = ablationSchema.parse({ estimator: 'direct' });
    const { gates: written } = resolveConfig(estimatorSettings(ablation, gates.overlap, false));
    expect(written.maximumLogMeanWeight).toBeCloseTo(DEFAULT_GATES.maximumLogMeanWeight, 4);
    expect({ ...written, maximumLogMeanWeight: 0 }).toEqual({ ...DEFAULT_GATES, maximumLogMeanWeight: 0 });
    expect(Object.keys(gates.overlap)).toHaveLength(Object.keys(DEFAULT_GATES).length);
  });
});

describe('the settings of an ablation', () => {
  it('reach the estimator', () => {
    const ablation = ablationSchema.parse({
      estimator: 'direct',
      inference: 'bootstrap',
      replicates: 300,
      jackknife_groups: null,
      deletion: 'list-wise',
      judge_uncertainty: true,
      oracle_uncertainty: false,
      covariates: ['response_length'],
    });
    expect(resolveConfig(estimatorSettings(ablation, undefined, false))).toMatchObject({
      inference: 'bootstrap',
      replicates: 300,
      jackknifeGroups: null,
      deletion: 'list-wise',
      judgeUncertainty: true,
      oracleUncertainty: false,
      covariates: ['response_length'],
    });
  });

  it.each([
    [{ estimator: 'dr-cpo', inference: 'bootstrap' }, 'inference bootstrap: only with direct'],
    [{ estimator: 'direct', inference: 'bootstrap', mode: 'parity' }, 'only in recommended mode'],
    [{ estimator: 'direct', reward_calibration: 'none', covariates: ['response_length'] }, 'covariates: only with'],
    [{ estimator: 'direct', replicates: 10 }, '>=100'],
  ])('refuse what does not go together: %j', (settings, message) => {
    const { error } = ablationSchema.safeParse(settings);
    expect(error?.issues.map((issue) => issue.message).join()).toContain(message);
  });
});
