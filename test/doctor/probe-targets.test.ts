import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import type { Kind } from '../../src/core/kind.ts';
import { limitFindings } from '../../src/doctor/limits.ts';
import { targetsOf } from '../../src/doctor/probe-targets.ts';
import { registerKinds } from '../../src/kinds/index.ts';
import { loadPipeline } from '../../src/pipeline/load.ts';
import type { SeenExchange } from '../../src/providers/client-options.ts';
import { simulatorIdentity } from '../pipeline/fixture.ts';
import { PROVIDER } from './support.ts';

const root = resolve(import.meta.dirname, '../..');
const stages = readdirSync(resolve(root, 'src/kinds')).filter((file) => file.endsWith('.ts'));
const registered = registerKinds(Object.fromEntries(stages.map((file) => [file.replace('.ts', ''), 'code'])));
const kinds = new Map<string, Kind>([...registered].map(([name, { kind }]) => [name, kind]));

const graphOf = (profile: string, set: Record<string, string> = {}) =>
  loadPipeline({ file: 'pipeline.yaml', cwd: root, profile, set, kinds, simulatorIdentity });

const targets = (profile: string, set: Record<string, string> = {}) => {
  return targetsOf(graphOf(profile, set), registered).map(({ provider, aliases, uses }) => ({
    provider: provider.name,
    aliases,
    uses: uses.map(({ role, nodes }) => `${role} ${nodes.length}`),
  }));
};

it('are the models that the nodes call, each use once', () => {
  expect(targets('test')).toEqual([
    // Two temperatures; one way of forcing, for no temperature is sent.
    { provider: 'fireworks', aliases: ['scout'], uses: ['completion 3', 'completion 1', 'forcing 4'] },
    { provider: 'fireworks', aliases: ['maverick'], uses: ['completion 1', 'forcing 1'] },
    { provider: 'fireworks', aliases: ['judge'], uses: ['chat 5', 'chat 5'] },
    { provider: 'openai', aliases: ['oracle'], uses: ['chat 1'] },
  ]);
  expect(targets('sim')[0]!.uses).toEqual(['completion 4', 'forcing 4']);
  expect(targets('test', { oracle: 'off' }).map(({ provider }) => provider)).not.toContain('openai');
});

it('ask once what a node asks in several passes or draws', () => {
  const graph = graphOf('sim');
  const nodes = new Map(
    [...graph.nodes].map(([name, node]) => {
      const { passes, draws } = node.params;
      const more = { ...(passes === undefined ? {} : { passes: 3 }), ...(draws === undefined ? {} : { draws: 3 }) };
      return [name, { ...node, params: { ...node.params, ...more } }];
    }),
  );
  const uses = targetsOf({ ...graph, nodes }, registered).flatMap((target) => target.uses);
  expect(uses.some(({ params }) => params.passes !== undefined)).toBe(true);
  for (const { params } of uses) expect([params.passes ?? 1, params.draws ?? 1]).toEqual([1, 1]);
});

const seen = (model: string, requests: number | undefined, status = 200): SeenExchange => ({
  identity: PROVIDER.identity,
  model,
  status,
  report: { requests: requests === undefined ? {} : { limit: requests }, tokens: {}, overLimit: false },
});

it('teach their limits by headers: the widest of a provider, as its file has one line for all', () => {
  const { checks, settings } = limitFindings(PROVIDER, [seen('a', 60), seen('b', 600), seen('b', undefined, 429)]);
  expect(settings).toEqual({ requests_per_minute: 600 });
  expect(checks.map(({ status }) => status)).toEqual(['note', 'warning']);
  const as = { ...PROVIDER, limits: { ...PROVIDER.limits, requestsPerMinute: 600 } };
  expect(limitFindings(as, [seen('b', 600)])).toMatchObject({ checks: [{ status: 'ok' }], settings: {} });
  expect(limitFindings(PROVIDER, [seen('a', undefined)]).checks[0]!.detail).toBe('the headers tell none');
  // Any other refusal is no word on limits.
  expect(limitFindings(PROVIDER, [seen('a', 60, 500), seen('a', 60, 404)]).checks.map(({ status }) => status)).toEqual([
    'note',
  ]);
  expect(limitFindings(PROVIDER, [])).toEqual({ checks: [], settings: {} });
});
