/**
 * What the first refusal means, tried at once: some requests go on as before. A server that has just refused one has used
 * up its allowance, so what it answers of these in their time is what its limit allows, or it has none. So many refusals
 * are enough, since some servers ban whoever they refuse too often.
 */

/** Requests that go on as before. */
const REQUESTS = 32;
/** A trial ends with so many refusals. */
const REFUSALS = 8;
/** The fewest answers that measure anything: an allowance is whole requests. */
const ANSWERS = 2;
/** The shortest time that a rate is measured in, milliseconds: what is sent at once arrives in any order. */
const SHORTEST = 100;

const MINUTE = 60_000;

export interface Trial {
  /** When the refused request was sent. */
  readonly since: number;
  readonly left: number;
  readonly lastSent: number;
  readonly answered: number;
  readonly refused: number;
  /** Requests on their way. */
  readonly underway: number;
}

export interface TrialFindings {
  readonly answered: number;
  readonly refused: number;
  /** Requests a minute, as they were answered. */
  readonly answeredPerMinute: number;
}

export const openTrial = (since: number): Trial => ({
  since,
  left: REQUESTS,
  lastSent: since,
  answered: 0,
  refused: 0,
  underway: 0,
});

/** Whether the next request is one of those that go on as before. */
export const isOpen = (trial: Trial | undefined): boolean => trial !== undefined && trial.left > 0;

export const sendOnTrial = (trial: Trial, now: number): Trial => ({
  ...trial,
  left: trial.left - 1,
  lastSent: now,
  underway: trial.underway + 1,
});

export const countOutcome = (trial: Trial, refused: boolean): Trial => {
  const refusals = trial.refused + (refused ? 1 : 0);
  return {
    ...withoutOne(trial),
    left: refusals >= REFUSALS ? 0 : trial.left,
    answered: trial.answered + (refused ? 0 : 1),
    refused: refusals,
  };
};

/** A request ended, and its server said nothing. */
export const withoutOne = (trial: Trial): Trial => ({ ...trial, underway: trial.underway - 1 });

/** Once all are sent and have ended; undefined before, and where hardly any was answered. */
export function foundBy({ since, left, lastSent, answered, refused, underway }: Trial): TrialFindings | undefined {
  if (left > 0 || underway > 0 || answered < ANSWERS) return undefined;
  const minutes = Math.max(lastSent - since, SHORTEST) / MINUTE;
  return { answered, refused, answeredPerMinute: (answered - 1) / minutes };
}
