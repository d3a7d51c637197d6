import type { EstimatorSettings } from '../../src/stats/index.ts';
import { type Cell, coverageStudy, markdown } from './study.ts';
import { DEFAULT_WORLD, type WorldSettings } from './world.ts';

/** Gates that let everything through: what would happen without them. */
const OPEN_GATES = {
  minimumRows: 0,
  minimumEss: 0,
  minimumEssFraction: 0,
  minimumTailIndex: 0,
  maximumRowShare: 1,
  maximumLogMeanWeight: Number.POSITIVE_INFINITY,
  maximumOutOfRange: 2,
  transportMargin: null,
  maximumStabilisationShift: Number.POSITIVE_INFINITY,
  maximumIdentificationWidth: Number.POSITIVE_INFINITY,
};

const SETTINGS: Readonly<Record<string, EstimatorSettings>> = {
  naive: { estimator: 'naive' },
  direct: { estimator: 'direct' },
  'direct-augmented': { estimator: 'direct-augmented' },
  ips: { estimator: 'ips' },
  snips: { estimator: 'snips' },
  'calibrated-ips': { estimator: 'calibrated-ips' },
  'dr-cpo': { estimator: 'dr-cpo' },
  'dr-cpo-calibrated': { estimator: 'dr-cpo', weights: 'calibrated' },
  mrdr: { estimator: 'mrdr' },
  tmle: { estimator: 'tmle' },
  'stacked-dr': { estimator: 'stacked-dr' },
  'dr-augmented': { estimator: 'dr-augmented' },
};

/**
 * Prints coverage, bias and refusals in the simulated world.
 * Arguments: seeds=1000 n=1000 labelled=0.25 own=50 estimators=snips,dr-cpo mode=recommended calibration=auto gates=closed
 * kappa=0.1 temperature=1 drift=0 folds=5 first=1; `drift` first makes a table over judges that drift on pi_cot.
 */
export function main(args: readonly string[]): void {
  const options = new Map(args.filter((a) => a.includes('=')).map((a) => a.split('=', 2) as [string, string]));
  const started = performance.now();
  if (args[0] === 'drift') drift(options);
  else console.log(markdown(coverageStudy(world(options), cells(options), ...seeds(options))));
  console.log(`\n${((performance.now() - started) / 1000).toFixed(1)} s`);
}

type Options = ReadonlyMap<string, string>;

function seeds(options: Options): [number, number] {
  return [Number(options.get('seeds') ?? 1000), Number(options.get('first') ?? 1)];
}

function cells(options: Options): Cell[] {
  return (options.get('estimators') ?? 'snips,dr-cpo').split(',').map((name) => {
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

/** A judge that adds a constant to its scores of one policy: refusals and coverage against the bias that this causes. */
function drift(options: Options): void {
  const names = ['direct', 'dr-cpo', 'direct-augmented'];
  const chosen = cells(new Map([...options, ['estimators', names.join(',')], ['calibration', 'monotone']]));
  console.log('| judge adds | bias of direct | audit SE | estimator | refused % | coverage of the given % |');
  console.log('|---:|---:|---:|---|---:|---:|');
  for (const added of [0, -0.03, -0.06, -0.09, -0.12, -0.15, -0.18]) {
    const settings: WorldSettings = { ...world(options), targets: { pi_cot: 0.7 }, drift: { pi_cot: added } };
    const open: Cell = { name: 'open', settings: { ...chosen[0]!.settings, gates: OPEN_GATES } };
    const [bare, ...rows] = coverageStudy(settings, [open, ...chosen], ...seeds(options));
    const own = settings.ownLabels!;
    for (const row of rows) {
      const refused = (100 * row.refused) / row.runs;
      const coverage = row.refused === row.runs ? '' : (100 * row.coverage).toFixed(1);
      // Labels scatter around the reward by the oracle's noise, ± 0.1 uniform, and by what the drifted score hides.
      const auditError = Math.sqrt(0.2 ** 2 / 12 / own);
      console.log(
        `| ${added} | ${bare!.meanError.toFixed(4)} | ${auditError.toFixed(4)} | ${row.cell} | ${refused.toFixed(1)} | ${coverage} |`,
      );
    }
  }
}
