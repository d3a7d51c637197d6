/** Sizes and ages as they are typed, and what a second or third interrupt does. */

import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseAge } from '../../src/cli/cache/ages.ts';
import { parseSize } from '../../src/cli/cache/sizes.ts';
import { watchInterrupts } from '../../src/cli/interrupts.ts';

it.each([
  ['1000000', 1_000_000],
  ['7b', 7],
  ['2k', 2000],
  ['2kb', 2000],
  ['2KiB', 2048],
  ['500 MB', 500_000_000],
  ['3m', 3_000_000],
  ['2MiB', 2_097_152],
  ['1.5G', 1_500_000_000],
  ['2GB', 2_000_000_000],
  ['1GiB', 1_073_741_824],
  ['1t', 1e12],
  ['1tb', 1e12],
  ['1 TiB', 1_099_511_627_776],
  ['0.0015kb', 1],
])('%s is a size of %i bytes', (text, bytes) => {
  expect(parseSize('--max-size', text)).toBe(bytes);
});

it.each(['', 'GB', '2 XB', '-1GB', '1,5GB', '1e3'])('%j is no size', (text) => {
  expect(() => parseSize('--max-size', text)).toThrow('--max-size takes a size such as 2GB');
});

it.each([
  ['90s', 90_000],
  ['10m', 600_000],
  ['36h', 129_600_000],
  ['90d', 7_776_000_000],
  ['12 W', 7_257_600_000],
])('%s is an age of %i ms', (text, milliseconds) => {
  expect(parseAge('--older-than', text)).toBe(milliseconds);
});

it.each(['', '90', 'd', '1.5d', '-1d', '3y'])('%j is no age', (text) => {
  expect(() => parseAge('--older-than', text)).toThrow('--older-than takes an age such as 90d');
});

describe('interrupts', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  function watched() {
    vi.useFakeTimers();
    const told: string[] = [];
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      told.push(`exit ${code}`);
      return undefined as never;
    });
    const interrupts = watchInterrupts(
      () => told.push('first'),
      () => told.push('forced'),
    );
    return {
      told,
      ...interrupts,
      signal: () => process.emit('SIGINT'),
      state: () => [interrupts.interrupt.aborted, interrupts.kill.aborted],
    };
  }

  it('end what is new, then what is in flight, and a second later the process', () => {
    const { told, signal, state, stop } = watched();
    expect(state()).toEqual([false, false]);
    signal();
    expect([state(), told]).toEqual([[true, false], ['first']]);
    vi.advanceTimersByTime(60_000);
    signal();
    expect([state(), told]).toEqual([[true, true], ['first']]);
    vi.advanceTimersByTime(999);
    expect(told).toEqual(['first']);
    vi.advanceTimersByTime(1);
    expect(told).toEqual(['first', 'forced', 'exit 130']);
    stop();
  });

  it('end the process at the third, and are no concern of a command that is done', () => {
    const { told, signal, stop } = watched();
    for (let times = 0; times < 3; times++) signal();
    expect(told).toEqual(['first', 'forced', 'exit 130']);
    stop();
    const later = watched();
    later.signal();
    later.signal();
    later.stop();
    vi.advanceTimersByTime(60_000);
    process.emit('SIGINT');
    expect(later.told).toEqual(['first']);
  });
});
