/** What `cje doctor` says while it runs, beside the events that every command shares. */

import type { JsonObject } from '../core/json.ts';
import type { Check } from './probe.ts';
import type { ModelVerdict } from './probe-model.ts';

export type DoctorEvent =
  | {
      readonly type: 'probes-planned';
      /** The most calls that may be made. */
      readonly calls: number;
      /** Dollars that they cannot pass; null where a price is unknown. */
      readonly dollars: number | null;
      /** True where all of the money is simulated. */
      readonly simulated: boolean;
    }
  | {
      readonly type: 'provider-checked';
      readonly provider: string;
      readonly identity: string;
      readonly checks: readonly Check[];
      /** Lines for the provider's entry in the provider file, where they differ from what is written. */
      readonly settings: JsonObject;
    }
  | {
      readonly type: 'model-checked';
      readonly provider: string;
      readonly model: string;
      /** Its names in the provider file. */
      readonly aliases: readonly string[];
      /** The nodes that ask it. */
      readonly nodes: readonly string[];
      readonly verdict: ModelVerdict;
      readonly checks: readonly Check[];
      /** Lines for the entries of these aliases. */
      readonly settings: JsonObject;
      readonly calls: number;
      /** Dollars billed. */
      readonly cost: number;
      /** Dollars set aside for tries of unknown outcome. */
      readonly unknown: number;
    };

export type ProviderChecked = Extract<DoctorEvent, { type: 'provider-checked' }>;
export type ModelChecked = Extract<DoctorEvent, { type: 'model-checked' }>;
