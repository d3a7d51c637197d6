/** Ctrl-C once, twice and three times: what is told, what ends, and with which exit code. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { untilInterrupted, watchInterrupts } from '../../src/cli/interrupts.ts';

/** Handlers of signals in place of the process's own, which the tests run in. */
const handlers = new Map<string | symbol, Set<() => void>>();
const signal = (name: string) => {
  for (const handler of [...(handlers.get(name) ?? [])]) handler();
};
const exits: unknown[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(process, 'on').mockImplementation((name, handler) => {
    handlers.set(name, (handlers.get(name) ?? new Set()).add(handler));
    return process;
  });
  vi.spyOn(process, 'off').mockImplementation((name, handler) => {
    handlers.get(name)?.delete(handler);
    return process;
  });
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    exits.push(code);
    return undefined as never;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  handlers.clear();
  exits.length = 0;
});

function watched() {
  const told: string[] = [];
  const interrupts = watchInterrupts(
    () => told.push('first'),
    () => told.push('forced'),
  );
  return { told, interrupts, state: () => [interrupts.interrupt.aborted, interrupts.kill.aborted] };
}

describe('a command that is interrupted', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'])(
    'by %s sends nothing new, and drops what is in flight the second time',
    (name) => {
      const { told, state } = watched();
      expect(state()).toEqual([false, false]);
      signal(name);
      expect([state(), told]).toEqual([[true, false], ['first']]);
      signal(name);
      expect([state(), told]).toEqual([[true, true], ['first']]);
      vi.advanceTimersByTime(999);
      expect(exits).toEqual([]);
      vi.advanceTimersByTime(1);
      expect([exits, told]).toEqual([[130], ['first', 'forced']]);
    },
  );

  it('leaves at once the third time', () => {
    const { told } = watched();
    for (const name of ['SIGINT', 'SIGTERM', 'SIGINT']) signal(name);
    expect([exits, told]).toEqual([[130], ['first', 'forced']]);
  });

  it('is not ended where it ended by itself within a second, and hears of no more signals', () => {
    const { interrupts } = watched();
    signal('SIGINT');
    signal('SIGINT');
    interrupts.stop();
    vi.advanceTimersByTime(5000);
    signal('SIGINT');
    expect([exits, [...handlers.values()].every(({ size }) => size === 0)]).toEqual([[], true]);
  });

  it('and only waits for that goes on, and is listened to no more', async () => {
    const over = untilInterrupted();
    signal('SIGTERM');
    await over;
    expect([...handlers.values()].every(({ size }) => size === 0)).toBe(true);
  });
});
