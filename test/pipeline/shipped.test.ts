/** The shipped experiment loads in every profile, and is what the documentation says it is. */

import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import type { GraphNode } from '../../src/core/graph.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Kind } from '../../src/core/kind.ts';
import { type Problem, ProblemError } from '../../src/core/problem.ts';
import { reach } from '../../src/engine/select.ts';
import { registerKinds } from '../../src/kinds/index.ts';
import { loadPipeline } from '../../src/pipeline/load.ts';
import { folderOf, simulatorIdentity } from './fixture.ts';

const root = resolve(import.meta.dirname, '../..');
const modules = readdirSync(resolve(root, 'src/kinds')).filter((file) => file.endsWith('.ts') && file !== 'index.ts');
const registered = registerKinds(Object.fromEntries(modules.map((file) => [file.replace('.ts', ''), 'code'])));
const kinds = new Map<string, Kind>([...registered].map(([name, { kind }]) => [name, kind]));

const load = (profile?: string, set: Record<string, string> = {}) =>
  loadPipeline({ file: 'pipeline.yaml', cwd: root, profile, set, kinds, simulatorIdentity });

const under = (folder: string) =>
  readdirSync(resolve(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));

const policyOf = (node: GraphNode | undefined) => node?.params.policy as JsonObject;

describe('the shipped pipeline', () => {
  it.each(['sim', 'test', 'full'])('loads in the profile %s', (profile) => {
    const graph = load(profile);
    expect(graph.nodes.size).toBe(1 + 5 + 5 + 5 + 10 + 1 + 2 + 36 + 1 + 1);
    expect(graph.defaultTargets).toEqual(['ablations']);
    expect(reach(graph, graph.defaultTargets)).toHaveLength(graph.nodes.size);
    expect(graph.budget).toEqual({ confirmAbove: 1 });
  });

  it('is simulated unless told, with every policy at temperature 1', () => {
    const graph = load();
    expect(graph.profile).toBe('sim');
    expect(graph.providers.map(({ type }) => type)).toEqual(['simulator']);
    expect(graph.nodes.get('prompts')?.params).toMatchObject({ source: 'simulated', samples: 200, seed: 42 });
    for (const node of graph.nodes.values()) if (node.kind === 'responses') expect(node.params.temperature).toBe(1);
  });

  it('keeps the original temperatures on hosted models, and names the keys without holding them', () => {
    const graph = load('full');
    expect(graph.providers.map(({ keyVariable }) => keyVariable)).toEqual(['FIREWORKS_API_KEY', 'OPENAI_API_KEY']);
    expect(graph.nodes.get('prompts')?.params.samples).toBe(10_000);
    const temperature = (policy: string) => policyOf(graph.nodes.get(`responses/${policy}`)).temperature;
    expect(graph.nodes.get('responses/p0')?.params.temperature).toBe('policy');
    expect(['p0', 'pi_clone', 'pi_cot', 'pi_bigger_model', 'pi_bad'].map(temperature)).toEqual([0.5, 0.5, 0.5, 0.5, 1]);
  });

  it('makes the clone another sample of p0, and nothing else', () => {
    const graph = load();
    const { draw: first, ...p0 } = policyOf(graph.nodes.get('responses/p0'));
    const { draw: second, ...clone } = policyOf(graph.nodes.get('responses/pi_clone'));
    expect(clone).toEqual(p0);
    expect(second).not.toBe(first);
  });

  it.each(['sim', 'test'])('has a price for every model that it calls in the profile %s', (profile) => {
    const graph = load(profile);
    const models = new Set<string>();
    const collect = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      const { identity, model } = value as { identity?: unknown; model?: unknown };
      if (typeof identity === 'string' && typeof model === 'string') models.add(model);
      for (const member of Object.values(value)) collect(member);
    };
    for (const node of graph.nodes.values()) collect(node.params);
    expect(models.size).toBe(3);
    expect([...models].filter((model) => graph.prices.models[model] === undefined)).toEqual([]);
  });

  it('drops a policy on request', () => {
    const graph = load('sim', { policies: '[p0, pi_clone]' });
    expect([...graph.nodes.keys()].filter((name) => name.startsWith('responses/'))).toEqual([
      'responses/p0',
      'responses/pi_clone',
    ]);
  });

  it('refuses a judge template without {{response}}, at its place', () => {
    const cwd = folderOf({});
    cpSync(resolve(root, 'pipeline.yaml'), resolve(cwd, 'pipeline.yaml'));
    cpSync(resolve(root, 'configs'), resolve(cwd, 'configs'), { recursive: true });
    const template = resolve(cwd, 'configs/judges/deterministic.md');
    writeFileSync(template, readFileSync(template, 'utf8').replace('{{response}}', '{{respons}}'));
    let problems: readonly Problem[] = [];
    try {
      loadPipeline({ file: 'pipeline.yaml', cwd, kinds, simulatorIdentity });
    } catch (error) {
      if (error instanceof ProblemError) problems = error.problems;
    }
    expect(problems.map(({ headline, place, hint }) => [headline, place?.file, place?.excerpt, hint])).toEqual([
      [
        'Unknown placeholder {{respons}}',
        'configs/judges/deterministic.md',
        '{{respons}}',
        'Did you mean {{response}}?',
      ],
    ]);
  });

  it('uses every policy file that is there, and every ablation when it is named', () => {
    const ablations = under('configs/ablations').map((name) => name.replace('.yaml', ''));
    const graph = load('sim', { ablations: `[${ablations.join(', ')}]` });
    const consulted = new Set(graph.consulted);
    const toStartFrom = /^judges\/(?:criteria|draws|pairwise|reference|rubric)\.yaml$/;
    const unused = under('configs').filter(
      (name) => !toStartFrom.test(name) && !consulted.has(resolve(root, 'configs', name)),
    );
    expect(unused.sort()).toEqual(['grid.yaml', 'providers/hosted.yaml']);
  });

  it('is YAML to any reader, and each file begins by saying what it is', () => {
    for (const file of ['pipeline.yaml', ...under('configs').map((name) => `configs/${name}`)]) {
      const text = readFileSync(resolve(root, file), 'utf8');
      expect(parseDocument(text).errors, file).toEqual([]);
      expect(text, file).toMatch(/^# \w/);
    }
  });

  it('weighs the four traits equally in each rubric', () => {
    for (const file of ['configs/judges/deterministic.md', 'configs/judges/uncertainty.md', 'configs/oracle.md']) {
      const text = readFileSync(resolve(root, file), 'utf8');
      for (const trait of ['helpfulness', 'accuracy', 'clarity', 'safety']) {
        expect(text.match(new RegExp(`\\b${trait}\\b`, 'gi')), `${trait} in ${file}`).toHaveLength(1);
      }
      expect(text).toContain('<prompt>\n{{prompt}}\n</prompt>');
      expect(text).toContain('<response>\n{{response}}\n</response>');
    }
  });
});
