import { DEFAULT_GATES } from '../../src/stats/gates/gates.ts';
import { marginOf } from '../../src/stats/gates/transport-audit.ts';
import { ESTIMATOR_NAMES, ESTIMATORS, type EstimatorSettings, OPEN_GATES } from '../../src/stats/index.ts';
import { allocationBoundLines, allocationLines } from './allocation.ts';
import { ATTACKS, type AttackSettings, isPreference } from './attacks.ts';
import { commandStudy, type Place } from './command.ts';
import { EQUATION_WORLDS, type EquationSettings } from './equations.ts';
import { HELD_OUT, type HeldOutSettings } from './held-out.ts';
import { POWER_HEAD, powerLines } from './power.ts';
import { ROW_ORDER_HEAD, rowOrderLine } from './row-order.ts';
import {
  type Cell,
  COMPACT_HEAD,
  type CoverageRow,
  compactLines,
  keepsPromise,
  markdown,
  type Seeds,
  type StudyWorld,
} from './study.ts';
import { THRESHOLDS, thresholdClasses, thresholdTable } from './thresholds.ts';
import { DEFAULT_WORLD, type WorldSettings } from './world.ts';

/** The recommended estimators, for which coverage is promised. */
const PROMISED = ESTIMATOR_NAMES.filter((name) => ESTIMATORS.get(name).leads !== undefined);

const SETTINGS: Readonly<Record<string, EstimatorSettings>> = {
  naive: { estimator: 'naive' },
  'direct-augmented-betting': { estimator: 'direct-augmented', interval: 'betting' },
  'dr-cpo-calibrated': { estimator: 'dr-cpo', weights: 'calibrated' },
  ...Object.fromEntries(PROMISED.map((estimator) => [estimator, { estimator }])),
};

/** Shares the seeds of a study out to threads. */
export type RunStudy = (
  world: StudyWorld,
  cells: readonly Cell[],
  seeds: Seeds,
  pairs?: boolean,
) => Promise<CoverageRow[]>;

/**
 * Prints coverage, bias and refusals in the simulated world. Arguments: seeds=2000 n=1000 labelled=0.25 own=50
 * estimators=snips,dr-cpo mode=recommended calibration=auto gates=closed kappa=0.1 temperature=1 drift=0 folds=5 first=1;
 * `drift` first makes a table over judges that drift on pi_cot, and `worlds=all` the worlds of equations,
 * `worlds=CONT,SHARED` some of them (labels=125 prompts=500 ownLabels=0 inference=bootstrap change these); `thresholds`
 * first makes tables of coverage by what a gate reads, `attacks=all` the worlds that try what people bring, in this process
 * or, with `command=1`, by builds of the command; `held-out=all` worlds that nothing was chosen on, likewise; `row-order`
 * first builds one data set of each of some `attacks` with its rows in `seeds` other orders; `power` first one of what
 * plans come to, `seeds` studies of each of `pilots=4` plans; `allocation` first one of what labels by known probability
 * are worth (`worlds=STEP prompts=500` leaves the others out, `bound=1` prints the most that any could be). `threads=1`
 * leaves the other cores alone.
 *
 * @returns the exit code: 1 where a promise is not kept. Promises are made for `recommended` with its gates closed, where
 * the assumptions hold: a judge that does not drift, log probabilities at the sampling temperature.
 */
export async function main(args: readonly string[], run: RunStudy, place: Place): Promise<number> {
  const options = new Map(args.filter((a) => a.includes('=')).map((a) => a.split('=', 2) as [string, string]));
  const started = performance.now();
  const kept =
    args[0] === 'drift'
      ? await drift(options, run)
      : args[0] === 'allocation'
        ? allocation(options)
        : args[0] === 'power'
          ? power(options)
          : args[0] === 'thresholds'
            ? thresholds(options)
            : args[0] === 'row-order'
              ? rowOrder(options, place)
              : options.has('attacks')
                ? await attacks(options, run, place)
                : options.has('held-out')
                  ? await heldOut(options, run, place)
                  : options.has('worlds')
                    ? await equations(options, run)
                    : await coverage(options, run);
  console.log(`\n${((performance.now() - started) / 1000).toFixed(1)} s`);
  return kept ? 0 : 1;
}

async function coverage(options: Options, run: RunStudy): Promise<boolean> {
  const rows = await run(world(options), cells(options), seeds(options));
  console.log(markdown(rows));
  const promised =
    (options.get('mode') ?? 'recommended') === 'recommended' &&
    options.get('gates') !== 'open' &&
    Number(options.get('drift') ?? 0) === 0 &&
    Number(options.get('temperature') ?? 1) === 1;
  if (!promised) return true;
  const broken = rows.filter((row) => row.cell !== 'naive' && !keepsPromise(row));
  for (const { cell, policy } of broken) console.log(`\nOVER: the coverage of ${cell} on ${policy} is not 93 to 97 %`);
  if (broken.length === 0) console.log('\nEvery 99.9 % interval meets 93 to 97 %.');
  return broken.length === 0;
}

type Options = ReadonlyMap<string, string>;

/** The worlds and estimators of docs/statistics.md, in a few lines each. */
const EQUATION_STUDIES: readonly (readonly [world: string, estimators: string, changes: Partial<EquationSettings>])[] =
  [
    ['CONT', 'direct,snips,dr-cpo,stacked-dr,dr-labelled', {}],
    ['CONT', 'direct-augmented', { ownLabels: 30 }],
    ['BETA', 'direct,snips,dr-cpo', {}],
    ['LIKERT', 'direct,snips,dr-cpo', {}],
    ['SHARED', 'direct,snips,dr-cpo', {}],
    ['SHARED-ONE', 'direct,snips,dr-cpo', {}],
    ['BIN95', 'direct-augmented', { ownLabels: 10 }],
    ['BIN95', 'direct-augmented', { ownLabels: 30 }],
    ['BIN95', 'direct', {}],
    ['RARE', 'direct,snips,dr-cpo', {}],
    ['RARE', 'direct,snips,dr-cpo', { labels: 100 }],
    ['NOISY', 'direct,dr-augmented,dr-labelled', {}],
    ['BY-SCORE', 'direct,direct-augmented,dr-labelled', {}],
    ['MNAR', 'direct,snips', {}],
    ['MISSING', 'direct,dr-cpo', {}],
    ['MISSING-FEW', 'direct,dr-cpo', {}],
    ['EDGE', 'snips,ips,dr-cpo', {}],
  ];

/** `worlds=all`, or some by name; nothing is promised here, since some of these worlds break what estimators assume. */
async function equations(options: Options, run: RunStudy): Promise<boolean> {
  const asked = options.get('worlds')!.split(',');
  const unknown = asked.find((name) => name !== 'all' && EQUATION_WORLDS[name] === undefined);
  if (unknown !== undefined)
    throw new Error(`unknown world ${unknown}; known: ${Object.keys(EQUATION_WORLDS).join(', ')}`);
  const studies =
    asked[0] === 'all'
      ? EQUATION_STUDIES
      : asked.map((name) => [name, options.get('estimators') ?? 'direct,snips,dr-cpo', changesOf(options)] as const);
  console.log(COMPACT_HEAD.join('\n'));
  for (const [name, estimators, changes] of studies) {
    const world: EquationSettings = { ...EQUATION_WORLDS[name]!, ...changes };
    const inference = (options.get('inference') ?? 'analytic') as 'analytic';
    const chosen = cells(new Map([...options, ['estimators', estimators]])).map(({ settings, ...cell }) => ({
      ...cell,
      settings: { ...settings, inference, onMissingFreshDraw: 'drop' as const },
    }));
    const said = Object.entries(changes).map(([key, value]) => `, ${key} ${value}`);
    console.log(compactLines(`${name}${said.join('')}`, await run(world, chosen, seeds(options), true)).join('\n'));
  }
  return true;
}

function changesOf(options: Options): Partial<Pick<EquationSettings, 'prompts' | 'labels' | 'ownLabels'>> {
  const keys = ['prompts', 'labels', 'ownLabels'] as const;
  return Object.fromEntries(keys.flatMap((key) => (options.has(key) ? [[key, Number(options.get(key))]] : [])));
}

const NEEDS_DRAWS = 'direct,direct-augmented';
const NEEDS_LOG = 'ips,snips,calibrated-ips';
const NEEDS_BOTH = 'dr-cpo,tmle,stacked-dr,dr-augmented,dr-labelled';

/**
 * `attacks=all`, or some by name, with `command=1` by the command itself: what is covered, and below the table whatever may
 * be covered less than 90 times in 100.
 */
async function attacks(options: Options, run: RunStudy, place: Place): Promise<boolean> {
  const asked = options.get('attacks')!.split(',');
  const names = asked[0] === 'all' ? Object.keys(ATTACKS) : asked;
  const unknown = names.find((name) => ATTACKS[name] === undefined);
  if (unknown !== undefined) throw new Error(`unknown world ${unknown}; known: ${Object.keys(ATTACKS).join(', ')}`);
  const poor: CoverageRow[] = [];
  console.log(COMPACT_HEAD.join('\n'));
  for (const name of names) {
    const world: AttackSettings = { ...ATTACKS[name]!, ...changesOf(options) };
    const chosen = cells(new Map([...options, ['estimators', options.get('estimators') ?? usualOf(world)]])).map(
      ({ settings, ...cell }) => ({
        ...cell,
        settings: { ...settings, onMissingFreshDraw: 'drop' as const, antisymmetric: isPreference(world) },
      }),
    );
    const rows = await studied(options, run, { name, world, chosen, place });
    console.log(compactLines(name, rows).join('\n'));
    poor.push(...rows.filter(isPoor).map((row) => ({ ...row, cell: `${name}, ${row.cell}` })));
  }
  if (poor.length > 0) console.log(`\n${markdown(poor)}`);
  return true;
}

/** `held-out=all`, or some by name, as {@link attacks}. */
async function heldOut(options: Options, run: RunStudy, place: Place): Promise<boolean> {
  const asked = options.get('held-out')!.split(',');
  const names = asked[0] === 'all' ? Object.keys(HELD_OUT) : asked;
  const unknown = names.find((name) => HELD_OUT[name] === undefined);
  if (unknown !== undefined) throw new Error(`unknown world ${unknown}; known: ${Object.keys(HELD_OUT).join(', ')}`);
  const poor: CoverageRow[] = [];
  console.log(COMPACT_HEAD.join('\n'));
  for (const name of names) {
    const world: HeldOutSettings = { ...HELD_OUT[name]!, ...changesOf(options) };
    const chosen = cells(
      new Map([...options, ['estimators', options.get('estimators') ?? `${NEEDS_DRAWS},${NEEDS_LOG},${NEEDS_BOTH}`]]),
    );
    const rows = await studied(options, run, { name, world, chosen, place });
    console.log(compactLines(name, rows).join('\n'));
    poor.push(...rows.filter(isPoor).map((row) => ({ ...row, cell: `${name}, ${row.cell}` })));
  }
  if (poor.length > 0) console.log(`\n${markdown(poor)}`);
  return true;
}

interface Asked {
  readonly name: string;
  readonly world: AttackSettings | HeldOutSettings;
  readonly chosen: readonly Cell[];
  readonly place: Place;
}

/** In this process, or by a build of the command. */
async function studied(options: Options, run: RunStudy, { name, world, chosen, place }: Asked): Promise<CoverageRow[]> {
  if (!options.has('command')) return run(world, chosen, seeds(options), true);
  const names = chosen.map((cell) => cell.name);
  return commandStudy(world, names, seeds(options), { ...place, folder: `${place.folder}/${name}` });
}

/** `seeds` studies of each of `pilots` plans; `worlds` leaves the others out. */
function power(options: Options): boolean {
  console.log(POWER_HEAD.join('\n'));
  const asked = options.get('worlds')?.split(';') ?? [];
  for (const line of powerLines(seeds(options), Number(options.get('pilots') ?? 4), asked)) console.log(line);
  return true;
}

/** Nothing may differ. */
function rowOrder(options: Options, place: Place): boolean {
  console.log(ROW_ORDER_HEAD.join('\n'));
  for (const name of options.get('attacks')!.split(',')) {
    const estimators = options.get('estimators')?.split(',') ?? usualOf(ATTACKS[name]!).split(',');
    const orders = { ...place, folder: `${place.folder}/order-${name}` };
    console.log(rowOrderLine(name, estimators, seeds(options), orders));
  }
  return true;
}

/** Estimators that a world has the data for. */
const usualOf = ({ rows, draws }: AttackSettings): string =>
  rows === 0 ? NEEDS_DRAWS : draws === 0 ? NEEDS_LOG : `${NEEDS_DRAWS},${NEEDS_LOG},${NEEDS_BOTH}`;

/** Where a coverage of 90 % is all but ruled out. */
const isPoor = ({ coverage, runs, refused }: CoverageRow): boolean =>
  runs > refused && coverage + 2.5 * Math.sqrt((0.9 * 0.1) / (runs - refused)) < 0.95;

function seeds(options: Options): Seeds {
  return { first: Number(options.get('first') ?? 1), count: Number(options.get('seeds') ?? 2000) };
}

function cells(options: Options): Cell[] {
  return (options.get('estimators') ?? PROMISED.join(',')).split(',').map((name) => {
    const settings = SETTINGS[name];
    if (settings === undefined)
      throw new Error(`unknown estimator ${name}; known: ${Object.keys(SETTINGS).join(', ')}`);
    const groups = options.get('groups');
    return {
      name,
      settings: {
        ...settings,
        mode: (options.get('mode') ?? 'recommended') as 'recommended',
        rewardCalibration: (options.get('calibration') ?? 'auto') as 'auto',
        folds: Number(options.get('folds') ?? 5),
        ...(groups === undefined ? {} : { jackknifeGroups: Number(groups) || null }),
        ...(options.get('gates') === 'open' ? { gates: OPEN_GATES } : {}),
      },
    };
  });
}

function world(options: Options): WorldSettings {
  return {
    ...DEFAULT_WORLD,
    prompts: Number(options.get('n') ?? 1000),
    labelled: Number(options.get('labelled') ?? 0.25),
    kappa: Number(options.get('kappa') ?? 0.1),
    ownLabels: Number(options.get('own') ?? 50),
    temperature: Number(options.get('temperature') ?? 1),
    drift: { pi_cot: Number(options.get('drift') ?? 0) },
  };
}

function allocation(options: Options): boolean {
  const worlds = options.get('worlds')?.split(',');
  const prompts = options.get('prompts');
  const asked = (plan: { readonly world: string; readonly prompts: number }) =>
    (worlds?.includes(plan.world) ?? true) && (prompts === undefined || plan.prompts === Number(prompts));
  const lines = options.has('bound') ? allocationBoundLines() : allocationLines(seeds(options), asked);
  console.log(lines.join('\n'));
  return true;
}

/** Gates chosen on simulated worlds, held against seeds of others; nothing is promised of a class below its threshold. */
function thresholds(options: Options): boolean {
  const asked = options.get('estimators')?.split(',');
  const chosen = THRESHOLDS.filter(({ settings }) => asked?.includes(settings.estimator) ?? true);
  for (const of of chosen) console.log(`\n${thresholdTable(of, thresholdClasses(of, seeds(options)))}`);
  return true;
}

/** What the judge adds to its scores of pi_cot, densest where the bias reaches margin + 4 audit standard errors. */
const ADDED = [0, -0.03, -0.06, -0.09, -0.093, -0.095, -0.1];
/** Estimators that trust the calibration on a policy, and one that reads the policy's own labels. */
const TRUSTING = ['direct', 'dr-cpo'];
const OWN_LABELS = 'direct-augmented';
const REFUSED_PROMISED = 0.95;

/**
 * A judge that adds a constant to its scores of one policy: refusals and coverage against the bias that this causes. Two
 * promises: beyond margin + 4 audit standard errors at least 95 % are refused, and own labels cover at every bias.
 */
async function drift(options: Options, run: RunStudy): Promise<boolean> {
  const chosen = cells(new Map([...options, ['estimators', [...TRUSTING, OWN_LABELS].join(',')]]));
  const margin = marginOf(DEFAULT_GATES.transportMargin, 'pi_cot')!;
  let kept = true;
  console.log(
    '| judge adds | bias of direct | margin + 4 SE | estimator | refused % | coverage of the given % | promise |',
  );
  console.log('|---:|---:|---:|---|---:|---:|---|');
  for (const added of ADDED) {
    const settings: WorldSettings = { ...world(options), targets: { pi_cot: 0.7 }, drift: { pi_cot: added } };
    const open: Cell = { name: 'open', settings: { ...chosen[0]!.settings, gates: OPEN_GATES } };
    const [bare, ...rows] = await run(settings, [open, ...chosen], seeds(options));
    const bias = bare!.meanError;
    const bound = margin + 4 * rows[0]!.meanAuditError;
    for (const row of rows) {
      const refused = row.refused / row.runs;
      const coverage = row.refused === row.runs ? '' : (100 * row.coverage).toFixed(1);
      const promise =
        row.cell === OWN_LABELS
          ? verdict('covers', keepsPromise(row))
          : Math.abs(bias) >= bound
            ? verdict('refused ≥ 95 %', refused >= REFUSED_PROMISED)
            : '';
      if (promise.startsWith('NOT')) kept = false;
      const numbers = [
        added,
        bias.toFixed(4),
        bound.toFixed(4),
        row.cell,
        (100 * refused).toFixed(1),
        coverage,
        promise,
      ];
      console.log(`| ${numbers.join(' | ')} |`);
    }
  }
  return kept;
}

const verdict = (what: string, kept: boolean): string => (kept ? `${what}: kept` : `NOT kept: ${what}`);
