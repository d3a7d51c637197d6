/** A folder of files, small kinds, and diagnostics as a person would see them. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import { z } from 'zod';
import type { Graph } from '../../src/core/graph.ts';
import type { Kind } from '../../src/core/kind.ts';
import { modelRef, sourcePath, textFile, yamlFile } from '../../src/core/params.ts';
import { type Place, ProblemError } from '../../src/core/problem.ts';
import { loadPipeline } from '../../src/pipeline/load.ts';

type LoadOptions = Parameters<typeof loadPipeline>[0];

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Writes the files into a new folder and returns its path. */
export function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'cje-pipeline-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

export function load(files: Readonly<Record<string, string>>, options: Partial<LoadOptions> = {}): Graph {
  const cwd = folderOf(files);
  return loadPipeline({ file: 'pipeline.yaml', cwd, kinds: KINDS, simulatorIdentity, ...options });
}

export const simulatorIdentity = (options: object) => `simulator:${JSON.stringify(options)}`;

/** The mistakes of a pipeline, printed; '' when there are none. Paths of the temporary folder read as `~`. */
export function mistakes(files: Readonly<Record<string, string>>, options: Partial<LoadOptions> = {}): string {
  const cwd = folderOf(files);
  try {
    loadPipeline({ file: 'pipeline.yaml', cwd, kinds: KINDS, simulatorIdentity, ...options });
    return '';
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    if (error.exit !== 2) throw new Error(`exit ${error.exit}`);
    return error.problems
      .map(({ id, headline, place, facts = [], hint }) =>
        [
          `${headline} [${id}]`,
          ...(place === undefined ? [] : placeLines(place)),
          ...facts.map(([name, value]) => `  ${name}: ${value}`),
          ...(hint === undefined ? [] : [`  → ${hint}`]),
        ].join('\n'),
      )
      .join('\n')
      .replaceAll(cwd, '~');
  }
}

function placeLines({ file, line, column, excerpt, width }: Place): string[] {
  const where = `  ${[file, line, column].filter((part) => part !== undefined).join(':')}`;
  if (excerpt === undefined) return [where];
  return [where, `  | ${excerpt}`, `  | ${' '.repeat((column ?? 1) - 1)}${'^'.repeat(width ?? 1)}`];
}

function fake(
  name: string,
  params: z.ZodType,
  inputs: Readonly<Record<string, Kind['inputs'][string]['arity']>> = {},
): Kind {
  return {
    shape: 'transform',
    name,
    about: `The fake kind ${name}.`,
    params,
    inputs: Object.fromEntries(Object.entries(inputs).map(([input, arity]) => [input, { arity }])),
    outputs: {},
    expect: () => ({ items: 0, calls: [] }),
    run: () => ({ files: {} }),
  };
}

const policy = z.strictObject({
  model: modelRef(),
  draw: z.string(),
  temperature: z.number().min(0).max(2).default(1),
  system: z.string().optional(),
});

const judge = z
  .strictObject({ model: modelRef(), template: textFile(), output: z.enum(['score', 'interval']).default('score') })
  .superRefine(({ template }, context) => {
    for (const { 0: found, index } of template.matchAll(/\{\{\w+\}\}/g)) {
      if (['{{prompt}}', '{{response}}'].includes(found)) continue;
      context.addIssue({
        code: 'custom',
        path: ['template'],
        message: `There is no placeholder '${found}'`,
        params: { offset: index, width: found.length, hint: "Did you mean '{{response}}'?" },
      });
    }
    if (!template.includes('{{prompt}}')) {
      context.addIssue({ code: 'custom', path: ['template'], message: "The template lacks '{{prompt}}'" });
    }
  });

export const KINDS: ReadonlyMap<string, Kind> = new Map(
  [
    fake(
      'prompts',
      z.strictObject({
        source: z.union([z.literal('simulated'), sourcePath({ urls: true })]),
        samples: z.int().min(1).default(10),
        sha256: z.string().optional(),
      }),
    ),
    fake(
      'responses',
      z.strictObject({
        policy: yamlFile(policy),
        temperature: z.union([z.literal('policy'), z.number().min(0).max(2)]).default('policy'),
        replicate: z.int().default(0),
      }),
      { prompts: 'one' },
    ),
    // A plain object schema, which zod itself would let unknown keys through.
    fake('scores', z.object({ judge: yamlFile(judge) }), { responses: 'one' }),
    fake('collect', z.strictObject({ note: z.string().optional(), clip: z.number().nullable().optional() }), {
      from: 'many',
      labels: 'optional',
      more: 'optional-many',
    }),
    fake('pass', z.strictObject({ values: z.json().optional() }), { from: 'optional' }),
  ].map((kind) => [kind.name, kind]),
);

/** A whole small experiment, right in every part. */
export const EXPERIMENT: Readonly<Record<string, string>> = {
  'pipeline.yaml': `name: small
default: report
vars:
  samples: 10
  policies: [p0, pi_cot]
profiles:
  sim:
    providers: configs/simulator.yaml
stages:
  prompts:
    kind: prompts
    params:
      source: simulated
      samples: \${samples}
  responses:
    kind: responses
    matrix:
      policy: \${policies}
    inputs:
      prompts: prompts
    params:
      policy: configs/policies/\${policy}.yaml
  scores:
    kind: scores
    matrix:
      scorer: [plain]
      policy: \${policies}
    inputs:
      responses: responses/\${policy}
    params:
      judge: configs/judges/\${scorer}.yaml
  report:
    kind: collect
    inputs:
      from: scores/plain/*
`,
  'configs/simulator.yaml': `providers:
  sim:
    type: simulator
    options: { seed: 1 }
models:
  scout: { provider: sim, model: sim-base, template: llama4 }
  judge: { provider: sim, model: sim-judge }
prices: configs/prices.yaml
`,
  'configs/prices.yaml': 'date: 2025-07-13\nmodels:\n  sim-base: { input: 0.15, cached_input: 0.05, output: 0.6 }\n',
  'configs/policies/p0.yaml': 'model: scout\ndraw: p0\ntemperature: 0.5\n',
  'configs/policies/pi_cot.yaml': 'model: scout\ndraw: pi_cot\nsystem: Think.\n',
  'configs/judges/plain.yaml': 'model: judge\ntemplate: configs/judges/plain.md\n',
  'configs/judges/plain.md': 'Rate this.\n\n{{prompt}}\n\n{{response}}\n',
};

/** The experiment with texts replaced in one file. Each text must be there. */
export function edited(file: string, ...replacements: readonly (readonly [string, string])[]): Record<string, string> {
  let text = EXPERIMENT[file]!;
  for (const [from, to] of replacements) {
    if (!text.includes(from)) throw new Error(`'${from}' is not in ${file}`);
    text = text.replace(from, () => to);
  }
  return { ...EXPERIMENT, [file]: text };
}
