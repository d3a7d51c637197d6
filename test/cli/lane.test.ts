/** `--lane` and `--until`: what they say, and batches that are asked for where none can be made. */

import { describe, expect, it } from 'vitest';
import { batchOptions, checkLane } from '../../src/cli/batch-options.ts';
import type { BatchSettings } from '../../src/core/batch.ts';

const none = { providers: [{ name: 'lab' }, { name: 'home' }] };

it('is refused where no provider makes any, by name, and is fine where one does', () => {
  const batch: BatchSettings = {
    api: 'openai',
    rows: 1,
    bytes: 1,
    echo: false,
    price: 0.5,
    pollSeconds: 1,
    graceSeconds: 1,
    patienceSeconds: 1,
  };
  expect(() => checkLane('batch', none)).toThrow('--lane batch finds no provider that makes batches ("lab", "home")');
  for (const lane of ['online', undefined] as const) expect(() => checkLane(lane, none)).not.toThrow();
  expect(() => checkLane('batch', { providers: [...none.providers, { name: 'hosted', batch }] })).not.toThrow();
});

describe('how long a build stays with its batches', () => {
  const NOW = new Date(2026, 2, 14, 5, 30, 20).getTime();
  const until = (written: string) => batchOptions('batch', written, NOW);

  it.each([
    ['30s', NOW + 30_000],
    ['90m', NOW + 5_400_000],
    ['1.5h', NOW + 5_400_000],
    ['06:00', new Date(2026, 2, 14, 6, 0).getTime()],
    // That time of today is over.
    ['5:30', new Date(2026, 2, 15, 5, 30).getTime()],
    ['2026-04-01T00:00:00Z', Date.UTC(2026, 3, 1)],
  ])('%s is a moment', (written, moment) => {
    expect(until(written)).toEqual({ lane: 'batch', manner: { type: 'stay', until: moment } });
  });

  it('is tomorrow where it is that time of day now', () => {
    const now = new Date(2026, 2, 14, 5, 30).getTime();
    const { manner } = batchOptions('batch', '05:30', now);
    expect(manner).toEqual({ type: 'stay', until: new Date(2026, 2, 15, 5, 30).getTime() });
    expect(batchOptions('batch', '05:30', now - 1).manner).toEqual({ type: 'stay', until: now });
  });

  it('is no other text', () => {
    for (const wrong of ['', '6', '24:00', '8 h', '2h30m', '2026-04-01', 'tomorrow', '-1h']) {
      expect(() => until(wrong), wrong).toThrow('--until takes a time of day');
    }
  });

  it('is not at all where nothing is said, and who asks online takes over what is out', () => {
    expect(batchOptions(undefined, undefined, NOW)).toEqual({ lane: undefined, manner: { type: 'leave' } });
    expect(batchOptions('batch', undefined, NOW)).toEqual({ lane: 'batch', manner: { type: 'leave' } });
    expect(batchOptions('online', undefined, NOW)).toEqual({ lane: 'online', manner: { type: 'take-over' } });
    expect(() => batchOptions('slow', undefined, NOW)).toThrow('--lane takes');
  });
});
