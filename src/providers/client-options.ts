/** What a provider client is given. */

import type { Provider } from '../core/graph.ts';
import type { RateReport } from '../core/protocol.ts';
import type { ServedModel } from '../core/served-model.ts';
import type { Clock } from './clock.ts';
import type { ConnectOptions } from './connection.ts';
import type { ModelMemory } from './learnt-rates.ts';

export interface ProviderClientOptions extends ConnectOptions {
  readonly providers: readonly Provider[];
  /** Under which names models may answer; what is not listed answers under its own. */
  readonly served?: readonly ServedModel[];
  readonly clock: Clock;
  /** Uniform on [0, 1); spreads retries. */
  readonly random: () => number;
  /** What earlier builds learnt of rates; absent where nothing is remembered. */
  readonly learntRates?: LearntRates;
  /** Milliseconds that a server is waited for which refuses everything, is gone, or asks for it; absent: as a build waits. */
  readonly patience?: number;
  /** Told of every exchange that brought headers; nothing that it learns alters a request. */
  readonly observe?: (seen: SeenExchange) => void;
  /** Told once for each model what its refusals taught of its limit, that all it does is refuse, and that nobody is there. */
  readonly note?: (text: string) => void;
}

/** Requests a minute that a model turned out to allow. They make a build faster, and change nothing of what it makes. */
export type LearntRates = ModelMemory<number>;

/** One answer of a server, as far as it concerns limits. */
export interface SeenExchange {
  readonly identity: string;
  readonly model: string;
  readonly status: number;
  readonly report: RateReport;
}
