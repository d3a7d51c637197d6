/** Each kind of mistake, printed whole: headline, place, facts, hint. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ProblemError } from '../../src/core/problem.ts';
import { loadPipeline } from '../../src/pipeline/load.ts';
import { EXPERIMENT, edited, folderOf, load, mistakes, simulatorIdentity } from './fixture.ts';

const alone = (text: string, options = {}) => mistakes({ 'pipeline.yaml': text }, options);
const pipeline = (...replacements: readonly (readonly [string, string])[]) =>
  mistakes(edited('pipeline.yaml', ...replacements));

describe('the file itself', () => {
  it('missing', () => {
    expect(mistakes({})).toMatchInlineSnapshot(`
      "There is no pipeline: 'pipeline.yaml' does not exist [CJE-NO-PIPELINE]
        looked for: ~/pipeline.yaml
        → Run \`cje init\` for a new experiment, or name the file with --file."
    `);
  });

  it.each(['.nan', '.inf', '-.inf', '0x1ffffffffffffffffff'])('a number that is none or too large: %s', (written) => {
    expect(alone(`name: x\nvars: { a: ${written} }\nstages: {}\n`)).toMatch(/not a number that|too large to be held/);
  });

  it('a second document, and keys that are no texts', () => {
    expect(alone('name: x\nstages: {}\n---\nname: y\n')).toContain('A second YAML document begins here');
    expect(alone('{{{')).toContain('a key must be a text');
  });

  it('not YAML', () => {
    expect(alone('name: x\nstages: [a\nb: ]\n')).toMatchInlineSnapshot(`
      "What begins with [ here does not end [CJE-BAD-YAML]
        pipeline.yaml:2:9
        | stages: [a
        |         ^
        → Close it with ]."
    `);
  });

  it.each([
    [
      'a colon that is missing',
      'stages:\n  p\n    kind: prompts\n    params:\n      source: x\n',
      "A colon is missing behind 'p'",
      3,
    ],
    ['… before a value', 'stages:\n  p:\n    kind prompts\n    inputs: {}\n', "A colon is missing behind 'kind'", 4],
    [
      'a colon without its space',
      'stages:\n  p:\n    kind:prompts\n    inputs: {}\n',
      'A colon needs a space behind it',
      4,
    ],
    [
      'a text for a mapping',
      'stages:\n  p:\n    kind: prompts\n    params:\n      source x\n',
      "'stages.p.params' must be a mapping",
      6,
    ],
    ['a colon that is missing in braces', 'vars: { a b, c: 1 }\nstages: {}\n', "A colon is missing behind 'a'", 2],
    ['a colon without its space in braces', 'vars: { a:b }\nstages: {}\n', 'A colon needs a space behind it', 2],
    ['a quote that does not end', 'stages:\n  p: {kind: "it\'s}\n', 'What begins with " here does not end', 3],
    [
      'a brace that does not end',
      "stages: {} # it's [\nvars: {a: ${b}\nbudget: {}\n",
      'What begins with { here does not end',
      3,
    ],
    ['a list out of line', 'vars:\n  a:\n    - b\n   - c\nstages: {}\n', 'This line is indented otherwise than', 5],
    ['a key further in', '  vars: {}\nstages: {}\n', 'This line is indented otherwise than', 2],
    [
      '… behind an empty line',
      'stages:\n  p:\n    kind: prompts\n\n      inputs: {}\n',
      'This line is indented otherwise than',
      6,
    ],
    [
      'a colon that is missing above an empty line',
      'stages:\n  p\n\n    kind: prompts\n',
      "A colon is missing behind 'p'",
      3,
    ],
    ['a sign that begins no text', 'vars: {a: @b}\nstages: {}\n', 'cannot start with reserved character @', 2],
  ])('%s, told once and where it is', (_, text, headline, line) => {
    const told = alone(`name: x\n${text}`);
    expect(told).toContain(headline);
    expect(told.match(/\[CJE-/g)).toHaveLength(1);
    expect(told).toContain(`pipeline.yaml:${line}:`);
  });

  it('indented by tabs, which is told once and not with its echoes', () => {
    expect(alone('name: x\nstages:\n\tprompts:\n\t\tkind: prompts\n')).toMatchInlineSnapshot(`
      "A tab cannot indent YAML [CJE-BAD-YAML]
        pipeline.yaml:3:1
        | 	prompts:
        | ^
        → Use spaces."
    `);
  });

  it('a text with a colon in it', () => {
    expect(alone('name: Arena: 10K: Oracle\nstages: {}\n')).toMatchInlineSnapshot(`
      "A value with ': ' in it needs quotes [CJE-BAD-YAML]
        pipeline.yaml:1:7
        | name: Arena: 10K: Oracle
        |       ^
        → Write it as 'a: b', in quotes."
    `);
  });

  it('in Latin-1, or a folder: nobody is sent to begin anew', () => {
    const cwd = folderOf({ 'kept.yaml': '' });
    const trouble = (file: string) => {
      try {
        loadPipeline({ file, cwd, kinds: new Map(), simulatorIdentity });
        return undefined;
      } catch (error) {
        return (error as ProblemError).problems[0];
      }
    };
    writeFileSync(join(cwd, 'latin.yaml'), Buffer.from('name: x\n# caf\u00e9\nstages: {}\n', 'latin1'));
    expect(trouble('latin.yaml')).toMatchObject({
      headline: "The pipeline cannot be read: 'latin.yaml' is not UTF-8 text: see line 2, and save it as UTF-8",
      place: { file: 'latin.yaml', line: 2 },
    });
    expect(trouble('latin.yaml')!.hint).toBeUndefined();
    mkdirSync(join(cwd, 'folder.yaml'));
    expect(trouble('folder.yaml')).toMatchObject({
      headline: "The pipeline cannot be read: 'folder.yaml' is a folder, not a file",
      hint: 'Name the file with --file.',
    });
  });

  it('empty', () => {
    expect(alone('# nothing\n')).toMatchInlineSnapshot(`
      "This file must be a mapping [CJE-BAD-VALUE]
        pipeline.yaml:1:1
        | # nothing
        | ^"
    `);
  });

  it('a stage given twice', () => {
    expect(pipeline(['  report:\n', '  prompts:\n'])).toMatchInlineSnapshot(`
      "'prompts' is given twice [CJE-KEY-TWICE]
        pipeline.yaml:32:3
        |   prompts:
        |   ^^^^^^^
        first at: pipeline.yaml:10:3
        → Rename or remove one of them."
    `);
  });

  it('a misspelt key', () => {
    expect(pipeline(['    matrix:\n      policy', '    matrx:\n      policy'])).toMatchInlineSnapshot(`
      "Unknown key 'matrx' under 'stages.responses' [CJE-UNKNOWN-KEY]
        pipeline.yaml:17:5
        |     matrx:
        |     ^^^^^
        → Did you mean 'matrix'?"
    `);
  });

  it('wrong types', () => {
    expect(alone('name: 3\nstages:\n  a: pass\n  b: { kind: pass, tolerate: [1] }\n')).toMatchInlineSnapshot(`
      "'name' must be a text [CJE-BAD-VALUE]
        pipeline.yaml:1:7
        | name: 3
        |       ^
      'stages.a' must be a mapping [CJE-BAD-VALUE]
        pipeline.yaml:3:6
        |   a: pass
        |      ^^^^
        → Each line of a mapping is \`key: value\`, with a colon and a space.
      'stages.b.tolerate' must be a number or a text [CJE-BAD-VALUE]
        pipeline.yaml:4:20
        |   b: { kind: pass, tolerate: [1] }
        |                    ^^^^^^^^"
    `);
  });

  it('aliases that loop or multiply', () => {
    const bomb = Array.from(
      { length: 9 },
      (_, level) => `  l${level + 1}: &l${level + 1} [${`*l${level},`.repeat(9)}]\n`,
    );
    expect(alone(`name: x\nvars:\n  l0: &l0 [a]\n${bomb.join('')}stages: {}\n`)).toContain('multiply beyond all use');
    expect(alone('name: x\nvars: &v { a: *v }\nstages: {}\n')).toContain(
      "The alias '*v' stands inside what it repeats",
    );
  });
});

describe('names', () => {
  it('an unknown stage in inputs', () => {
    expect(pipeline(['responses: responses/${policy}', 'responses: respones/${policy}'])).toMatchInlineSnapshot(`
      "The input 'responses' matches no node [CJE-UNKNOWN-NODE]
        pipeline.yaml:29:18
        |       responses: respones/\${policy}
        |                  ^^^^^^^^^^^^^^^^^^
        pattern: respones/p0
        node: scores/plain/p0
        → Did you mean 'responses/p0'?"
    `);
  });

  it('a stage where one of its nodes is wanted', () => {
    expect(pipeline(['responses: responses/${policy}', 'responses: responses'])).toMatchInlineSnapshot(`
      "The input 'responses' matches no node [CJE-UNKNOWN-NODE]
        pipeline.yaml:29:18
        |       responses: responses
        |                  ^^^^^^^^^
        pattern: responses
        node: scores/plain/p0
        → 'responses' is a stage of 2 nodes: responses/p0, responses/pi_cot."
    `);
  });

  it('a glob that matches nothing', () => {
    expect(pipeline(['from: scores/plain/*', 'from: score/plain/*'])).toMatchInlineSnapshot(`
      "The input 'from' matches no node [CJE-UNKNOWN-NODE]
        pipeline.yaml:35:13
        |       from: score/plain/*
        |             ^^^^^^^^^^^^^
        pattern: score/plain/*
        node: report
        → Did you mean 'scores/plain/p0'?"
    `);
  });

  it('an odd glob', () => {
    expect(pipeline(['from: scores/plain/*', 'from: scores/[pq]*'])).toMatchInlineSnapshot(`
      "The input 'from' is 'scores/[pq]*', which holds a character that no node's name has; only * and ** are special [CJE-BAD-PATTERN]
        pipeline.yaml:35:13
        |       from: scores/[pq]*
        |             ^^^^^^^^^^^^
        node: report"
    `);
  });

  it('a misspelt kind', () => {
    expect(pipeline(['kind: scores', 'kind: score'])).toMatchInlineSnapshot(`
      "There is no kind 'score' [CJE-UNKNOWN-KIND]
        pipeline.yaml:24:11
        |     kind: score
        |           ^^^^^
        → Did you mean 'scores'?"
    `);
  });

  it('an unknown input, and the one that is lacking for it', () => {
    expect(pipeline(['responses: responses/${policy}', 'response: responses/${policy}'])).toMatchInlineSnapshot(`
      "The kind 'scores' has no input 'response' [CJE-UNKNOWN-INPUT]
        pipeline.yaml:29:7
        |       response: responses/\${policy}
        |       ^^^^^^^^
        → Did you mean 'responses'?"
    `);
  });

  it('several nodes where the kind takes one', () => {
    expect(pipeline(['responses: responses/${policy}', 'responses: responses/*'])).toMatchInlineSnapshot(`
      "The input 'responses' of kind 'scores' takes one node [CJE-INPUT-TAKES-ONE]
        pipeline.yaml:29:18
        |       responses: responses/*
        |                  ^^^^^^^^^^^
        matched: responses/p0, responses/pi_cot
        node: scores/plain/p0
        → Name one of them."
    `);
  });

  it('an undefined variable', () => {
    expect(pipeline(['samples: ${samples}', 'samples: ${sampels}'])).toMatchInlineSnapshot(`
      "There is no variable 'sampels' [CJE-UNKNOWN-VARIABLE]
        pipeline.yaml:14:16
        |       samples: \${sampels}
        |                ^^^^^^^^^^
        → Did you mean 'samples'?"
    `);
  });

  it('a list inside a text', () => {
    expect(pipeline(['configs/policies/${policy}', 'configs/policies/${policies}'])).toMatchInlineSnapshot(`
      "'policies' is a list, which cannot stand inside a text [CJE-BAD-REFERENCE]
        pipeline.yaml:22:32
        |       policy: configs/policies/\${policies}.yaml
        |                                ^^^^^^^^^^^
        declared: pipeline.yaml:5:13
        → To make a node for each of p0, pi_cot, list them under 'matrix:'."
    `);
  });

  it('an unknown default target', () => {
    expect(pipeline(['default: report', 'default: raport'])).toMatchInlineSnapshot(`
      "The default target 'raport' matches no node [CJE-UNKNOWN-NODE]
        pipeline.yaml:2:10
        | default: raport
        |          ^^^^^^
        → Did you mean 'report'?"
    `);
  });

  it('two nodes with one name', () => {
    expect(pipeline(['[p0, pi_cot]', '[p0, pi_cot, p0]'])).toMatchInlineSnapshot(`
      "'p0' is given twice: two nodes would have one name [CJE-NODE-TWICE]
        pipeline.yaml:5:26
        |   policies: [p0, pi_cot, p0]
        |                          ^^
        matrix: policy
        → Remove one of them."
    `);
    expect(
      alone('name: x\nstages:\n  a/b: { kind: pass }\n  a: { kind: pass, matrix: { v: [b] } }\n'),
    ).toMatchInlineSnapshot(`
      "Two nodes are named 'a/b' [CJE-NODE-TWICE]
        pipeline.yaml:4:34
        |   a: { kind: pass, matrix: { v: [b] } }
        |                                  ^
        first at: pipeline.yaml:3:3
        → Rename one of them: a node is found, and its output stored, by its name."
    `);
    expect(alone('name: x\nstages:\n  a: { kind: pass, matrix: { v: [b, B] } }\n')).toContain('differ in case alone');
  });

  it('odd stages and matrix values', () => {
    expect(
      alone('name: x\nstages:\n  a b: { kind: pass }\n  c: { kind: pass, matrix: { v: [x/y, null, "*"] } }\n'),
    ).toMatchInlineSnapshot(`
      "'a b' cannot name a stage: it holds more than letters, digits and . _ + - (and must begin with a letter or digit) [CJE-BAD-NAME]
        pipeline.yaml:3:3
        |   a b: { kind: pass }
        |   ^^^
      "x/y" cannot be a value of the matrix variable 'v': it holds a '/' [CJE-BAD-NAME]
        pipeline.yaml:4:34
        |   c: { kind: pass, matrix: { v: [x/y, null, "*"] } }
        |                                  ^^^
        → Matrix values become parts of nodes' names; use a short word, and look its meaning up in a config file.
      null cannot be a value of the matrix variable 'v': it is not a word or number [CJE-BAD-NAME]
        pipeline.yaml:4:39
        |   c: { kind: pass, matrix: { v: [x/y, null, "*"] } }
        |                                       ^^^^
        → Matrix values become parts of nodes' names; use a short word, and look its meaning up in a config file.
      "*" cannot be a value of the matrix variable 'v': it holds more than letters, digits and . _ + - (and must begin with a letter or digit) [CJE-BAD-NAME]
        pipeline.yaml:4:45
        |   c: { kind: pass, matrix: { v: [x/y, null, "*"] } }
        |                                             ^^^
        → Matrix values become parts of nodes' names; use a short word, and look its meaning up in a config file."
    `);
  });

  it('matrices that are no list, or empty', () => {
    expect(
      alone(
        'name: x\nvars: { v: p0 }\nstages:\n  a: { kind: pass, matrix: { v: ${v} } }\n  b: { kind: pass, matrix: { v: [] } }\n',
      ),
    ).toMatchInlineSnapshot(`
      "The matrix variable 'v' must be a list [CJE-NOT-A-LIST]
        pipeline.yaml:2:12
        | vars: { v: p0 }
        |            ^^
        from: pipeline.yaml:2:12
        → Write it as [p0].
      The matrix variable 'v' has no values [CJE-EMPTY-MATRIX]
        pipeline.yaml:5:30
        |   b: { kind: pass, matrix: { v: [] } }
        |                              ^
        → A stage without nodes does nothing: give it a value, or remove the stage."
    `);
  });
});

describe('circles', () => {
  it('of stages, printed as a path', () => {
    expect(
      alone(`name: x
stages:
  a: { kind: pass, matrix: { v: [p, q] }, inputs: { from: c } }
  b: { kind: pass, inputs: { from: a/p } }
  c: { kind: pass, inputs: { from: b } }
`),
    ).toMatchInlineSnapshot(`
      "The stages go in a circle: a/p → c → b → a/p [CJE-STAGE-CYCLE]
        pipeline.yaml:3:59
        |   a: { kind: pass, matrix: { v: [p, q] }, inputs: { from: c } }
        |                                                           ^
        a/p: reads 'c' (pipeline.yaml:3:59)
        c: reads 'b' (pipeline.yaml:5:36)
        b: reads 'a/p' (pipeline.yaml:4:36)
        → One of these inputs must go."
    `);
  });

  it('of a node with itself', () => {
    expect(alone('name: x\nstages:\n  a: { kind: collect, inputs: { from: "**" } }\n')).toMatchInlineSnapshot(`
      "The stages go in a circle: a → a [CJE-STAGE-CYCLE]
        pipeline.yaml:3:39
        |   a: { kind: collect, inputs: { from: "**" } }
        |                                       ^^^^
        a: reads 'a' (pipeline.yaml:3:39)
        → One of these inputs must go."
    `);
  });

  it('of variables', () => {
    expect(alone('name: x\nvars: { a: "${b}", b: "x${a}" }\nstages: {}\n')).toMatchInlineSnapshot(`
      "The variables go in a circle: a → b → a [CJE-VARIABLE-CYCLE]
        pipeline.yaml:2:12
        | vars: { a: "\${b}", b: "x\${a}" }
        |            ^^^^^^"
    `);
  });
});

describe('arguments', () => {
  const set = (name: string, value: string) => mistakes(EXPERIMENT, { set: { [name]: value } });

  it('an undeclared variable', () => {
    expect(set('sample', '5')).toMatchInlineSnapshot(`
      "There is no variable 'sample' to set [CJE-UNKNOWN-VARIABLE]
        --set:1
        | sample=5
        | ^^^^^^
        → Did you mean 'samples'?"
    `);
  });

  it('a word where a list is declared', () => {
    expect(set('policies', 'p0')).toMatchInlineSnapshot(`
      "'policies' is a list, and this is none [CJE-NOT-A-LIST]
        --set:10
        | policies=p0
        |          ^^
        declared: pipeline.yaml:5:13
        → Write it as [p0]."
    `);
  });

  it('a value that its parameter does not take', () => {
    expect(set('samples', 'many')).toMatchInlineSnapshot(`
      "'samples' must be a number [CJE-BAD-VALUE]
        pipeline.yaml:14:16
        |       samples: \${samples}
        |                ^^^^^^^^^^
        node: prompts
        value: "many"
        from: --set samples=many"
    `);
  });

  it('a value that is no YAML', () => {
    expect(set('policies', '[p0')).toMatchInlineSnapshot(`
      "What begins with [ here does not end [CJE-BAD-YAML]
        --set:10
        | policies=[p0
        |          ^
        → Close it with ]."
    `);
  });

  it('a policy without a file', () => {
    expect(set('policies', '[p0, pi_cat]')).toMatchInlineSnapshot(`
      "'configs/policies/pi_cat.yaml' does not exist [CJE-FILE-UNREADABLE]
        pipeline.yaml:22:15
        |       policy: configs/policies/\${policy}.yaml
        |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        looked for: ~/configs/policies/pi_cat.yaml
        node: responses/pi_cat
        → Did you mean 'configs/policies/pi_cot.yaml'?"
    `);
  });

  it('an unknown profile', () => {
    expect(mistakes(EXPERIMENT, { profile: 'sym' })).toMatchInlineSnapshot(`
      "There is no profile 'sym' [CJE-UNKNOWN-PROFILE]
        --profile:1
        | sym
        | ^^^
        → Did you mean 'sim'?"
    `);
  });
});

describe('profiles', () => {
  it('that set what nobody declares, be they in use or not', () => {
    expect(pipeline(['stages:\n', '  other: { vars: { sampls: 3 } }\nstages:\n'])).toMatchInlineSnapshot(`
      "The profile 'other' sets 'sampls', which 'vars:' does not declare [CJE-UNKNOWN-VARIABLE]
        pipeline.yaml:9:20
        |   other: { vars: { sampls: 3 } }
        |                    ^^^^^^
        → Did you mean 'samples'?"
    `);
  });

  it('without providers, where a model is named', () => {
    expect(pipeline(['    providers: configs/simulator.yaml', '    vars: {}'])).toContain(
      "The model alias 'scout' stands for nothing",
    );
  });
});

describe('config files', () => {
  it('missing', () => {
    expect(pipeline(['configs/judges/${scorer}', 'configs/judge/${scorer}'])).toMatchInlineSnapshot(`
      "There is no folder 'configs/judge' [CJE-FILE-UNREADABLE]
        pipeline.yaml:31:14
        |       judge: configs/judge/\${scorer}.yaml
        |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        looked for: ~/configs/judge/plain.yaml
        node: scores/plain/p0
        → Did you mean 'configs/judges/plain.yaml'?"
    `);
  });

  it('named from their own folder', () => {
    expect(
      mistakes(edited('configs/judges/plain.yaml', ['configs/judges/plain.md', 'plain.md'])),
    ).toMatchInlineSnapshot(`
      "'plain.md' does not exist [CJE-FILE-UNREADABLE]
        configs/judges/plain.yaml:2:11
        | template: plain.md
        |           ^^^^^^^^
        looked for: ~/plain.md
        node: scores/plain/p0
        → Paths start from the folder of pipeline.yaml: write 'configs/judges/plain.md'."
    `);
  });

  it('of another kind, as one mistake', () => {
    const judge = 'scale: [1, 5]\noutput: score\ntemplate: judge.md\n';
    expect(mistakes({ ...EXPERIMENT, 'configs/policies/p0.yaml': judge })).toMatchInlineSnapshot(`
      "This file is not what 'policy' asks for [CJE-BAD-VALUE]
        configs/policies/p0.yaml:1:1
        | scale: [1, 5]
        | ^^^^^^^^^^^^^
        node: responses/p0
        lacks: model, draw
        unknown: scale, output, template
        → Name the file that 'policy' means, or write it anew."
    `);
  });

  it('of the right kind, with several misspelt keys, each by itself', () => {
    const misspelt = mistakes({
      ...EXPERIMENT,
      'configs/policies/p0.yaml': 'model: scout\ndrow: p0\ntempreature: 1\n',
    });
    expect(misspelt.match(/^.*CJE-.*$/gm)).toEqual([
      "Unknown key 'drow' [CJE-UNKNOWN-KEY]",
      "Unknown key 'tempreature' [CJE-UNKNOWN-KEY]",
    ]);
  });

  it('with mistakes at their own places', () => {
    expect(
      mistakes({ ...EXPERIMENT, 'configs/policies/p0.yaml': 'model: scuot\ndrow: p0\ntemperature: hot\n' }),
    ).toMatchInlineSnapshot(`
      "There is no model alias 'scuot' [CJE-UNKNOWN-MODEL-ALIAS]
        configs/policies/p0.yaml:1:8
        | model: scuot
        |        ^^^^^
        profile: sim
        providers: configs/simulator.yaml
        node: responses/p0
        → Did you mean 'scout'?
      Unknown key 'drow' [CJE-UNKNOWN-KEY]
        configs/policies/p0.yaml:2:1
        | drow: p0
        | ^^^^
        node: responses/p0
        → Did you mean 'draw'?
      'temperature' must be a number [CJE-BAD-VALUE]
        configs/policies/p0.yaml:3:14
        | temperature: hot
        |              ^^^
        node: responses/p0"
    `);
  });

  it('that are no YAML are reported once, however many nodes read them', () => {
    expect(mistakes(edited('configs/judges/plain.yaml', ['model: judge', 'model: [judge']))).toMatchInlineSnapshot(`
      "What begins with [ here does not end [CJE-BAD-YAML]
        configs/judges/plain.yaml:1:8
        | model: [judge
        |        ^
        → Close it with ]."
    `);
  });

  it('unknown parameters and keys, though the kind itself would drop them', () => {
    expect(
      pipeline(['      judge: configs', '      retries: 3\n      judge: configs'], ['      samples:', '      sampls:']),
    ).toMatchInlineSnapshot(`
      "Unknown parameter 'sampls' [CJE-UNKNOWN-PARAMETER]
        pipeline.yaml:14:7
        |       sampls: \${samples}
        |       ^^^^^^
        node: prompts
        → Did you mean 'samples'?
      Unknown parameter 'retries' [CJE-UNKNOWN-PARAMETER]
        pipeline.yaml:31:7
        |       retries: 3
        |       ^^^^^^^
        node: scores/plain/p0
        → Known: judge."
    `);
  });

  it('a template without what it needs', () => {
    expect(mistakes(edited('configs/judges/plain.md', ['{{prompt}}', '{{promt}}']))).toMatchInlineSnapshot(`
      "The template lacks '{{prompt}}' [CJE-BAD-VALUE]
        configs/judges/plain.md:1:1
        | Rate this.
        | ^
        node: scores/plain/p0
      There is no placeholder '{{promt}}' [CJE-BAD-VALUE]
        configs/judges/plain.md:3:1
        | {{promt}}
        | ^^^^^^^^^
        node: scores/plain/p0
        → Did you mean '{{response}}'?"
    `);
  });

  it('a source that is not there', () => {
    expect(pipeline(['source: simulated', 'source: my.jsonl'])).toMatchInlineSnapshot(`
      "'my.jsonl' does not exist [CJE-FILE-UNREADABLE]
        pipeline.yaml:13:15
        |       source: my.jsonl
        |               ^^^^^^^^
        looked for: ~/my.jsonl
        node: prompts
        → Paths start from the folder of pipeline.yaml."
    `);
  });
});

describe('the provider file', () => {
  const providers = (text: string) => mistakes({ ...EXPERIMENT, 'configs/simulator.yaml': text });

  it('unknown providers, types and templates', () => {
    expect(
      mistakes(
        edited('configs/simulator.yaml', ['provider: sim,', 'provider: sym,'], ['template: llama4', 'template: lama4']),
        { templates: ['llama4', 'chatml'] },
      ),
    ).toMatchInlineSnapshot(`
      "There is no provider 'sym' [CJE-UNKNOWN-PROVIDER]
        configs/simulator.yaml:6:22
        |   scout: { provider: sym, model: sim-base, template: lama4 }
        |                      ^^^
        → Did you mean 'sim'?
      There is no chat template 'lama4' [CJE-CHAT-TEMPLATE]
        configs/simulator.yaml:6:54
        |   scout: { provider: sym, model: sim-base, template: lama4 }
        |                                                      ^^^^^
        → Did you mean 'llama4'?"
    `);
    expect(providers('providers:\n  sim: { type: simulater }\nmodels: {}\n')).toContain(
      "must be 'openai', 'anthropic', 'simulator' or 'llama'",
    );
  });

  it('never shows a credential that was put in by mistake', () => {
    const secret = 'sk-live-0123456789abcdef';
    const printed = providers(`providers:
  a: { type: openai, base_url: https://x.org/v1, key: ${secret} }
  b: { type: openai, base_url: https://user:${secret}@y.org/v1 }
  c: { type: openai, base_url: https://z.org/v1, api_key: ${secret} }
models:
  scout: { provider: a, model: m }
  judge: { provider: b, model: m }
`);
    expect(printed).not.toContain(secret);
    expect(printed).toMatchInlineSnapshot(`
      "'providers.a.key' must be the name of an environment variable, never the credential itself [CJE-BAD-VALUE]
        configs/simulator.yaml:2:55
      'providers.b.base_url' must hold no credential and no query: name an environment variable under 'key:' [CJE-BAD-VALUE]
        configs/simulator.yaml:3:32
      Unknown key 'api_key' under 'providers.c' [CJE-UNKNOWN-KEY]
        configs/simulator.yaml:4:50
        → Known: key, keys, key_command, key_header, headers, query, organization, project, ca_file, protocol, requests_per_minute, tokens_per_minute and 10 more."
    `);
  });

  it('two providers with one identity', () => {
    expect(
      providers(`providers:
  a: { type: openai, base_url: https://x.org/v1/ }
  b: { type: openai, base_url: https://X.org/v1 }
models:
  scout: { provider: a, model: m }
  judge: { provider: b, model: m }
`),
    ).toMatchInlineSnapshot(`
      "The providers 'a' and 'b' have one identity [CJE-PROVIDER-TWICE]
        configs/simulator.yaml:3:3
        |   b: { type: openai, base_url: https://X.org/v1 }
        |   ^
        identity: https://x.org/v1
        first at: configs/simulator.yaml:2:3
        → Make them one provider, or give one an 'identity:' of its own."
    `);
  });

  it('a price table that is not dated', () => {
    expect(mistakes(edited('configs/prices.yaml', ['2025-07-13', 'July']))).toMatchInlineSnapshot(`
      "'date' must be a day such as 2025-07-13 [CJE-BAD-VALUE]
        configs/prices.yaml:1:7
        | date: July
        |       ^^^^"
    `);
  });
});

describe('all of it', () => {
  it('is reported at once, from top to bottom', () => {
    expect(
      pipeline(
        ['name: small', 'nome: small'],
        ['kind: prompts', 'kind: promts'],
        ['${samples}', '${sampels}'],
        ['configs/policies/${policy}', 'configs/polices/${policy}'],
        ['responses: responses/', 'responses: respones/'],
        ['matrix:\n      scorer: [plain]', 'matrix:\n      scorer: [plane]'],
      ),
    ).toMatchInlineSnapshot(`
      "Unknown key 'nome' [CJE-UNKNOWN-KEY]
        pipeline.yaml:1:1
        | nome: small
        | ^^^^
        → Did you mean 'name'?
      There is no kind 'promts' [CJE-UNKNOWN-KIND]
        pipeline.yaml:11:11
        |     kind: promts
        |           ^^^^^^
        → Did you mean 'prompts'?
      There is no variable 'sampels' [CJE-UNKNOWN-VARIABLE]
        pipeline.yaml:14:16
        |       samples: \${sampels}
        |                ^^^^^^^^^^
        → Did you mean 'samples'?
      There is no folder 'configs/polices' [CJE-FILE-UNREADABLE]
        pipeline.yaml:22:15
        |       policy: configs/polices/\${policy}.yaml
        |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        looked for: ~/configs/polices/p0.yaml
        node: responses/p0
        → Did you mean 'configs/policies/p0.yaml'?
      The input 'responses' matches no node [CJE-UNKNOWN-NODE]
        pipeline.yaml:29:18
        |       responses: respones/\${policy}
        |                  ^^^^^^^^^^^^^^^^^^
        pattern: respones/p0
        node: scores/plane/p0
        → Did you mean 'responses/p0'?
      'configs/judges/plane.yaml' does not exist [CJE-FILE-UNREADABLE]
        pipeline.yaml:31:14
        |       judge: configs/judges/\${scorer}.yaml
        |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        looked for: ~/configs/judges/plane.yaml
        node: scores/plane/p0
        → Did you mean 'configs/judges/plain.yaml'?
      The input 'from' matches no node [CJE-UNKNOWN-NODE]
        pipeline.yaml:35:13
        |       from: scores/plain/*
        |             ^^^^^^^^^^^^^^
        pattern: scores/plain/*
        node: report
        → Did you mean 'scores/plane/p0'?"
    `);
  });

  it('asks for exit 2', () => {
    expect(() => load(edited('pipeline.yaml', ['kind: prompts', 'kind: x']))).toThrow(ProblemError);
  });
});
