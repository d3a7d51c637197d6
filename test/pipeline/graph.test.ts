/** What a right pipeline becomes. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../src/core/graph.ts';
import { loadPipeline } from '../../src/pipeline/load.ts';
import { EXPERIMENT, edited, folderOf, KINDS, load, simulatorIdentity } from './fixture.ts';

/** All of a graph that keys can see. */
const substance = (graph: Graph) =>
  new Map([...graph.nodes].map(([name, { kind, params, inputs }]) => [name, { kind, params, inputs }]));

/** A pipeline of one node of kind `pass`, whose params are `values: …`. */
function passed(values: string, vars = ''): unknown {
  const graph = load({
    'pipeline.yaml': `name: x\n${vars}stages:\n  only:\n    kind: pass\n    params:\n      values: ${values}\n`,
  });
  return graph.nodes.get('only')?.params.values;
}

describe('nodes', () => {
  it('are named by stage and matrix, in topological order', () => {
    expect([...load(EXPERIMENT).nodes.keys()]).toEqual([
      'prompts',
      'responses/p0',
      'responses/pi_cot',
      'scores/plain/p0',
      'scores/plain/pi_cot',
      'report',
    ]);
  });

  it('come after what they depend on, wherever their stages are written', () => {
    const [head, stages] = EXPERIMENT['pipeline.yaml']!.split('stages:\n') as [string, string];
    const blocks = stages.split(/(?=^ {2}\w)/m);
    fc.assert(
      fc.property(fc.shuffledSubarray(blocks, { minLength: blocks.length }), (shuffled) => {
        const graph = load({ ...EXPERIMENT, 'pipeline.yaml': `${head}stages:\n${shuffled.join('')}` });
        const order = [...graph.nodes.keys()];
        for (const node of graph.nodes.values()) {
          for (const { node: upstream } of Object.values(node.inputs).flatMap((input) => input.nodes)) {
            expect(order.indexOf(upstream)).toBeLessThan(order.indexOf(node.name));
          }
        }
        expect(Object.fromEntries(substance(graph))).toEqual(Object.fromEntries(substance(load(EXPERIMENT))));
      }),
      { numRuns: 20 },
    );
  });

  it('hold resolved values: files, models, defaults', () => {
    const { nodes } = load(EXPERIMENT);
    expect(nodes.get('responses/p0')?.params).toEqual({
      policy: {
        model: {
          identity: 'simulator:{"seed":1}',
          model: 'sim-base',
          dialect: {
            template: 'llama4',
            bos: 'server',
            tokenLimit: 'max_tokens',
            temperature: true,
            echoTokens: 0,
            extra: {},
          },
        },
        draw: 'p0',
        temperature: 0.5,
      },
      temperature: 'policy',
      replicate: 0,
    });
    expect(nodes.get('scores/plain/p0')?.params).toMatchObject({
      judge: { template: EXPERIMENT['configs/judges/plain.md'], output: 'score' },
    });
  });

  it('know where they were written', () => {
    expect(load(EXPERIMENT).nodes.get('responses/p0')?.place).toEqual({
      file: 'pipeline.yaml',
      line: 15,
      column: 3,
      excerpt: '  responses:',
      width: 9,
    });
  });
});

describe('cosmetic edits', () => {
  const cases: Record<string, Record<string, string>> = {
    'comments and blank lines': Object.fromEntries(
      Object.entries(EXPERIMENT).map(([name, text]) => [
        name,
        name.endsWith('.yaml') ? `# A comment.\n\n${text.replaceAll(/\n/g, ' # why\n')}\n` : text,
      ]),
    ),
    'key order': {
      ...edited('pipeline.yaml', [
        '    kind: prompts\n    params:\n      source: simulated\n      samples: ${samples}\n',
        '    params:\n      samples: ${samples}\n      source: simulated\n    kind: prompts\n',
      ]),
      'configs/policies/p0.yaml': 'temperature: 0.5\ndraw: p0\nmodel: scout\n',
    },
    'flow style, quotes and Windows line ends': Object.fromEntries(
      Object.entries({
        ...edited(
          'pipeline.yaml',
          ['    matrix:\n      policy: ${policies}\n', '    matrix: { policy: ${policies} }\n'],
          ['    inputs:\n      responses: responses/${policy}\n', '    inputs: {responses: "responses/${policy}"}\n'],
        ),
        'configs/policies/p0.yaml': '{ "model": scout, draw: \'p0\', temperature: 0.50 }\n',
      }).map(([name, text]) => [name, name.endsWith('.yaml') ? text.replaceAll('\n', '\r\n') : text]),
    ),
    'anchors, aliases and merges': {
      ...edited('pipeline.yaml', [
        'vars:\n  samples: 10\n  policies: [p0, pi_cot]',
        'vars:\n  samples: &ten 10\n  policies: [p0, pi_cot]\n  unused: *ten',
      ]),
      'configs/simulator.yaml': `providers:
  sim: { type: simulator, options: { seed: 1 } }
models:
  scout: &scout { provider: sim, model: sim-base, template: llama4 }
  judge: { <<: *scout, model: sim-judge, template: none }
prices: configs/prices.yaml
`,
    },
  };
  it.each(Object.entries(cases))('%s leave every node as it was', (_, files) => {
    expect(substance(load(files))).toEqual(substance(load(EXPERIMENT)));
  });

  it('a change of limits or prices leaves every node as it was', () => {
    const files = edited('configs/simulator.yaml', ['type: simulator', 'type: simulator\n    concurrency: 3']);
    const graph = load(files);
    expect(graph.providers[0]?.limits.concurrency).toBe(3);
    expect(substance(graph)).toEqual(substance(load(EXPERIMENT)));
  });

  it('a changed template is no cosmetic edit', () => {
    const graph = load(edited('configs/judges/plain.md', ['Rate this.', 'Rate that.']));
    expect(substance(graph)).not.toEqual(substance(load(EXPERIMENT)));
  });
});

describe('inputs', () => {
  const collect = (from: string) =>
    load(edited('pipeline.yaml', ['from: scores/plain/*', `from: ${from}`])).nodes.get('report')?.inputs.from;

  it('of a glob are labelled by what it leaves open', () => {
    expect(collect('scores/**')?.nodes.map(({ label }) => label)).toEqual(['plain/p0', 'plain/pi_cot']);
  });

  it('of several globs are labelled by their whole names, each once', () => {
    expect(collect('[scores/**, responses/*, "*/p0"]')?.nodes.map(({ label }) => label)).toEqual([
      'scores/plain/p0',
      'scores/plain/pi_cot',
      'responses/p0',
      'responses/pi_cot',
    ]);
  });

  it('leave out what is optional and not given', () => {
    expect(Object.keys(load(EXPERIMENT).nodes.get('report')!.inputs)).toEqual(['from']);
  });

  it('take several nodes where many are optional', () => {
    const given = [
      '      from: scores/plain/*\n',
      '      from: scores/plain/*\n      more: [responses/*, prompts]\n',
    ] as const;
    const input = load(edited('pipeline.yaml', given)).nodes.get('report')!.inputs.more;
    expect(input).toMatchObject({ arity: 'many' });
    expect(input!.nodes.map(({ label }) => label)).toEqual(['responses/p0', 'responses/pi_cot', 'prompts']);
  });

  it('keep their labels when the stage that they come from is renamed', () => {
    const text = EXPERIMENT['pipeline.yaml']!.replaceAll('scores/', 'verdicts/').replace('  scores:', '  verdicts:');
    const renamed = load({ ...EXPERIMENT, 'pipeline.yaml': text });
    const labels = (graph: Graph) => graph.nodes.get('report')?.inputs.from?.nodes.map(({ label }) => label);
    expect(labels(renamed)).toEqual(labels(load(EXPERIMENT)));
  });
});

describe('interpolation', () => {
  it('of a whole value keeps the type, at any depth', () => {
    const vars = 'vars: { list: [1, a], count: 3, flag: true, nothing: null, map: { k: [v] } }\n';
    expect(passed('[{ a: ${list}, b: ${count} }, ${flag}, ${nothing}, ${map}]', vars)).toEqual([
      { a: [1, 'a'], b: 3 },
      true,
      null,
      { k: ['v'] },
    ]);
  });

  it('inside a text is characters', () => {
    expect(passed('"${count}-${flag}/${ text }"', 'vars: { count: 3, flag: true, text: x }\n')).toBe('3-true/x');
  });

  it('can be written literally', () => {
    expect(passed('a$${b}c', 'vars: { b: 1 }\n')).toBe('a${b}c');
    expect(passed('"$${b}"', 'vars: { b: 1 }\n')).toBe('${b}');
  });

  it('lets variables refer to one another, whichever comes first', () => {
    expect(passed('${a}', 'vars: { a: "${b}/x", b: "${c}", c: deep }\n')).toBe('deep/x');
  });

  it('lets the matrix shadow variables', () => {
    const graph = load({
      'pipeline.yaml':
        'name: x\nvars: { v: outer }\nstages:\n  s:\n    kind: pass\n    matrix: { v: [1, b] }\n    params: { values: ${v} }\n',
    });
    expect([...graph.nodes].map(([name, { params }]) => [name, params.values])).toEqual([
      ['s/1', 1],
      ['s/b', 'b'],
    ]);
  });

  it('brings any JSON value through unchanged', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        const text = JSON.stringify(value);
        // Whole numbers that no double holds exactly, and this one key, are refused.
        fc.pre(!/[0-9]{16}|\$\{|__proto__/.test(text));
        const expected: unknown = JSON.parse(text, (_, member) => (Object.is(member, -0) ? 0 : member));
        expect(passed('${v}', `vars:\n  v: ${text}\n`)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('fills every place of a text and nothing else', () => {
    const part = fc.stringMatching(/^[a-z0-9 ./-]{0,6}$/);
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), fc.stringMatching(/^[a-z]{1,5}$/), (parts, word) => {
        const text = `|${parts.join('${v}')}|`;
        expect(passed(JSON.stringify(text), `vars: { v: "${word}" }\n`)).toBe(text.replaceAll('${v}', word));
      }),
      { numRuns: 60 },
    );
  });
});

describe('--set and profiles', () => {
  const vars = (set: Record<string, string>, options = {}) => load(EXPERIMENT, { set, ...options }).vars;

  it('read values as YAML', () => {
    expect(vars({ samples: '1000', policies: '[p0]' })).toEqual({ samples: 1000, policies: ['p0'] });
  });

  it('--set wins over the profile, the profile over vars', () => {
    const files = edited('pipeline.yaml', [
      '    providers: configs/simulator.yaml\n',
      '    providers: configs/simulator.yaml\n    vars: { samples: 20 }\n  big:\n    vars: { samples: 30 }\n',
    ]);
    expect(load(files).vars.samples).toBe(20);
    expect(load(files, { set: [['samples', '5']] }).vars.samples).toBe(5);
  });

  it('take the first profile, or the one that is named as the default, or the one that is asked for', () => {
    const text = 'name: x\nprofiles: { a: {}, b: {} }\nstages: { s: { kind: pass } }\n';
    expect(load({ 'pipeline.yaml': text }).profile).toBe('a');
    expect(load({ 'pipeline.yaml': `default_profile: b\n${text}` }).profile).toBe('b');
    expect(load({ 'pipeline.yaml': `default_profile: b\n${text}` }, { profile: 'a' }).profile).toBe('a');
    expect(load({ 'pipeline.yaml': 'name: x\nstages: { s: { kind: pass } }\n' }).profile).toBe('none');
  });

  it('a null variable makes an optional parameter absent', () => {
    const text = 'name: x\nvars: { v: null }\nstages:\n  prompts:\n    kind: prompts\n    params:\n';
    const graph = load({ 'pipeline.yaml': `${text}      source: simulated\n      sha256: \${v}\n` });
    expect(graph.nodes.get('prompts')?.params).toEqual({ source: 'simulated', samples: 10 });
  });
});

describe('paths', () => {
  const pipeline =
    'name: x\nvars: { source: simulated }\nstages:\n  prompts: { kind: prompts, params: { source: ${source} } }\n';
  const source = (cwd: string, file: string, value: string): Graph =>
    loadPipeline({ file, cwd, kinds: KINDS, simulatorIdentity, set: { source: value } });
  const at = (graph: Graph) => graph.nodes.get('prompts')?.params.source;

  it('leave words and addresses as they are', () => {
    const cwd = folderOf({ 'pipeline.yaml': pipeline });
    expect(at(source(cwd, 'pipeline.yaml', 'simulated'))).toBe('simulated');
    expect(at(source(cwd, 'pipeline.yaml', 'https://x.org/p.parquet'))).toBe('https://x.org/p.parquet');
  });

  it('of --set start where they were typed, else at the pipeline; the way they were typed is kept', () => {
    const root = folderOf({ 'deep/pipeline.yaml': pipeline, 'deep/beside.jsonl': '', 'here.jsonl': '' });
    const typed = source(root, 'deep/pipeline.yaml', './here.jsonl');
    expect(at(typed)).toBe(join(root, 'here.jsonl'));
    expect(typed.writtenPaths?.get(join(root, 'here.jsonl'))).toBe('./here.jsonl');
    const beside = source(root, 'deep/pipeline.yaml', 'beside.jsonl');
    expect(at(beside)).toBe(join(root, 'deep/beside.jsonl'));
    expect(beside.consulted).toContain(join(root, 'beside.jsonl'));
  });

  it('in pipeline.yaml start at its folder', () => {
    const root = folderOf({ 'deep/pipeline.yaml': pipeline.replace('simulated', 'p.jsonl'), 'p.jsonl': '' });
    mkdirSync(join(root, 'deep'), { recursive: true });
    writeFileSync(join(root, 'deep/p.jsonl'), '');
    const graph = loadPipeline({ file: 'deep/pipeline.yaml', cwd: root, kinds: KINDS, simulatorIdentity });
    expect(at(graph)).toBe(join(root, 'deep/p.jsonl'));
    expect(graph.root).toBe(join(root, 'deep'));
  });
});

describe('what was consulted', () => {
  it('is every file that was read', () => {
    const graph = load(EXPERIMENT);
    expect(graph.consulted).toEqual(
      Object.keys(EXPERIMENT)
        .map((name) => join(graph.root, name))
        .sort(),
    );
  });
});

describe('providers', () => {
  it.each([
    ['https://API.Example.com:443/v1/', 'https://api.example.com/v1'],
    ['http://localhost:80', 'http://localhost'],
    ['http://127.0.0.1:8000/v1', 'http://127.0.0.1:8000/v1'],
  ])('%s is known as %s', (written, identity) => {
    const file = `providers:
  sim: { type: openai, base_url: "${written}" }
models:
  scout: { provider: sim, model: m }
  judge: { provider: sim, model: j }
`;
    expect(load({ ...EXPERIMENT, 'configs/simulator.yaml': file }).providers[0]!.identity).toBe(identity);
  });

  it('of a simulated world are its settings, and the protocol where it is not the usual one', () => {
    const identityOf = (more: string) => {
      const file = `providers:
  sim: { type: simulator, options: { seed: 1 }${more} }
models:
  scout: { provider: sim, model: m }
  judge: { provider: sim, model: j }
`;
      return load({ ...EXPERIMENT, 'configs/simulator.yaml': file }).providers[0]!.identity;
    };
    expect(identityOf('')).toBe('simulator:{"seed":1}');
    expect(identityOf(', protocol: anthropic-messages')).toBe('simulator:{"seed":1}/anthropic-messages');
  });

  it('carry limits, the name of a key, and prices', () => {
    const graph = load({
      ...EXPERIMENT,
      'configs/simulator.yaml': `providers:
  sim:
    type: openai
    base_url: https://API.example.com/v1/
    key: EXAMPLE_KEY
    requests_per_minute: 60
models:
  scout: { provider: sim, model: m, token_limit: max_completion_tokens, temperature: false, extra: { a: 1 } }
  judge: { provider: sim, model: j }
prices: configs/prices.yaml
`,
    });
    expect(graph.providers).toMatchObject([
      {
        name: 'sim',
        identity: 'https://api.example.com/v1',
        baseUrl: 'https://API.example.com/v1/',
        keyVariable: 'EXAMPLE_KEY',
        limits: { requestsPerMinute: 60, concurrency: 32, timeoutSeconds: 120, attempts: 6 },
      },
    ]);
    expect(graph.prices).toEqual({
      date: '2025-07-13',
      models: { 'sim-base': { input: 0.15, cachedInput: 0.05, output: 0.6 } },
    });
    expect(graph.nodes.get('responses/p0')?.params).toMatchObject({
      policy: { model: { dialect: { tokenLimit: 'max_completion_tokens', temperature: false, extra: { a: 1 } } } },
    });
  });
});

describe('budget and default', () => {
  const text = 'name: x\nvars: { most: 5 }\nstages: { a: { kind: pass }, b: { kind: pass, inputs: { from: a } } }\n';

  it('ask above a dollar unless told', () => {
    expect(load({ 'pipeline.yaml': text }).budget).toEqual({ confirmAbove: 1 });
    const budget = 'budget: { confirm_above: 2, max_cost: ${most}, max_calls: null }\n';
    expect(load({ 'pipeline.yaml': text + budget }).budget).toEqual({ confirmAbove: 2, maxCost: 5 });
  });

  it('build what nothing else reads, unless told', () => {
    expect(load({ 'pipeline.yaml': text }).defaultTargets).toEqual(['b']);
    expect(load({ 'pipeline.yaml': `${text}default: [a]\n` }).defaultTargets).toEqual(['a']);
  });
});
