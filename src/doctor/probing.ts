/** One run of the doctor: whom it asks, what that costs at most, and what its findings come to. */

import type { Graph, Provider } from '../core/graph.ts';
import type { RegisteredKind } from '../core/kind.ts';
import { EXIT, type ExitCode, nearest, ProblemError } from '../core/problem.ts';
import type { PriceBook } from '../core/provider-port.ts';
import { type ProbeCost, probeCostOf } from './probe-cost.ts';
import { type ProbeTarget, targetsOf } from './probe-targets.ts';
import { type ConsultOptions, type Findings, runProbes } from './run-probes.ts';
import { overlong, type SampleRow } from './sample-call.ts';

/** A server that hangs or refuses is told of, not waited for as long as a build would. */
const MOST_TRIES = 3;
const LONGEST_WAIT_SECONDS = 60;

interface Probing {
  /** In the order of the provider file. */
  readonly providers: readonly Provider[];
  readonly targets: readonly ProbeTarget[];
  readonly overlong: SampleRow | undefined;
  readonly cost: ProbeCost;
  /** True where all of the money is simulated. */
  readonly simulated: boolean;
  /** The nodes that ask what is probed. */
  readonly nodes: readonly string[];
  /** Names of providers that nothing here asks. */
  readonly unused: readonly string[];
}

interface ProbingOptions {
  /** Of providers; none for those whose models the pipeline calls. */
  readonly names: readonly string[];
  /** Sends a prompt of more than this many tokens too. */
  readonly contextTokens: number | undefined;
  /** Whether batches of one are made. */
  readonly batch: boolean;
}

/** @throws ProblemError for a name that no provider has */
export function planProbes(
  graph: Graph,
  kinds: ReadonlyMap<string, RegisteredKind>,
  prices: PriceBook,
  { names, contextTokens, batch }: ProbingOptions,
): Probing {
  const all = targetsOf(graph, kinds);
  const chosen = chosenProviders(names, graph, all);
  const targets = all.filter(({ provider }) => chosen.includes(provider));
  const long = contextTokens === undefined ? undefined : overlong(contextTokens);
  const asked = new Set([...chosen, ...all.map(({ provider }) => provider)]);
  return {
    providers: chosen,
    targets,
    overlong: long,
    // Without a key nothing is asked, and nothing is spent.
    cost: probeCostOf(targets, long, prices, batch),
    simulated: chosen.every(({ type }) => type === 'simulator'),
    nodes: targets.flatMap(({ uses }) => uses.flatMap((use) => use.nodes)),
    unused: graph.providers.filter((one) => !asked.has(one)).map(({ name }) => name),
  };
}

function chosenProviders(names: readonly string[], graph: Graph, targets: readonly ProbeTarget[]): readonly Provider[] {
  const known = graph.providers.map(({ name }) => name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    throw new ProblemError({
      id: 'CJE-UNKNOWN-PROVIDER',
      headline: `there is no provider ${JSON.stringify(name)}`,
      facts: [
        ['profile', graph.profile],
        ['known', known.length === 0 ? 'none' : known.join(', ')],
      ],
      ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }),
    });
  }
  if (names.length > 0) return graph.providers.filter(({ name }) => names.includes(name));
  return graph.providers.filter((provider) => targets.some((target) => target.provider === provider));
}

/** Milliseconds that a doctor waits for a server which refuses everything, or is gone. */
export const LONGEST_SILENCE = 30_000;

/** With as little patience as the doctor has. */
export const impatient = (provider: Provider): Provider => ({
  ...provider,
  limits: {
    ...provider.limits,
    attempts: Math.min(provider.limits.attempts, MOST_TRIES),
    timeoutSeconds: Math.min(provider.limits.timeoutSeconds, LONGEST_WAIT_SECONDS),
  },
});

/**
 * Asks all providers at once.
 *
 * @param tell told of each in the order of the provider file, as soon as those before it are done
 */
export async function probeAll(
  { providers, targets, overlong }: Probing,
  options: Omit<ConsultOptions, 'overlong'>,
  tell: (found: Findings) => Promise<void>,
): Promise<readonly Findings[]> {
  const findings: Findings[] = [];
  const probed = providers.map((provider) =>
    runProbes(
      provider,
      targets.filter((target) => target.provider === provider),
      { ...options, overlong },
    ),
  );
  for (const each of probed) {
    const found = await each;
    findings.push(found);
    await tell(found);
  }
  return findings;
}

/** Whether all is there that the pipeline needs. */
export function exitOf(findings: readonly Findings[]): ExitCode {
  const models = findings.flatMap((found) => found.models);
  const broken =
    findings.some(({ provider }) => provider.checks.some(({ status }) => status === 'failure')) ||
    models.some(({ verdict }) => verdict === 'would-fail');
  if (broken) return EXIT.failed;
  return models.some(({ verdict }) => verdict === 'not-asked') ? EXIT.stopped : EXIT.built;
}
