/** Numbers as they are typed after an option. */

import { badOption } from '../core/problem.ts';

/** A number option; @throws ProblemError on anything else. */
export function number(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw badOption(`${option} takes a number from 0 on, such as 2 or 0.5, not ${JSON.stringify(text)}`);
}

/** A count; @throws ProblemError on anything else. */
export function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= 0) return value;
  throw badOption(`${option} takes a whole number from 0 on, not ${JSON.stringify(text)}`);
}

/** A count from one on; @throws ProblemError on anything else. */
export function positiveNumber(option: string, text: string | undefined): number | undefined {
  const value = wholeNumber(option, text);
  if (value === undefined || value > 0) return value;
  throw badOption(`${option} takes a number from 1 on, not ${JSON.stringify(text)}`);
}

/** A share that is neither none nor all; @throws ProblemError on anything else. */
export function openShare(option: string, text: string): number {
  const value = number(option, text)!;
  if (value > 0 && value < 1) return value;
  throw badOption(`${option} lies between 0 and 1, and is ${value}`);
}

/** A port of this machine, 0 for any that is free; @throws ProblemError on anything else. */
export function portNumber(text: string): number {
  const port = Number(text);
  if (text.trim() !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw badOption(`--port takes a number from 0 to 65535, not ${JSON.stringify(text)}`);
}
