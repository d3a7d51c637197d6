/** A mistake that a person can mend: headline, aligned facts, the place, a hint. */

import type { ProblemId } from './catalogue.ts';

/** Exit codes of the command. */
export const EXIT = {
  built: 0,
  failed: 1,
  badInput: 2,
  stopped: 3,
  locked: 4,
  damaged: 5,
  waiting: 6,
  gateFailed: 7,
  gateUndecided: 8,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Where in a file a mistake stands. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** The text of that line, for the caret. */
  readonly excerpt?: string;
  /** How many characters the caret underlines; 1 unless told. */
  readonly width?: number;
}

export interface Problem {
  /** The kind of mistake, for programs and for looking it up in `docs/errors.md`. */
  readonly id: ProblemId;
  /** One sentence without a full stop: what is wrong. */
  readonly headline: string;
  readonly facts?: readonly (readonly [name: string, value: string])[];
  readonly place?: Place;
  /** One sentence: what to do. */
  readonly hint?: string;
}

/** Carries one or more problems to the command line, with the exit code they call for. */
export class ProblemError extends Error {
  readonly problems: readonly Problem[];
  readonly exit: ExitCode;

  constructor(problems: Problem | readonly Problem[], exit: ExitCode = EXIT.badInput) {
    const list = Array.isArray(problems) ? (problems as readonly Problem[]) : [problems as Problem];
    super(list.map((problem) => problem.headline).join('; '));
    this.name = 'ProblemError';
    this.problems = list;
    this.exit = exit;
  }
}

/** The name in `known` that a misspelt `name` most likely meant, or nothing when none is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Edits (insert, delete, replace, swap neighbours) between two words. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let distance = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + cost);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        distance = Math.min(distance, beforePrevious[column - 2]! + 1);
      }
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}

/** An option whose value is none of those that it takes. */
export const badOption = (headline: string, hint?: string): ProblemError =>
  new ProblemError({ id: 'CJE-BAD-OPTION', headline, ...(hint === undefined ? {} : { hint }) });

/** Arguments that do not go together, or that are lacking. */
export const usageError = (headline: string, hint: string): ProblemError =>
  new ProblemError({ id: 'CJE-USAGE', headline, hint });
