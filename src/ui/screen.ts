/** Chooses how a build is shown: events for machines, live lines in a terminal, plain lines elsewhere. */

import type { Listener } from '../core/events.ts';
import { jsonListener } from './json.ts';
import { createLive } from './live.ts';
import { plainListener } from './plain.ts';
import { type Sink, systemTimer, type Timer } from './sink.ts';

/** The part of a terminal's stream that matters; anything else with `write` is no terminal. */
interface Output extends Sink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

interface ScreenOptions {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
  readonly stdout: Output;
  /** A terminal that cannot move its cursor is told line by line, as a file is. */
  readonly dumb?: boolean;
  /** Columns to assume in place of the terminal's own. */
  readonly columns?: number;
  readonly timer?: Timer;
}

export interface Screen {
  readonly listener: Listener;
  /** A remark of the program itself. */
  note(text: string): void;
  /** Text that is ready to be shown; above live lines where there are any, and nothing with `json`. */
  print(text: string): void;
  /** Leaves the terminal as it was. */
  close(): void;
}

export function createScreen(options: ScreenOptions): Screen {
  const { stdout, color, verbose, timer = systemTimer } = options;
  if (options.json) {
    const listener = jsonListener(stdout);
    return { listener, note: (text) => listener({ type: 'note', text }), print: () => {}, close: () => {} };
  }
  if (stdout.isTTY !== true || options.dumb === true) {
    const listener = plainListener({ sink: stdout, timer, color, verbose });
    return {
      listener,
      note: (text) => listener({ type: 'note', text }),
      print: (text) => void stdout.write(text),
      close: () => {},
    };
  }
  const live = createLive({
    sink: stdout,
    timer,
    // Some terminals say 0, as a serial line does.
    columns: () => options.columns ?? (stdout.columns || 80),
    rows: () => stdout.rows || 24,
    color,
    verbose,
  });
  // A process that ends without being asked must not leave the terminal without a cursor.
  process.once('exit', live.close);
  return {
    listener: live.listener,
    note: (text) => live.listener({ type: 'note', text }),
    print: live.print,
    close() {
      process.off('exit', live.close);
      live.close();
    },
  };
}
