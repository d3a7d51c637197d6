/** What is compared of a node whose inputs are not known yet. */

import { describe, expect, it } from 'vitest';
import type { RegisteredKind } from '../../src/core/kind.ts';
import { causeText } from '../../src/engine/cause.ts';
import { ownChanges } from '../../src/engine/changes.ts';
import { keyParts, ownParts } from '../../src/engine/evaluate.ts';
import { toyGraph } from '../helpers/toy.ts';

const registered = {
  code: '1',
  kind: {
    name: 'table',
    shape: 'source',
    locate: ({ file }: { file: string }) => ({ file: { type: 'path', path: file } }),
  },
} as unknown as RegisteredKind;
const node = { ...toyGraph().nodes.get('words')!, kind: 'table', params: { file: '/data/labels.csv', share: 0.5 } };
const reading = (digest: string) => ({ digest: async () => digest }) as unknown as Parameters<typeof ownParts>[2];

describe('the own parts of a node that reads a file and waits for others', () => {
  it('are those of its key, so that a file that stays is no change', async () => {
    const before = await keyParts(node, registered, new Map([['responses', new Map()]]), reading('one'));
    expect(ownChanges(before, await ownParts(node, registered, reading('one')))).toEqual([]);
    const changes = ownChanges(before, await ownParts(node, registered, reading('two')));
    expect(causeText({ type: 'waits', on: ['responses/a'], changes }, 'table')).toBe(
      'content of the file changed, depends on responses/a',
    );
  });
});
