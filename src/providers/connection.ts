/** What orders of a provider go through: its server, a simulator, or an engine in this machine. */

import type { FatalFailure } from '../core/call.ts';
import type { Provider } from '../core/graph.ts';
import { type KeyRing, openKeyRing } from './key-ring.ts';
import type { Secrets } from './secrets.ts';
import type { HttpTransport, Transport } from './transport.ts';

/** A simulator that this build started. */
export interface RunningSimulator {
  readonly url: string;
  close(): Promise<void>;
}

/** What orders go to in place of a server. */
export type StartedEngine =
  | { readonly ok: true; readonly transport: Transport }
  | { readonly ok: false; readonly failure: FatalFailure };

export interface ConnectOptions {
  readonly secrets: Secrets;
  /** Starts the simulator of a provider without a base URL; called once for each, at its first order. */
  readonly startSimulator?: (provider: Provider) => Promise<RunningSimulator>;
  /** Starts the engine of a provider that runs models on this machine; called once for each, at its first order. */
  readonly startEngine?: (provider: Provider) => Promise<StartedEngine>;
}

export type Connection =
  | {
      readonly ok: true;
      readonly transport: Transport;
      /** The same, where it leads to a server. */
      readonly http?: HttpTransport;
      readonly ring: KeyRing;
      close(): Promise<void>;
    }
  | { readonly ok: false; readonly failure: FatalFailure };

/** Connects to a provider: with its key, and with whatever must be started for it. */
export async function connect(provider: Provider, options: ConnectOptions): Promise<Connection> {
  const opened = await openKeyRing(provider, options.secrets);
  if (!opened.ok) return opened;
  const { ring } = opened;
  if (provider.type === 'llama') {
    if (options.startEngine === undefined) throw new Error('Internal error: there is no engine to start');
    const started = await options.startEngine(provider);
    return started.ok ? { ...started, ring, close: () => started.transport.close() } : started;
  }
  let url = provider.baseUrl;
  let simulator: RunningSimulator | undefined;
  if (url === undefined) {
    if (options.startSimulator === undefined) {
      throw new Error(`Internal error: provider ${provider.name} has no base URL and nothing to start`);
    }
    simulator = await options.startSimulator(provider);
    url = simulator.url;
  }
  const { createTransport } = await import('./transport.ts');
  let transport: HttpTransport;
  try {
    transport = createTransport(provider, url, ring);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `provider "${provider.name}" cannot be reached as its file and the environment say: ${reason}`;
    return { ok: false, failure: { class: 'fatal', reason: 'bad_setting', message } };
  }
  return {
    ok: true,
    transport,
    http: transport,
    ring,
    async close() {
      await transport.close();
      await simulator?.close();
    },
  };
}
