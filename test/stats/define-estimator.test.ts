import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ablationSchemaOf, estimatorSettings } from '../../src/kinds/files/ablation.ts';
import {
  defineEstimator,
  ESTIMATOR_NAMES,
  ESTIMATORS,
  type EstimatedPolicy,
  EstimatorRegistry,
  estimate,
} from '../../src/stats/index.ts';
import { mean } from '../../src/stats/numeric/moments.ts';
import { NO_EXTRAS } from '../../src/stats/study/computation.ts';
import { promptClusteredVariance } from '../../src/stats/study/estimator.ts';
import { FIXTURES, loadCase } from './support/reference-data.ts';

const plain = loadCase(path.join(FIXTURES, 'plain'));

/** The direct method, pulled towards one half. */
const shrunk = defineEstimator({
  name: 'shrunk',
  note: 'pulls the direct estimate towards one half',
  needs: { log: false, draws: true, labels: 'calibration' },
  options: z.object({ pullShare: z.number().min(0).max(1) }),
  defaults: () => ({ pullShare: 0.5 }),
  leads: { rank: 0.5, because: 'It is a toy.' },
  compute: ({ fresh }, { pullShare }) => {
    const { promptIds } = fresh!.draws;
    const pulled = fresh!.rewards.map((r) => (1 - pullShare) * r + pullShare / 2);
    const value = mean(pulled);
    const influence = pulled.map((r) => r - value);
    return {
      ...NO_EXTRAS,
      estimate: value,
      influence,
      promptIds,
      sampling: promptClusteredVariance(influence, promptIds),
    };
  },
});
const estimators = new EstimatorRegistry([...ESTIMATORS.all, shrunk]);
const schema = ablationSchemaOf(estimators);

describe('an estimator that is added', () => {
  const values = (settings: Parameters<typeof estimate>[0]) =>
    (estimate(settings, plain, estimators).policies as EstimatedPolicy[]).map((p) => p.estimate);

  test('gives estimates, with its own setting at its default or as a file says', () => {
    const direct = values({ estimator: 'direct' });
    const read = (file: object) => values(estimatorSettings(schema.parse(file), undefined, false));
    read({ estimator: 'shrunk' }).forEach((value, i) => {
      expect(value).toBeCloseTo((direct[i]! + 0.5) / 2, 12);
    });
    expect(read({ estimator: 'shrunk', pull_share: 0 })).toEqual(direct);
  });

  test('has its note, its place and its reason in the lists', () => {
    expect(estimators.names).toEqual([...ESTIMATOR_NAMES, 'shrunk']);
    expect(estimators.find('shrunk')?.note).toBe(shrunk.note);
    expect(estimators.leaders[0]).toBe(shrunk);
    expect(estimators.leader(shrunk.needs)).toBe('shrunk');
    expect(estimators.alternativesTo(estimators.get('direct')).draws).toBe('shrunk');
  });

  test('takes its place among those that may lead, no two of which have the same', () => {
    const ranks = estimators.leaders.map(({ leads }) => leads!.rank);
    expect(ranks).toEqual([0.5, ...Array.from(ESTIMATORS.leaders, (_, index) => index + 1)]);
    expect(ESTIMATORS.leaders.slice(0, 3).map(({ name }) => name)).toEqual(['dr-cpo', 'stacked-dr', 'tmle']);
  });

  test.each([
    [{ estimator: 'shrunk', pull_share: 2 }, 'pull_share', '<=1'],
    [{ estimator: 'direct', pull_share: 0.5 }, 'pull_share', "'pull_share' is no setting of direct"],
    [{ estimator: 'shrunk', tmle_link: 'logit' }, 'tmle_link', "'tmle_link' is no setting of shrunk"],
    [{ estimator: 'shrunk', inference: 'bootstrap' }, '', 'inference bootstrap: only with direct and direct-augmented'],
    [{ estimator: 'shrnk' }, 'estimator', '"shrunk"'],
  ])('a file with a mistake says where: %j', (file, at, message) => {
    const [issue] = schema.safeParse(file).error!.issues;
    expect(issue!.path.join('.')).toBe(at);
    expect(issue!.message).toContain(message);
  });

  test('a setting of others says whose it is', () => {
    const [issue] = schema.safeParse({ estimator: 'direct', interval: 'betting' }).error!.issues;
    expect(issue).toMatchObject({ path: ['interval'], params: { hint: 'direct-augmented has it' } });
  });

  test('refuses a wrong setting by its name, in code too', () => {
    expect(() => estimate({ estimator: 'shrunk', pullShare: 2 } as { estimator: string }, plain, estimators)).toThrow(
      /^pullShare: /,
    );
    expect(() => estimate({ estimator: 'snips', tmleLink: 'logit' }, plain)).toThrow('tmleLink: no setting of snips');
    const other = { ...shrunk, name: 'other', options: z.object({ pullShare: z.boolean() }) };
    expect(() => new EstimatorRegistry([shrunk, other]).ownOptions).toThrow('pullShare: a setting of other');
    expect(() => new EstimatorRegistry([shrunk, shrunk])).toThrow('two estimators of one name');
  });
});

const root = path.resolve(import.meta.dirname, '../../src');

/** Files of ours whose code, comments aside, has one of these words in quotes. */
function quoting(words: readonly string[]): string[] {
  const quoted = new RegExp(`['"\`](?:${words.join('|')})['"\`]`);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts') && quoted.test(withoutComments(readFileSync(path.join(root, file), 'utf8'))))
    .sort();
}

test('no code but an estimator’s own knows its name', () => {
  // What init writes names ablation files to start from, and an error's text an example.
  const own = /^stats\/(?:estimators|compat\/original)\/|^scaffold\/own-experiment\.ts$|^core\/catalogue\.ts$/;
  const naming = quoting(ESTIMATOR_NAMES);
  expect(naming).toContain('stats/estimators/tmle.ts');
  expect(naming.filter((file) => !own.test(file))).toEqual([]);
});

test('no code asks for the mode but the one that makes the choices', () => {
  expect(quoting(['parity'])).toEqual(['stats/compat/cje-eval/choices.ts', 'stats/study/options.ts']);
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
