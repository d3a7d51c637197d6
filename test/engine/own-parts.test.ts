/** What is compared of a node whose inputs are not known yet. */

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { RegisteredKind, SourceKind, SourceReader } from '../../src/core/kind.ts';
import { causeText } from '../../src/engine/cause.ts';
import { ownChanges } from '../../src/engine/changes.ts';
import { keyParts, ownParts } from '../../src/engine/evaluate.ts';
import { toyGraph } from '../helpers/toy.ts';

const table: SourceKind<{ file: string; share: number }> = {
  name: 'table',
  about: '',
  shape: 'source',
  params: z.object({ file: z.string(), share: z.number() }),
  inputs: {},
  outputs: {},
  expect: () => ({ items: 0, calls: [] }),
  locate: ({ file }) => ({ file: { type: 'path', path: file } }),
  parse: () => ({ files: {} }),
};
const registered: RegisteredKind = { code: '1', kind: table };
const node = { ...toyGraph().nodes.get('words')!, kind: 'table', params: { file: '/data/labels.csv', share: 0.5 } };
const reading = (digest: string): SourceReader => ({
  digest: async () => digest,
  read: () => Promise.reject(new Error('nothing is read')),
});

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
