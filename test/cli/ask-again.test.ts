import { describe, expect, it } from 'vitest';
import { chosenItems } from '../../src/engine/ask-again.ts';
import { TOY_KINDS, toyGraph } from '../helpers/toy.ts';

const graph = toyGraph();
const kinds = new Map(TOY_KINDS.map((kind) => [kind.name, { kind, code: '' }]));
const choose = (written: readonly string[], built = [...graph.nodes.keys()]) =>
  chosenItems({ graph, kinds }, written, (pattern) => pattern, new Set(built));

describe('what is asked again', () => {
  it('is a whole node, or items of it; an item may hold a colon', () => {
    expect(choose(['answers/a'])).toEqual(new Map([['answers/a', 'all']]));
    expect(choose(['answers/a:w1', 'answers/a:w:2', 'answers/b:w1'])).toEqual(
      new Map([
        ['answers/a', new Set(['w1', 'w:2'])],
        ['answers/b', new Set(['w1'])],
      ]),
    );
    expect(choose(['answers/a:w1', 'answers/a', 'answers/a:w2'])).toEqual(new Map([['answers/a', 'all']]));
  });

  it('must make calls, and be built', () => {
    expect(() => choose(['words'])).toThrow('words makes no calls');
    expect(() => choose(['answers/b:w1'], ['answers/a'])).toThrow('answers/b is not among what is built here');
  });
});
