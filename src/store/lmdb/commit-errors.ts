/**
 * LMDB's library prints the error of a failed commit on the console, beside rejecting the write. The rejection is told by
 * whoever awaits it, in words; the raw error on top of that would only be noise.
 */

let users = 0;
let restore = () => {};

/** Keeps errors of LMDB off the console until the returned function is called; anything else is printed as ever. */
export function muteCommitErrors(): () => void {
  if (users++ === 0) {
    const { error: print } = console;
    const filtered = (...values: unknown[]) => {
      if (!(values.length === 1 && isLmdbError(values[0]))) print.apply(console, values);
    };
    console.error = filtered;
    restore = () => {
      if (console.error === filtered) console.error = print;
    };
  }
  let done = false;
  return () => {
    if (done) return;
    done = true;
    if (--users === 0) restore();
  };
}

/** Node's own errors have codes of letters. */
const isLmdbError = (value: unknown): boolean =>
  value instanceof Error && typeof (value as { code?: unknown }).code === 'number';
