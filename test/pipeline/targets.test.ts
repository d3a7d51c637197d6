import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProblemError } from '../../src/core/problem.ts';
import { reach } from '../../src/engine/select.ts';
import { selectTargets } from '../../src/pipeline/targets.ts';
import { EXPERIMENT, load } from './fixture.ts';

const graph = load(EXPERIMENT);
const reached = (names: readonly string[]) => reach(graph, names).map(({ name }) => name);

describe('targets', () => {
  it.each([
    [['report'], ['report']],
    [['responses'], ['responses/p0', 'responses/pi_cot']],
    [['scores/plain'], ['scores/plain/p0', 'scores/plain/pi_cot']],
    [['*/p0'], ['responses/p0']],
    [['**/p0'], ['responses/p0', 'scores/plain/p0']],
    [
      ['report', 'prompts', 'prompts'],
      ['prompts', 'report'],
    ],
    [[], []],
  ])('%j mean %j, in the order of the graph', (patterns, names) => {
    expect(selectTargets(graph, patterns)).toEqual(names);
  });

  it('that mean nothing are all reported, with what they most likely meant', () => {
    const select = () => selectTargets(graph, ['reprot', 'prompts', 'scores/plane', 'zzz*', '/x']);
    expect(select).toThrow(ProblemError);
    try {
      select();
    } catch (error) {
      expect((error as ProblemError).problems).toEqual([
        { id: 'CJE-UNKNOWN-NODE', headline: "No node matches 'reprot'", hint: "Did you mean 'report'?" },
        { id: 'CJE-UNKNOWN-NODE', headline: "No node matches 'scores/plane'", hint: "Did you mean 'scores/plain'?" },
        { id: 'CJE-UNKNOWN-NODE', headline: "No node matches 'zzz*'", hint: '`cje graph` lists every node.' },
        {
          id: 'CJE-BAD-PATTERN',
          headline: "The target '/x' begins or ends with a '/'",
          hint: '`cje graph` lists every node.',
        },
      ]);
    }
  });

  it('depend on everything upstream of them and on nothing else', () => {
    expect(reached(['scores/plain/p0'])).toEqual(['prompts', 'responses/p0', 'scores/plain/p0']);
    expect(reached(['report'])).toEqual([...graph.nodes.keys()]);
  });

  it('close upwards: a closure holds the closure of each of its nodes, inputs before what reads them', () => {
    fc.assert(
      fc.property(fc.subarray([...graph.nodes.keys()]), (names) => {
        const nodes = reached(names);
        expect(reached(nodes)).toEqual(nodes);
        for (const [index, name] of nodes.entries()) {
          for (const input of Object.values(graph.nodes.get(name)!.inputs)) {
            for (const { node } of input.nodes) expect(nodes.slice(0, index)).toContain(node);
          }
        }
      }),
    );
  });
});
