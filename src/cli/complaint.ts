/** What `--json` prints of a command that could not begin: nothing is known of its pipeline, but the stream keeps its shape. */

import { EVENTS_VERSION, NOTHING_DONE } from '../core/events.ts';
import type { ExitCode, Problem } from '../core/problem.ts';

export function complaintEvents(problems: readonly Problem[], exit: ExitCode): readonly object[] {
  return [
    { type: 'started', version: EVENTS_VERSION, experiment: '', profile: '', targets: [], nodes: 0 },
    ...problems.map((problem) => ({ type: 'problem', problem })),
    finishedNothing(exit),
  ];
}

/** The last event of a stream that knows of nothing done. */
export const finishedNothing = (exit: ExitCode) => ({
  type: 'finished',
  exit,
  ...NOTHING_DONE,
  build: null,
  milliseconds: 0,
});
