/**
 * Holds back from a model that answers nothing: once half of what is under way has failed in a row, one call at a time
 * goes on. Where that one is answered, all do again; where its tries are spent too, the model is given up.
 */

export interface Breaker {
  /** Whether one call at a time is let through. */
  readonly isOpen: boolean;
  /** Tries that failed since the last answer. */
  readonly failures: number;
  /**
   * Waits to be the one that is let through; undefined when the signal aborts first. What is resolved with must be called
   * when the call has ended, whatever came of it.
   */
  take(signal: AbortSignal): Promise<(() => void) | undefined>;
  /** A server answered. */
  succeed(): void;
  /** @param underway calls that the server may have in hand, this one included. */
  fail(underway: number): void;
}

/** Fewer failures in a row say nothing of a model. */
const LEAST_FAILURES = 4;

export function createBreaker(): Breaker {
  let failures = 0;
  let isOpen = false;
  let isTaken = false;
  const waiting: (() => void)[] = [];
  const wakeNext = () => waiting.shift()?.();

  return {
    get isOpen() {
      return isOpen;
    },
    get failures() {
      return failures;
    },
    async take(signal) {
      while (isOpen && isTaken && !signal.aborted) {
        await new Promise<void>((wake) => {
          waiting.push(wake);
          signal.addEventListener('abort', () => wake(), { once: true });
        });
      }
      if (signal.aborted) {
        // Whoever was woken in vain passes the turn on.
        wakeNext();
        return undefined;
      }
      if (!isOpen) return () => {};
      isTaken = true;
      return () => {
        isTaken = false;
        wakeNext();
      };
    },
    succeed() {
      failures = 0;
      if (!isOpen) return;
      isOpen = false;
      for (const wake of waiting.splice(0)) wake();
    },
    fail(underway) {
      failures++;
      if (failures >= Math.max(underway / 2, LEAST_FAILURES)) isOpen = true;
    },
  };
}

/** One call's way through a breaker, over all of its tries. */
export interface Turn {
  readonly breaker: Breaker;
  /** Whether it may be sent now. */
  readonly isOurs: boolean;
  /** Whether it is the one that is let through. */
  readonly isProbe: boolean;
  /** Waits until it may be sent; false when the signal aborts first. */
  comes(signal: AbortSignal): Promise<boolean>;
  /** The call has ended. */
  end(): void;
}

export function turnOf(breaker: Breaker): Turn {
  let release: (() => void) | undefined;
  return {
    breaker,
    get isOurs() {
      return !breaker.isOpen || release !== undefined;
    },
    get isProbe() {
      return breaker.isOpen && release !== undefined;
    },
    async comes(signal) {
      if (this.isOurs) return true;
      const taken = await breaker.take(signal);
      if (breaker.isOpen) release = taken;
      return taken !== undefined;
    },
    end() {
      release?.();
      release = undefined;
    },
  };
}
