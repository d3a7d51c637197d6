/** What the cache's commands print, of small values that are set by hand. */

import { expect, it } from 'vitest';
import type { Statistics } from '../../src/store/upkeep/statistics.ts';
import { collectedText, retainedText, statisticsText, verifiedText } from '../../src/terminal/cache-text.ts';

const group = { replies: 1200, bytes: 3e6, dollars: 2.5, unpriced: 0, oldest: 1, newest: 2 };
const none = { files: 0, bytes: 0 };
const found: Statistics = {
  bytes: 2e7,
  total: group,
  byKind: new Map([['scores', group]]),
  byNode: new Map([['scores/a', group]]),
  byModel: new Map([['m', { ...group, unpriced: 7 }]]),
  byAge: new Map([
    ['last day', group],
    ['older', { ...group, replies: 0 }],
  ]),
  failures: 3,
  actions: 4,
  builds: 5,
  blobs: { files: 6, bytes: 7e6 },
  downloads: none,
  quarantine: none,
  dataFile: { bytes: 1e7, used: 1e7 },
  damaged: 0,
};
const text = (more: Partial<Statistics> = {}, verbose = false) => statisticsText({ ...found, ...more }, verbose);

it('statistics tell of free room in the data file where it is more than a tenth of it, and more than a megabyte', () => {
  const told = (bytes: number, used: number) => text({ dataFile: { bytes, used } }).includes('is free room');
  expect(told(1e7, 8.9e6)).toBe(true);
  expect(told(1e7, 9e6)).toBe(false);
  expect(told(2e7, 1.85e7)).toBe(false);
  expect(told(2e6, 1e6)).toBe(false);
});

it('statistics leave out what is none, and name nodes where that is asked for', () => {
  expect(text()).toMatch(/^ +entries +size +dollars\nreplies +1,200 .* \$2\.50\nfailures +3\n/);
  for (const word of ['downloads', 'quarantined', 'older', 'damaged', 'scores/a']) expect(text()).not.toContain(word);
  expect(text()).toContain('$2.50 + 7 unpriced');
  expect(text({ downloads: { files: 1, bytes: 5 }, quarantine: { files: 2, bytes: 5 } })).toMatch(
    /\ndownloads +1 .*\nquarantined +2 /,
  );
  expect(text({ damaged: 1 }, true)).toMatch(/scores\/a(.|\n)*1 replies are damaged: run `cje cache verify`\.\n$/);
});

it('what was removed is told with what it had cost, and what keeps replies from going', () => {
  const removed = { replies: 2, failures: 0, actions: 0, blobs: 1, downloads: 0, quarantined: 0 };
  const done = { builds: 1, bytesBefore: 9e6, bytesAfter: 4e6, removed, dollars: 1.5, unlisted: 0, fits: true };
  const told = (more: object = {}) => collectedText({ ...done, ...more }, { dryRun: false, maxBytes: 5e6 });
  expect(told()).toContain('The replies had cost $1.50.');
  expect(told({ removed: { ...removed, replies: 0 } })).not.toContain('had cost');
  expect(told({ unlisted: 3 })).toContain('No reply was removed: 3 kept nodes do not say');
  expect(told()).not.toContain('No reply was removed');
  expect(told({ fits: false })).toContain('lower --keep-builds to let go of more.');
  expect(told()).not.toContain('lower --keep-builds');
});

it('a shared cache tells what stays, and what goes only where that is asked for', () => {
  const kept = { young: 1, held: 2, removed: [], bytes: 0, refused: [] };
  const stay = '1 segment stays for their age, 2 because somebody needs them.\n';
  expect(retainedText(kept, true)).toBe(`${stay}Nothing would be removed.\n`);
  const gone = { ...kept, removed: ['a', 'b'], bytes: 5e6 };
  expect(retainedText(gone, true)).toMatch(/Would remove 2 objects \(.*\): --delete does it\.\n$/);
  expect(retainedText(gone, false)).toMatch(/Removed 2 objects \(.*\)\.\n$/);
});

it.each([
  [1, false, 1, undefined],
  [20, false, 20, undefined],
  [21, false, 20, '… and 1 more (--verbose names all)'],
  [21, true, 21, undefined],
])('of %i damaged entries (all wanted: %s) %i are named', (damaged, verbose, named, more) => {
  const entries = Array.from({ length: damaged }, (_, index) => ({
    kind: 'reply' as const,
    name: `k${index}!`,
    reason: 'bad',
  }));
  const checked = { replies: 30, failures: 0, actions: 1, builds: 0, blobs: 2, downloads: 0 };
  const told = verifiedText({ checked, bytes: 9, damaged: entries }, undefined, verbose);
  expect(told.match(/k\d+!/g)).toHaveLength(named);
  expect(/… and .*\)/.exec(told)?.[0]).toBe(more);
});
