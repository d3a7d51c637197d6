import { describe, expect, it } from 'vitest';
import {
  countOutcome,
  foundBy,
  isOpen,
  openTrial,
  sendOnTrial,
  type Trial,
  withoutOne,
} from '../../src/providers/trial.ts';

/** A trial whose requests are sent every so many milliseconds, with what becomes of each. */
function tried(outcomes: readonly (boolean | undefined)[], every: number): Trial {
  let trial = openTrial(1_000);
  outcomes.forEach((_, index) => {
    trial = sendOnTrial(trial, 1_000 + (index + 1) * every);
  });
  for (const refused of outcomes) trial = refused === undefined ? withoutOne(trial) : countOutcome(trial, refused);
  return trial;
}

describe('what goes on as before after a refusal', () => {
  it('is 32 requests, and is judged once all have ended', () => {
    const most = tried(Array<boolean>(31).fill(false), 100);
    expect([isOpen(undefined), isOpen(most), foundBy(most)]).toEqual([false, true, undefined]);
    const sent = sendOnTrial(most, 4_200);
    expect([isOpen(sent), foundBy(sent)]).toEqual([false, undefined]);
    expect(foundBy(countOutcome(sent, true))).toEqual({
      answered: 31,
      refused: 1,
      answeredPerMinute: 562.5,
    });
  });

  it('measures nothing where hardly any was answered, nor what was sent at once', () => {
    expect(foundBy(tried([false, ...Array<boolean>(31).fill(true)], 100))).toBeUndefined();
    // Two answers are one interval: one request in the 3.2 seconds.
    expect(foundBy(tried([false, false, ...Array<boolean>(30).fill(true)], 100))).toEqual({
      answered: 2,
      refused: 30,
      answeredPerMinute: 18.75,
    });
    expect(foundBy(tried(Array<boolean>(32).fill(false), 0))).toMatchObject({ answeredPerMinute: 18_600 });
  });

  it('leaves out what was never answered', () => {
    const found = foundBy(tried([undefined, ...Array<boolean>(31).fill(false)], 100));
    expect(found).toMatchObject({ answered: 31, refused: 0 });
  });
});

describe('a server that refuses many', () => {
  const triedBy = (outcomes: string): Trial =>
    [...outcomes].reduce((trial, outcome, n) => countOutcome(sendOnTrial(trial, n), outcome === '-'), openTrial(0));

  it('is not tried any further after eight, whatever it answers between', () => {
    expect([isOpen(triedBy('-------')), isOpen(triedBy('--------'))]).toEqual([true, false]);
    expect([isOpen(triedBy('-+-+-+-+-+-+-+')), isOpen(triedBy('-+-+-+-+-+-+-+-'))]).toEqual([true, false]);
    expect(foundBy(triedBy('--------'))).toBeUndefined();
    expect(foundBy(triedBy('-+-+-+-+-+-+-+-'))).toMatchObject({ answered: 7, refused: 8 });
  });
});
