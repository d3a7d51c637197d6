import { expect, it } from 'vitest';
import { portProblem } from '../../src/core/port-problem.ts';

it.each([
  ['EADDRINUSE', { id: 'CJE-PORT', headline: 'port 80 is in use', hint: 'name 0' }],
  ['EACCES', { id: 'CJE-PORT', headline: 'port 80 needs rights that you do not have', hint: 'take one above 1023' }],
  ['EADDRNOTAVAIL', { id: 'CJE-PORT', headline: 'cannot listen on port 80', facts: [['reason', 'no such address']] }],
])('a port that cannot be had is told by its reason: %s', (code, problem) => {
  expect(portProblem(80, { code, message: 'no such address' }, 'name 0').problems).toEqual([problem]);
});
