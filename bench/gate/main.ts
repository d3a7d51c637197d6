import {
  type GatePrompt,
  type GateTest,
  nonInferiority,
  normalQuantile,
  pairedDifferences,
} from '../../src/stats/index.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';

type Random = ReturnType<typeof randomSource>;

/** A world in which the candidate's mean is `lift` above the baseline's, on the scale that is tested. */
interface World {
  readonly name: string;
  readonly margin: number;
  readonly test: GateTest;
  prompt(random: Random, lift: number): GatePrompt;
}

const ALPHA = 0.05;
/** Prompts between two looks. */
const LOOK = 25;
const POWER = 0.8;
/** Of the fixed design's prompts, where the candidate is better than the margin by twice the margin. */
const MOST_COST = 0.6;

const clip = (value: number) => Math.min(1, Math.max(0, value));
const judged = (score: number) => [{ score, label: undefined }];
const labelled = (random: Random, share: number, score: number, label: number) => [
  { score, label: random.uniform() < share ? label : undefined },
];
const half = { on: 'oracle', propensities: { candidate: 0.5, baseline: 0.5 } } as const;

const WORLDS: readonly World[] = [
  {
    name: 'judge, prompts shared',
    margin: 0.02,
    test: { on: 'judge' },
    prompt(random, lift) {
      const prompt = 0.5 + 0.1 * random.normal();
      // Far enough from the ends that clipping moves no mean.
      return {
        candidate: judged(clip(prompt + lift + 0.1 * random.normal())),
        baseline: judged(clip(prompt + 0.1 * random.normal())),
      };
    },
  },
  {
    name: 'judge, five levels',
    margin: 0.02,
    test: { on: 'judge' },
    prompt(random, lift) {
      // Levels 0, ¼ … 1 at random rounding, so that means are kept.
      const level = (mean: number) => Math.floor(4 * mean + random.uniform()) / 4;
      const prompt = 0.3 + 0.4 * random.uniform();
      return { candidate: judged(level(prompt + lift)), baseline: judged(level(prompt)) };
    },
  },
  {
    name: 'judge, right or wrong, 95 %',
    margin: 0.05,
    test: { on: 'judge' },
    prompt: (random, lift) => ({
      candidate: judged(random.uniform() < 0.9 + lift ? 1 : 0),
      baseline: judged(random.uniform() < 0.9 ? 1 : 0),
    }),
  },
  {
    name: 'oracle, half labelled, judge off by 0.1 on the candidate',
    margin: 0.02,
    test: half,
    prompt(random, lift) {
      const prompt = 0.5 + 0.1 * random.normal();
      const side = (mean: number, off: number) => {
        const label = clip(mean + 0.12 * random.normal());
        return labelled(random, 0.5, clip(label + off + 0.05 * random.normal()), label);
      };
      return { candidate: side(prompt + lift, 0.1), baseline: side(prompt, 0) };
    },
  },
  {
    name: 'oracle, all labelled, five levels',
    margin: 0.02,
    test: { on: 'oracle', propensities: { candidate: 1, baseline: 1 } },
    prompt(random, lift) {
      const level = (mean: number) => Math.floor(4 * mean + random.uniform()) / 4;
      const prompt = 0.3 + 0.4 * random.uniform();
      return {
        candidate: labelled(random, 1, random.uniform(), level(prompt + lift)),
        baseline: labelled(random, 1, random.uniform(), level(prompt)),
      };
    },
  },
  {
    name: 'oracle, right or wrong, half labelled',
    margin: 0.1,
    test: half,
    prompt(random, lift) {
      const side = (chance: number) => {
        const quality = clip(chance + 0.15 * random.normal());
        return labelled(random, 0.5, quality, random.uniform() < quality ? 1 : 0);
      };
      return { candidate: side(0.5 + lift), baseline: side(0.5) };
    },
  },
];

interface Verdicts {
  readonly pass: number;
  readonly fail: number;
  /** Of prompts bought, a whole number of looks. */
  readonly median: number;
}

interface Run {
  readonly first: number;
  readonly worlds: number;
  readonly prompts: number;
}

function verdicts(world: World, lift: number, { first, worlds, prompts }: Run): Verdicts {
  const bought: number[] = [];
  let [pass, fail] = [0, 0];
  for (let seed = 0; seed < worlds; seed++) {
    const random = randomSource(first + seed, 17);
    const seen = Array.from({ length: prompts }, () => world.prompt(random, lift));
    const { values, bounds } = pairedDifferences(seen, world.test);
    const { verdict, decidedAt } = nonInferiority(values, { margin: world.margin, alpha: ALPHA, bounds });
    if (verdict === 'pass') pass++;
    if (verdict === 'fail') fail++;
    bought.push(Math.ceil((decidedAt ?? prompts) / LOOK) * LOOK);
  }
  bought.sort((a, b) => a - b);
  return { pass: pass / worlds, fail: fail / worlds, median: bought[Math.floor(worlds / 2)]! };
}

/** Prompts of a test that looks once: α and 80 % power for a candidate that is as good. */
function fixedDesign(world: World): number {
  const random = randomSource(0, 18);
  const { values } = pairedDifferences(
    Array.from({ length: 4000 }, () => world.prompt(random, 0)),
    world.test,
  );
  // The first blocks have no calibration yet.
  const later = values.subarray(500);
  const mean = later.reduce((sum, d) => sum + d, 0) / later.length;
  const variance = later.reduce((sum, d) => sum + (d - mean) ** 2, 0) / later.length;
  return Math.ceil(((normalQuantile(1 - ALPHA) + normalQuantile(POWER)) ** 2 * variance) / world.margin ** 2);
}

export function main(args: readonly string[]): number {
  const setting = (name: string, otherwise: number) =>
    Number(args.find((argument) => argument.startsWith(`${name}=`))?.slice(name.length + 1) ?? otherwise);
  const worlds = setting('worlds', 2000);
  const prompts = setting('prompts', 2000);
  const first = setting('first', 0);
  const few = { first, worlds: Math.ceil(worlds / 10), prompts };
  const percent = (share: number) => (100 * share).toFixed(1);
  console.log(
    '| world | margin δ | false passes at −δ % | false fails at −δ % | fixed design | median at 0 | pass % | median at +δ | of fixed % | median at −3δ | of fixed % |',
  );
  console.log('|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|');
  let kept = true;
  const only = args.find((argument) => argument.startsWith('only='))?.slice('only='.length) ?? '';
  for (const world of WORLDS.filter(({ name }) => name.includes(only))) {
    const { margin } = world;
    const at = verdicts(world, -margin, { first, worlds, prompts });
    const equal = verdicts(world, 0, { ...few, prompts: 4 * prompts });
    const good = verdicts(world, margin, few);
    const bad = verdicts(world, -3 * margin, few);
    const fixed = fixedDesign(world);
    const share = (of: Verdicts) => percent(of.median / fixed);
    const cells = [
      world.name,
      margin,
      percent(at.pass),
      percent(at.fail),
      fixed,
      equal.median,
      percent(equal.pass),
      good.median,
      share(good),
      bad.median,
      share(bad),
    ];
    console.log(`| ${cells.join(' | ')} |`);
    // Where the rate is α, more than this in 2,000 worlds has a chance of 0.1 %.
    const most = ALPHA + 3.1 * Math.sqrt((ALPHA * (1 - ALPHA)) / worlds);
    if (at.pass > most || good.median > MOST_COST * fixed) kept = false;
  }
  return kept ? 0 : 1;
}
