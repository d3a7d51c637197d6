import { describe, expect, it } from 'vitest';
import { SendWindow } from '../../src/cluster/send-window.ts';
import type { Clock } from '../../src/providers/clock.ts';

/** A clock that moves by sleeping alone, and then by what a timer may be late. */
function sleepingClock(late: () => number = () => 0) {
  const clock = { time: 1000, now: () => clock.time };
  const sleep: Clock['sleep'] = async (ms) => {
    clock.time += ms + late();
  };
  return Object.assign(clock, { sleep });
}

async function sends(window: SendWindow, clock: { readonly time: number }, turns: readonly number[]) {
  const left: number[] = [];
  await Promise.all(turns.map((turn) => window.pass(turn).then(() => left.push(clock.time))));
  return left;
}

const mostIn = (milliseconds: number, left: readonly number[]) =>
  Math.max(...left.map((from) => left.filter((at) => at >= from && at < from + milliseconds).length));

describe('what leaves a till', () => {
  it('leaves at its turn', async () => {
    const clock = sleepingClock();
    expect(await sends(new SendWindow(clock, 10), clock, [1000, 1103, 1206])).toEqual([1000, 1103, 1206]);
  });

  it('keeps to the limit where turns were missed, in each second and a little more', async () => {
    let timers = 0;
    // The seventh timer is late by most of a second: what had its turn meanwhile is due at once.
    const clock = sleepingClock(() => (++timers === 7 ? 800 : 0));
    const turns = Array.from({ length: 40 }, (_, index) => 1000 + 103 * index);
    const left = await sends(new SendWindow(clock, 10), clock, turns);
    expect(left.filter((at, index) => at === left[index - 1]).length).toBeGreaterThan(3);
    expect(mostIn(1025, left)).toBe(10);
    // Nobody leaves before its turn, and the delay is made good.
    expect(left.every((at, index) => at >= turns[index]!)).toBe(true);
    expect(left.at(-1)! - turns.at(-1)!).toBeLessThan(800);
  });

  it('spaces what is allowed less than once a second', async () => {
    const clock = sleepingClock();
    expect(await sends(new SendWindow(clock, 0.5), clock, [0, 0, 0])).toEqual([1000, 3050, 5100]);
  });

  it('knows no limit where there is none, and is not kept waiting by a clock that was set back', async () => {
    const clock = sleepingClock();
    expect(await sends(new SendWindow(clock, 0), clock, [0, 0, 0])).toEqual([1000, 1000, 1000]);
    const window = new SendWindow(clock, 1);
    await window.pass(0);
    clock.time = 10;
    await window.pass(0);
    expect(clock.time).toBe(1035);
  });
});
