import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/core/digest.ts';
import type { BuildRecord, OpenIntent, StoredCall } from '../../src/core/storage.ts';
import { troubleOf } from '../../src/engine/explain/trouble.ts';
import { troubleText } from '../../src/terminal/status-text.ts';

const intent = (call: string, dollars: number): OpenIntent => ({
  id: `${call}/1/0`,
  intent: { call: call as Digest, identity: 'p', model: 'm', node: 'judge', dollars, at: 1 },
});

function storeWith({ uncopied, left = [], answered }: { uncopied?: string; left?: OpenIntent[]; answered?: string }) {
  const last = { ...(uncopied === undefined ? {} : { uncopied }) } as BuildRecord;
  return {
    builds: { list: () => [last] },
    intents: { list: () => left.values() },
    calls: {
      get: (key: Digest) => (key === answered ? ({ boughtAt: 2 } as StoredCall) : undefined),
      failure: () => undefined,
    },
  };
}

const idle = { running: false, full: false };

describe('what status says of earlier builds', () => {
  it('is nothing where the last one ended well', () => {
    expect(troubleOf(storeWith({}), idle)).toEqual({});
    expect(troubleText({})).toBe('');
  });

  it('is what they left unknown, but for what was answered after all', () => {
    const left = [intent('a', 0.25), intent('b', 0.5), intent('c', 4)];
    const trouble = troubleOf(storeWith({ left, answered: 'c' }), idle);
    expect(trouble).toEqual({ unresolved: { requests: 2, dollars: 0.75 } });
    expect(troubleText(trouble)).toBe(
      'A build was killed, or its disk was full, with 2 requests under way: $0.7500 may have been billed; the next build books it as unknown.\n',
    );
  });

  it('leaves out what a build that is under way has not written down yet', () => {
    const store = storeWith({ left: [intent('a', 0.25)], uncopied: 'no space left' });
    expect(troubleOf(store, { running: true, full: false })).toEqual({});
  });

  it('names the copies that were not made, with the text of the system escaped, and a disk that is full', () => {
    const trouble = troubleOf(storeWith({ uncopied: 'no \u001b[2Jroom' }), { running: false, full: true });
    expect(troubleText(trouble)).toBe(
      'The last build did not make all copies: no \\e[2Jroom. Build again.\n' +
        'The disk of the cache folder is full: a build needs 4 MB at the very least.\n',
    );
  });
});
