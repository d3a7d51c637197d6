/** The simulator as a build sees it: an identity for keys, and a thread that is started by the first call. */

import type { Provider } from '../core/graph.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { ProblemError } from '../core/problem.ts';
import { batchTroubleFile } from './batches/trouble.ts';
import { FAULT_RATE_NAMES } from './faults.ts';
import { QUIRK_NAMES, type QuirkName, quirkAbout } from './quirks.ts';
import { DEFAULT_WORLD, worldIdentity } from './world/index.ts';

/** The identity in keys; no option is part of it. */
export function simulatorIdentity(options: JsonObject): string {
  checkOptions(options);
  return worldIdentity(DEFAULT_WORLD);
}

const OPTIONS = ['latency_ms', 'faults', 'quirks', 'batches'] as const;

/** @throws ProblemError on an option that the simulator has not. */
function checkOptions(options: JsonObject): void {
  const complain = (headline: string, known: readonly string[]) => {
    throw new ProblemError({ id: 'CJE-SIMULATOR-OPTION', headline, hint: `known: ${known.join(', ')}` });
  };
  for (const name of Object.keys(options)) {
    if (!(OPTIONS as readonly string[]).includes(name)) complain(`the simulator has no option ${name}`, OPTIONS);
  }
  const { latency_ms: latency = 0, faults = {}, quirks = [], batches = {} } = options;
  const trouble = batchTroubleFile.safeParse(batches);
  if (!trouble.success) {
    const [issue] = trouble.error.issues;
    complain(
      `batches.${issue?.path.join('.')} of the simulator: ${issue?.message}`,
      Object.keys(batchTroubleFile.shape),
    );
  }
  if (typeof latency !== 'number' || latency < 0)
    complain('latency_ms of the simulator is a number of milliseconds', OPTIONS);
  if (!isJsonObject(faults)) complain('faults of the simulator is a map of rates', FAULT_RATE_NAMES);
  for (const [name, rate] of Object.entries(faults as JsonObject)) {
    if (!(FAULT_RATE_NAMES as readonly string[]).includes(name))
      complain(`the simulator knows no fault ${name}`, FAULT_RATE_NAMES);
    if (typeof rate !== 'number' || rate < 0 || rate > 1)
      complain(`the rate of ${name} lies between 0 and 1`, FAULT_RATE_NAMES);
  }
  if (!Array.isArray(quirks)) complain('quirks of the simulator are a list of names', QUIRK_NAMES);
  checkQuirks((quirks as readonly unknown[]).map(String));
}

/** @throws ProblemError on a name that is none. */
export function checkQuirks(names: readonly string[]): readonly QuirkName[] {
  for (const name of names) {
    if ((QUIRK_NAMES as readonly string[]).includes(name)) continue;
    throw new ProblemError({
      id: 'CJE-SIMULATOR-OPTION',
      headline: `the simulator has no quirk ${name}`,
      facts: QUIRK_NAMES.map((known) => [known, quirkAbout(known)] as const),
    });
  }
  return names as readonly QuirkName[];
}

/** Starts a provider's simulator in a worker thread of the bundle. */
export function simulatorStarter(bundle: URL) {
  return async ({ options }: Provider): Promise<{ readonly url: string; close(): Promise<void> }> => {
    const { startSimulatorWorker } = await import('./worker-thread.ts');
    const { latency_ms: latencyMs = 0, faults = {}, quirks = [], batches = {} } = options;
    return startSimulatorWorker(new URL('simulator-worker.js', bundle), {
      latencyMs: latencyMs as number,
      faults: faults as Readonly<Record<string, number>>,
      quirks: checkQuirks(quirks as readonly string[]),
      batches: batchTroubleFile.parse(batches),
    });
  };
}
