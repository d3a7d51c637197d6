/** Which faults happen to which request: the file of `--faults`, and the draw. */

import { z } from 'zod';
import type { JsonObject } from '../../core/json.ts';
import { chanceOf } from '../world/index.ts';
import { FAULT_NAMES, type FaultName, faultOf } from './faults.ts';
import type { Settings } from './strike.ts';

/** The entry of all models that have none of their own. */
const OTHERS = '*';

interface DrawnFault {
  readonly name: FaultName;
  readonly settings: Settings;
}

/** One kind of bad weather of one model. */
interface FaultRate extends DrawnFault {
  /** The share of requests that it is drawn for. */
  readonly rate: number;
}

/** Plain data, in the order of drawing. */
export interface FaultPlan {
  readonly seed: number;
  readonly models: ReadonlyMap<string, readonly FaultRate[]>;
}

const rate = z.number().min(0).max(1);
const SETTINGS = {
  name: z.string().min(1),
  names: z.array(z.string().min(1)).min(1),
  retry_after_seconds: z.number().min(0),
  milliseconds: z.number().min(0),
  location: z.string().min(1),
  factor: z.number().gt(0),
  as: z.enum(['plain', 'escaped', 'base64', 'percent']),
} as const satisfies Readonly<Record<keyof Settings, z.ZodType>>;

function entryOf(name: FaultName): z.ZodType<number | ({ rate: number } & Settings)> {
  const own = (faultOf(name).settings ?? []).map((setting) => [setting, SETTINGS[setting].optional()] as const);
  return z.union([rate, z.strictObject({ rate, ...Object.fromEntries(own) })]);
}

const faults = z
  .strictObject(Object.fromEntries(FAULT_NAMES.map((name) => [name, entryOf(name).optional()])))
  .superRefine((written, context) => {
    const sum = Object.values(written).reduce<number>((total, entry) => total + rateIn(entry), 0);
    // A rate that is too high by itself is a mistake of its own.
    if (sum <= 1 + 1e-9 || Object.values(written).some((entry) => rateIn(entry) > 1)) return;
    context.addIssue({ code: 'custom', message: `holds rates that add up to ${Number(sum.toFixed(6))}, more than 1` });
  });

/** @param models those that the simulator serves. */
export function faultFile(models: readonly string[]): z.ZodType<FaultPlan> {
  return z
    .strictObject({
      seed: z.int().default(0),
      models: z.strictObject(Object.fromEntries([...models, OTHERS].map((model) => [model, faults.optional()]))),
    })
    .transform(({ seed, models: written }) => ({
      seed,
      models: new Map(
        Object.entries(written).flatMap(([model, entries]) =>
          entries === undefined ? [] : [[model, ratesOf(entries)] as const],
        ),
      ),
    }));
}

type Entry = number | ({ readonly rate: number } & Settings) | undefined;

const rateIn = (entry: Entry): number => (typeof entry === 'object' ? entry.rate : (entry ?? 0));

/** In the order of the names, so that the order in the file is none of the draw's. */
function ratesOf(entries: Readonly<Record<string, Entry>>): FaultRate[] {
  return FAULT_NAMES.flatMap((name) => {
    const entry = entries[name];
    if (entry === undefined) return [];
    if (typeof entry === 'number') return [{ name, rate: entry, settings: {} }];
    const { rate: share, ...settings } = entry;
    return [{ name, rate: share, settings }];
  });
}

/** A request, as far as the draw depends on it. */
interface Struck {
  /** The `Idempotency-Key`; '' without one. */
  readonly key: string;
  /** How many requests with this key came before. */
  readonly attempt: number;
  readonly body: JsonObject;
}

/** The same request in the same try meets the same fault, whatever the order in which requests come. */
export function drawFault({ seed, models }: FaultPlan, { key, attempt, body }: Struck): DrawnFault | undefined {
  const model = String(body.model);
  const rates = models.get(model) ?? models.get(OTHERS);
  if (rates === undefined) return undefined;
  let rest = chanceOf(`weather\n${seed}\n${model}\n${key}\n${attempt}`)();
  for (const drawn of rates) {
    rest -= drawn.rate;
    if (rest < 0) return drawn;
  }
  return undefined;
}
