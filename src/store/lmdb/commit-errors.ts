/**
 * LMDB's library prints the error of a failed commit on the console and also rejects the write. Whoever awaits the write
 * reports it in words, so the raw error is kept off the console.
 */

import { isLmdbError } from './errors.ts';

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
