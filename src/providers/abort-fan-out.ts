/**
 * Many short-lived listeners of a few long-lived signals. A signal's own list of listeners is slow to leave, and
 * warns of a leak at the eleventh.
 */

export interface FanOut {
  /** Runs the callback when the signal aborts; at once if it has. Returns what ends the subscription. */
  subscribe(signal: AbortSignal, callback: () => void): () => void;
}

export function createFanOut(): FanOut {
  const listeners = new WeakMap<AbortSignal, Set<() => void>>();
  return {
    subscribe(signal, callback) {
      if (signal.aborted) {
        callback();
        return () => {};
      }
      let callbacks = listeners.get(signal);
      if (callbacks === undefined) {
        const fresh = new Set<() => void>();
        signal.addEventListener('abort', () => {
          for (const listener of fresh) listener();
        });
        listeners.set(signal, fresh);
        callbacks = fresh;
      }
      const subscribed = callbacks;
      // The same callback may be subscribed twice.
      const entry = () => callback();
      subscribed.add(entry);
      return () => void subscribed.delete(entry);
    },
  };
}
