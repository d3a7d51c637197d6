/**
 * Ctrl-C once: nothing new is sent; twice: calls in flight are dropped. A signal to end, or the loss of the terminal,
 * counts as one.
 */

import { EXIT } from '../core/problem.ts';

interface Interrupts {
  readonly interrupt: AbortSignal;
  readonly kill: AbortSignal;
  stop(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Milliseconds that a build which was interrupted twice has to end by itself. */
const GRACE = 1_000;

/**
 * @param onFirst called at the first interrupt, to say what is happening.
 * @param onForced called before the process is ended because a second or third interrupt was not enough. The store loses
 *   nothing by it: what was reported is on the disk.
 */
export function watchInterrupts(onFirst: () => void, onForced: () => void = () => {}): Interrupts {
  const interrupt = new AbortController();
  const kill = new AbortController();
  const force = () => {
    onForced();
    process.exit(EXIT.interrupted);
  };
  let patience: NodeJS.Timeout | undefined;
  const onSignal = () => {
    if (!interrupt.signal.aborted) {
      interrupt.abort();
      onFirst();
    } else if (!kill.signal.aborted) {
      kill.abort();
      patience = setTimeout(force, GRACE);
      patience.unref();
    } else {
      force();
    }
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    interrupt: interrupt.signal,
    kill: kill.signal,
    stop() {
      clearTimeout(patience);
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}

/** Resolves when the command is told to end. */
export const untilInterrupted = (): Promise<void> =>
  new Promise((resolve) => {
    const interrupts = watchInterrupts(() => {
      interrupts.stop();
      resolve();
    });
  });
