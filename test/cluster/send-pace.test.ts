import { describe, expect, it } from 'vitest';
import { SendPace, TURNS } from '../../src/cluster/send-pace.ts';
import type { Clock } from '../../src/providers/clock.ts';
import { seeded } from '../helpers/crashing.ts';

/** A clock that moves by sleeping alone, and then by what a timer may be late. */
function sleepingClock(late: () => number = () => 0) {
  const clock = { time: 1000, now: () => clock.time };
  const sleep: Clock['sleep'] = async (ms) => {
    clock.time += ms + late();
  };
  return Object.assign(clock, { sleep });
}

async function sends(pace: SendPace, clock: { readonly time: number }, turns: readonly number[]) {
  const left: number[] = [];
  await Promise.all(turns.map((turn) => pace.pass(turn).then(() => left.push(clock.time))));
  return left;
}

const turnsOf = (perSecond: number, count: number) =>
  Array.from({ length: count }, (_, index) => 1000 + (1000 / (TURNS * perSecond)) * index);

const mostIn = (milliseconds: number, left: readonly number[]) =>
  Math.max(...left.map((from) => left.filter((at) => at >= from && at < from + milliseconds).length));

describe('what leaves a till', () => {
  it('leaves at its turn', async () => {
    const clock = sleepingClock();
    expect(await sends(new SendPace(clock, 10), clock, [1000, 1104, 1208])).toEqual([1000, 1104, 1208]);
  });

  it('leaves nearly evenly where turns were missed, and makes some of the delay good', async () => {
    let timers = 0;
    // The seventh timer is late by most of a second: what had its turn meanwhile is due at once.
    const clock = sleepingClock(() => (++timers === 7 ? 800 : 0));
    const turns = turnsOf(10, 100);
    const left = await sends(new SendPace(clock, 10), clock, turns);
    const gaps = left.slice(1).map((at, index) => at - left[index]!);
    expect(Math.min(...gaps)).toBeGreaterThan(75);
    expect(mostIn(1026, left)).toBe(10);
    expect(left.every((at, index) => at >= turns[index]!)).toBe(true);
    expect(left.at(-1)! - turns.at(-1)!).toBeLessThan(700);
  });

  it.each([1, 7, 20, 150, 400])(
    'keeps to %d a second, also where the way takes up to 26 ms more',
    async (perSecond) => {
      const random = seeded(perSecond);
      const clock = sleepingClock(() => (random() < 0.02 ? 300 * random() : 2 * random()));
      const turns = turnsOf(perSecond, 8 * perSecond);
      const left = await sends(new SendPace(clock, perSecond), clock, turns);
      const came = left.map((at) => at + 26 * random()).sort((a, b) => a - b);
      expect(mostIn(1026, left)).toBeLessThanOrEqual(perSecond);
      expect(mostIn(1000, came)).toBeLessThanOrEqual(perSecond);
    },
  );

  it('counts what a server that stood still has counted late, once that answers', async () => {
    const clock = sleepingClock();
    const pace = new SendPace(clock, 50);
    const came: number[] = [];
    /** The server goes on at this time, and counts then what came meanwhile. */
    const goesOn = 3_100;
    const waiting: { readonly at: number; answered(): void }[] = [];
    for (const turn of turnsOf(50, 1000)) {
      const leaving = await pace.pass(turn);
      leaving.sent();
      const seen = clock.time > goesOn - 200 && clock.time < goesOn ? goesOn : clock.time;
      came.push(seen);
      waiting.push({ at: seen + 20, answered: leaving.answered });
      while (waiting[0] !== undefined && waiting[0].at <= clock.time) waiting.shift()!.answered();
    }
    expect(came.filter((at) => at === goesOn).length).toBeGreaterThan(8);
    expect(mostIn(1000, came)).toBeLessThanOrEqual(50);
    expect((1000 * 999) / (came.at(-1)! - came[0]!)).toBeGreaterThan(47.5);
  });

  it.each([
    [14, 0],
    [15, 690],
  ])(
    'takes an answer for late once sixteen are known: after %i quick ones the next waits %i ms more',
    async (quick, more) => {
      const clock = sleepingClock();
      const pace = new SendPace(clock, 1);
      const send = async (answeredIn: number) => {
        const leaving = await pace.pass(clock.time);
        const at = clock.time;
        leaving.sent();
        clock.time += answeredIn;
        leaving.answered();
        return at;
      };
      for (let index = 0; index < quick; index++) await send(10);
      // One second, and what it is taken to be more.
      expect((await send(700)) + 1027 + more).toBe(await send(10));
    },
  );

  it('loses nothing where answers take now short and now long', async () => {
    const random = seeded(5);
    const clock = sleepingClock();
    const pace = new SendPace(clock, 50);
    const left: number[] = [];
    let waiting: { readonly at: number; answered(): void }[] = [];
    for (const turn of turnsOf(50, 500)) {
      const leaving = await pace.pass(turn);
      leaving.sent();
      left.push(clock.time);
      waiting.push({ at: clock.time + 100 - 150 * Math.log(1 - random()), answered: leaving.answered });
      for (const { at, answered } of waiting) if (at <= clock.time) answered();
      waiting = waiting.filter(({ at }) => at > clock.time);
    }
    expect((1000 * 499) / (left.at(-1)! - left[0]!)).toBeGreaterThan(47.5);
  });

  it('loses nothing where timers wake a little late', async () => {
    const random = seeded(3);
    const clock = sleepingClock(() => 4 * random());
    const left = await sends(new SendPace(clock, 100), clock, turnsOf(100, 500));
    expect((1000 * 499) / (left.at(-1)! - left[0]!)).toBeGreaterThan(96.4);
  });

  it('knows no limit where there is none, and is not kept waiting by a clock that was set back', async () => {
    const clock = sleepingClock();
    expect(await sends(new SendPace(clock, 0), clock, [0, 0, 0])).toEqual([1000, 1000, 1000]);
    const pace = new SendPace(clock, 1);
    await pace.pass(0);
    clock.time = 10;
    await pace.pass(0);
    expect(clock.time).toBeLessThan(1050);
  });
});
