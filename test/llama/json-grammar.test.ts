/** Grammars of judges' schemas. That the engine holds replies to them is tested where the engine is. */

import { expect, it } from 'vitest';
import { jsonGrammar } from '../../src/llama/json-grammar.ts';

const rootOf = (schema: Parameters<typeof jsonGrammar>[0]) => jsonGrammar(schema)?.split('\n')[0];
const number = (minimum: number, maximum: number, type = 'number') => ({ type, minimum, maximum });

it.each([
  ['a scale', number(1, 3), '("1" fraction? | "2" fraction? | "3" zeros?)'],
  ['a scale about zero', number(-1, 1), '("-0" fraction | "-1" zeros? | "0" fraction? | "1" zeros?)'],
  ['a scale of integers', number(0, 2, 'integer'), '("0" | "1" | "2")'],
  ['a scale too wide to write out', number(0, 1e6), 'number'],
  ['one end alone', { type: 'number', minimum: 0 }, 'number'],
  ['a choice', { enum: ['A', 'tie'] }, String.raw`("\"A\"" | "\"tie\"")`],
  ['a list', { type: 'array', items: { type: 'string' } }, '"[" space (string (space "," space string)*)? space "]"'],
  [
    'an object in its order',
    { type: 'object', properties: { why: { type: 'string' }, score: number(0, 1, 'integer') } },
    String.raw`"{" space "\"why\"" space ":" space string space "," space "\"score\"" space ":" space ("0" | "1") space "}"`,
  ],
  ['any object', { type: 'object' }, 'object'],
])('%s', (_, schema, rule) => {
  expect(rootOf(schema)).toBe(`root ::= ${rule}`);
});

it.each([[{ anyOf: [] }], [{ type: 'object', properties: { a: { $ref: '#/b' } } }], [null]])(
  'none for what it cannot hold to: %j',
  (schema) => {
    expect(jsonGrammar(schema)).toBeUndefined();
  },
);
