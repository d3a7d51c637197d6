/** Limits calls in flight; shared by the models of one provider. */

export interface Semaphore {
  /** Takes a place if one is free. */
  acquire(): boolean;
  /** Frees a place, and hands it to whoever has waited longest. */
  release(): void;
  /** Calls once when a place is free. */
  whenReleased(wake: () => void): void;
}

export function createSemaphore(count: number): Semaphore {
  let used = 0;
  const waiting = new Set<() => void>();
  return {
    acquire() {
      if (used >= count) return false;
      used++;
      return true;
    },
    release() {
      used--;
      for (const wake of waiting) {
        if (used >= count) return;
        waiting.delete(wake);
        wake();
      }
    },
    whenReleased: (wake) => void waiting.add(wake),
  };
}
