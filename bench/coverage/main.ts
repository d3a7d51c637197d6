import type { EstimatorSettings } from '../../src/stats/index.ts';
import { type Cell, coverageStudy, markdown } from './study.ts';
import { DEFAULT_WORLD } from './world.ts';

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
 * Prints coverage, bias and refusals of the recommended defaults in the simulated world.
 * Arguments: seeds=1000 n=1000 labelled=0.25 estimators=snips,dr-cpo gates=open calibration=auto folds=5
 */
export function main(args: readonly string[]): void {
  const options = new Map(args.map((a) => a.split('=', 2) as [string, string]));
  const get = (name: string, fallback: string) => options.get(name) ?? fallback;
  const names = get('estimators', 'snips,dr-cpo').split(',');
  const cells: Cell[] = names.map((name) => {
    const settings = SETTINGS[name];
    if (settings === undefined)
      throw new Error(`unknown estimator ${name}; known: ${Object.keys(SETTINGS).join(', ')}`);
    return {
      name,
      settings: {
        ...settings,
        mode: get('mode', 'recommended') as 'recommended',
        rewardCalibration: get('calibration', 'auto') as 'auto',
        folds: Number(get('folds', '5')),
        ...(options.has('groups') ? { jackknifeGroups: Number(get('groups', '')) || null } : {}),
        ...(get('gates', 'closed') === 'open' ? { gates: OPEN_GATES } : {}),
      },
    };
  });
  const world = {
    ...DEFAULT_WORLD,
    prompts: Number(get('n', '1000')),
    labelled: Number(get('labelled', '0.25')),
    kappa: Number(get('kappa', '0.1')),
    ownLabels: Number(get('own', '50')),
    temperature: Number(get('temperature', '1')),
    drift: { pi_cot: Number(get('drift', '0')) },
  };
  const started = performance.now();
  const rows = coverageStudy(world, cells, Number(get('seeds', '1000')), Number(get('first', '1')));
  console.log(markdown(rows));
  console.log(`\n${((performance.now() - started) / 1000).toFixed(1)} s`);
}
