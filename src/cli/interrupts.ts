/** Ctrl-C: once stops admitting, twice drops what flies. */

export interface Interrupts {
  readonly interrupt: AbortSignal;
  readonly kill: AbortSignal;
  stop(): void;
}

/** @param onFirst called at the first interrupt, to say what is happening. */
export function watchInterrupts(onFirst: () => void): Interrupts {
  const interrupt = new AbortController();
  const kill = new AbortController();
  const onSignal = () => {
    if (!interrupt.signal.aborted) {
      interrupt.abort();
      onFirst();
    } else {
      kill.abort();
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    interrupt: interrupt.signal,
    kill: kill.signal,
    stop() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
