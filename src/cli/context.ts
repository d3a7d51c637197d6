/** What every command is given: where it prints, and where the bundle lies. */

import type { BaseContext, Definition } from 'clipanion';

export interface CliContext extends BaseContext {
  readonly bundle: URL;
  /** The arguments as they were typed. */
  readonly args: readonly string[];
  /** All commands as they are told of. */
  readonly definitions: () => readonly Definition[];
}
