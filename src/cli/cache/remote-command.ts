/** What the commands on a shared cache have in common: they open it, and name what is not believed. */

import { dirname } from 'node:path';
import { EXIT, type ExitCode, type Problem } from '../../core/problem.ts';
import type { RefusedObject } from '../../remote/remote.ts';
import type { OpenedRemote } from '../../team/open-remote.ts';
import { printable } from '../../text/escape.ts';
import { CacheCommand } from './command.ts';

/** Objects that are named; the rest is counted. */
const NAMED = 20;

export abstract class RemoteCommand extends CacheCommand {
  /** Opens the shared cache for the duration of `work`. @throws ProblemError where none is named */
  async withRemote<T>(work: (remote: OpenedRemote) => Promise<T>): Promise<T> {
    const { openNamedRemote } = await import('../../team/open-remote.ts');
    const note = (text: string) => {
      if (this.verbose && !this.json) this.context.stderr.write(`${printable(text)}\n`);
    };
    const { cache } = this;
    const remote = await openNamedRemote({ root: dirname(cache), cache, note });
    try {
      return await work(remote);
    } finally {
      await remote.objects.close();
    }
  }

  /** Names what was not believed, for people on stderr. @returns the exit code that it calls for */
  refusedExit(place: string, refused: readonly RefusedObject[]): ExitCode {
    if (refused.length === 0) return EXIT.built;
    const facts: [string, string][] = refused.slice(0, NAMED).map(({ name, reason }) => [name, reason]);
    if (refused.length > NAMED) facts.push(['…', `and ${refused.length - NAMED} more`]);
    const problem: Problem = {
      id: 'CJE-REMOTE-NOT-BELIEVED',
      headline: `some of what lies in the shared cache is not believed, and was not used: ${place}`,
      facts,
      hint: 'find out who wrote it; a colleague that is to be believed is listed under `trusted` in cje.remote.yaml',
    };
    if (!this.json) this.complain([problem], EXIT.damaged);
    return EXIT.damaged;
  }
}
