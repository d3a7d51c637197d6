/** The pace that refusals teach, by hand. */

import { describe, expect, it } from 'vitest';
import { createPace, type Pace, type PacedRequest, SLOWEST_PACE } from '../../src/providers/pace.ts';
import { createSentTally } from '../../src/providers/sent-tally.ts';

/** Sends so many, one every so many milliseconds from a moment on, whatever the pace says. */
function sendMany(pace: Pace, count: number, from: number, every: number): PacedRequest {
  let last = pace.send(from);
  for (let n = 1; n < count; n++) last = pace.send(from + n * every);
  return last;
}

function refuse(pace: Pace, request: PacedRequest, now: number, asked?: number): void {
  pace.refused(request, now);
  pace.cut(request, now, asked);
}

/** Sends as soon as it may, until so many milliseconds have passed; the moments. */
function sendAsAllowed(pace: Pace, from: number, until: number): number[] {
  const sent: number[] = [];
  for (let now = from; now < until; ) {
    const wait = pace.wait(now);
    now += wait;
    if (now >= until) break;
    if (wait > 0) continue;
    const request = pace.send(now);
    pace.answered(request, now);
    sent.push(now);
  }
  return sent;
}

/** Met a minute of 600 requests, of which the last was refused, in its second half. */
function shutAfterAMinute(asked?: number): Pace {
  const pace = createPace(undefined, 0);
  refuse(pace, sendMany(pace, 601, 0, 100), 60_010, asked);
  return pace;
}

describe('a pace', () => {
  it('holds nothing back before a limit was met', () => {
    const pace = createPace(undefined, 0);
    sendMany(pace, 1_000, 0, 0);
    expect([pace.wait(0), pace.limit, pace.isShut, pace.isSure]).toEqual([0, undefined, false, false]);
  });

  it('is what was answered in the minute before the first refusal, evenly, and a little less at first', () => {
    const pace = shutAfterAMinute();
    expect(pace.limit).toBeCloseTo(600, -1);
    expect([pace.isShut, pace.isSure]).toEqual([true, true]);
    const sent = sendAsAllowed(pace, 60_010, 64_010);
    const gaps = sent.slice(1).map((at, index) => at - sent[index]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(100);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(103);
  });

  it('of a few requests within a second is unsure, and never below the slowest', () => {
    const pace = createPace(undefined, 0);
    refuse(pace, sendMany(pace, 11, 0, 10), 120);
    expect([pace.limit, pace.isSure]).toEqual([600, false]);
    const slow = createPace(undefined, 0);
    refuse(slow, slow.send(40_000), 40_010);
    for (let at = 42_000; at < 90_000; at += 2_000) refuse(slow, slow.send(at), at);
    expect(slow.limit).toBe(SLOWEST_PACE);
  });

  it('learns nothing new from what was sent before the cut', () => {
    const pace = createPace(600, 1_000);
    const first = pace.send(1_000);
    refuse(pace, first, 1_400);
    expect([pace.isNew(first), pace.isNew({ at: 1_400, pace: 600 })]).toEqual([false, true]);
  });

  it('that is remembered sends one at once, and then evenly', () => {
    const pace = createPace(600, 1_000);
    expect(pace.wait(1_000)).toBe(0);
    pace.send(1_000);
    // A gain of a tenth begins a fortieth below: 585 a minute.
    expect(pace.wait(1_000)).toBe(Math.ceil(60_000 / 585));
  });

  it('grows beyond the limit, is kept there until a count by the minute must refuse, and doubles after that', () => {
    const pace = shutAfterAMinute();
    const sent = sendAsAllowed(pace, 60_010, 60_010 + 130_000);
    const perMinute = (from: number, seconds: number) =>
      (sent.filter((at) => at >= from && at < from + seconds * 1_000).length * 60) / seconds;
    expect(perMinute(61_000, 4)).toBeLessThan(600);
    expect(perMinute(90_000, 30)).toBeGreaterThan(615);
    expect(perMinute(90_000, 30)).toBeLessThan(650);
    expect(perMinute(150_000, 10)).toBeGreaterThan(750);
  });

  it('is cut by a part of its gain where it is refused as expected', () => {
    const pace = shutAfterAMinute();
    const sent = sendAsAllowed(pace, 60_010, 110_000);
    const refused = pace.send(sent.at(-1)! + 100);
    refuse(pace, refused, refused.at + 20);
    // What was answered since it opened, which is a part of the gain below the pace that it had grown to.
    expect(pace.limit! / ((sent.length * 60_000) / (refused.at - 60_010))).toBeCloseTo(1, 2);
    expect(pace.limit! / refused.pace!).toBeGreaterThan(1 - 0.05 * (3 / 4));
    expect(pace.limit! / refused.pace!).toBeLessThanOrEqual(1 - 0.05 / 3);
    expect(pace.isSure).toBe(true);
  });

  it('is searched for wider where it is refused early', () => {
    const pace = shutAfterAMinute();
    const sent = sendAsAllowed(pace, 60_010, 61_000);
    const refused = pace.send(sent.at(-1)! + 100);
    refuse(pace, refused, refused.at + 20);
    expect(pace.isSure).toBe(false);
    expect(pace.limit).toBeLessThan(refused.pace! * 0.97);
  });

  it('lies halfway where it was met far above', () => {
    const pace = shutAfterAMinute();
    const sent = sendAsAllowed(pace, 60_010, 60_010 + 110_000);
    const refused = pace.send(sent.at(-1)! + 10);
    expect(refused.pace!).toBeGreaterThan(1_000);
    refuse(pace, refused, refused.at + 20);
    const answered = (sent.length * 60_000) / (refused.at - 60_110);
    expect(pace.limit!).toBeGreaterThan(0.97 * ((answered + refused.pace!) / 2));
    expect(pace.limit!).toBeLessThan(1.03 * ((answered + refused.pace!) / 2));
    expect(pace.isSure).toBe(false);
  });

  it('is what a trial found, from two thirds of it on', () => {
    const pace = createPace(undefined, 0);
    refuse(pace, pace.send(0), 20);
    pace.tried(600, 1_000);
    expect([pace.limit, pace.isShut]).toEqual([600, false]);
    expect(pace.wait(1_000)).toBe(Math.ceil(60_000 / 450));
    // It is kept low for six seconds.
    const sent = sendAsAllowed(pace, 1_000, 7_000);
    expect(sent.length).toBeLessThanOrEqual(45);
  });

  it('is forgotten where it turns out to be none', () => {
    const pace = shutAfterAMinute();
    pace.free();
    expect([pace.limit, pace.wait(60_010), pace.isShut]).toEqual([undefined, 0, false]);
  });
});

describe('a server that is shut', () => {
  /** The gaps at which it is asked in vain. */
  function gapsOf(pace: Pace, from: number, until: number): number[] {
    const gaps: number[] = [];
    for (let now = from; now < until; ) {
      const wait = pace.wait(now);
      now += wait;
      gaps.push(wait);
      refuse(pace, pace.send(now), now);
    }
    return gaps;
  }

  it('is asked by one at a time, at gaps that double', () => {
    const pace = createPace(undefined, 0);
    refuse(pace, sendMany(pace, 601, 0, 1), 600);
    const gaps = gapsOf(pace, 600, 30_000);
    expect(gaps.slice(0, 3)).toEqual([3, 5, 9]);
    expect(Math.max(...gaps)).toBe(1_500);
  });

  it('is asked once a minute when that was too long for a count by the minute', () => {
    const pace = createPace(undefined, 0);
    refuse(pace, sendMany(pace, 61, 0, 1), 60);
    const gaps = gapsOf(pace, 60, 300_000);
    expect(gaps.slice(-3)).toEqual([60_000, 60_000, 60_000]);
  });

  it('allows what it answered in the minute before, however fast that came', () => {
    const pace = createPace(undefined, 0);
    refuse(pace, sendMany(pace, 601, 0, 10), 6_010);
    expect(pace.limit).toBeGreaterThan(5_000);
    gapsOf(pace, 6_010, 59_000);
    expect(pace.limit).toBeGreaterThan(595);
    expect(pace.limit).toBeLessThan(640);
  });

  it('is open again once a refusal would have come, though no answer has', () => {
    const pace = createPace(undefined, 0);
    refuse(pace, sendMany(pace, 601, 0, 100), 60_200);
    const at = 60_200 + pace.wait(60_200);
    pace.send(at);
    expect([pace.wait(at), pace.isShut]).toEqual([300, true]);
    expect(pace.wait(at + 300)).toBeGreaterThan(0);
    expect(pace.isShut).toBe(false);
  });

  it('is asked when it said, and measured by the time that it was shut', () => {
    const pace = createPace(undefined, 0);
    const last = sendMany(pace, 61, 0, 1);
    refuse(pace, last, 60, 59_000);
    expect(pace.wait(60)).toBe(59_000);
    expect(pace.limit).toBeGreaterThan(3_000);
    const asked = pace.send(59_060);
    pace.answered(asked, 59_100);
    expect(pace.limit).toBeGreaterThan(59);
    expect(pace.limit).toBeLessThan(64);
  });

  it('is asked ever later, though it always names the same short time, or none', () => {
    for (const asked of [0, 1]) {
      const pace = createPace(undefined, 0);
      refuse(pace, sendMany(pace, 61, 0, 1), 60, asked);
      const gaps: number[] = [];
      for (let now = 60; now < 30_000; ) {
        gaps.push(pace.wait(now));
        now += gaps.at(-1)!;
        refuse(pace, pace.send(now), now, asked);
      }
      expect(Math.max(...gaps)).toBe(1_500);
      expect(gaps.length).toBeLessThan(40);
    }
  });

  it('for long is not taken to count by the minute where it answers far more in another minute', () => {
    const pace = createPace(undefined, 0);
    refuse(pace, sendMany(pace, 11, 0, 1), 11, 30_000);
    pace.answered(pace.send(30_011), 30_020);
    // Ten were answered in the minute before it shut.
    expect(pace.limit).toBeLessThan(30);
    const sent = sendAsAllowed(pace, 30_020, 90_000);
    expect(sent.length).toBeGreaterThan(40);
    const refused = pace.send(sent.at(-1)! + 1);
    refuse(pace, refused, refused.at + 20, 30_000);
    pace.answered(pace.send(refused.at + 30_020), refused.at + 30_040);
    expect(pace.limit).toBeGreaterThan(refused.pace! / 2);
  });

  it('says nothing new by requests that were sent before any limit was met', () => {
    const pace = createPace(undefined, 0);
    const [first, second] = [pace.send(0), pace.send(0)];
    refuse(pace, first, 0);
    expect(pace.isNew(second)).toBe(false);
  });

  /** Refused once more after so many milliseconds at the known pace. */
  function metAgain(asked?: number): Pace {
    const pace = shutAfterAMinute();
    sendAsAllowed(pace, 60_010, 90_000);
    refuse(pace, pace.send(90_000), 90_010, asked);
    return pace;
  }

  it('is not run into again for fifty times as long as that cost', () => {
    const pace = metAgain(30_000);
    pace.answered(pace.send(120_010), 120_020);
    const opened = sendAsAllowed(pace, 120_020, 120_020 + 200_000);
    expect(opened.filter((at) => at >= 260_020).length).toBeLessThan(600);
  });

  it('takes no more than three quarters of a pace that was kept for a minute', () => {
    const pace = metAgain();
    gapsOf(pace, 90_010, 160_000);
    expect(pace.limit).toBeGreaterThan(149);
    expect(pace.isSure).toBe(false);
  });
});

describe('the tally of what was sent', () => {
  it('counts what was sent in a stretch and not refused', () => {
    const tally = createSentTally();
    for (const at of [0, 19, 20, 1_000, 59_999]) tally.add(at);
    expect([tally.count(0, 60_000), tally.count(20, 1_000), tally.count(40, 999)]).toEqual([5, 2, 0]);
    tally.remove(20);
    expect(tally.count(20, 1_000)).toBe(1);
  });

  it('forgets what is older than it holds', () => {
    const tally = createSentTally();
    tally.add(5);
    tally.add(5 + 4_096 * 20);
    expect(tally.count(0, 100_000)).toBe(1);
    tally.remove(5);
    expect(tally.count(0, 100_000)).toBe(1);
  });
});
