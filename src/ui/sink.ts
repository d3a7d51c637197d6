/** Where text goes, and where time comes from. */

export interface Sink {
  write(text: string): unknown;
}

export interface Timer {
  /** Milliseconds, from any fixed moment. */
  now(): number;
  /** Calls back once after `ms` milliseconds, without keeping the process alive; returns what calls it off. */
  after(ms: number, callback: () => void): () => void;
}

export const systemTimer: Timer = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
