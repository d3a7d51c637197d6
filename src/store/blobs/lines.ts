/** Splits UTF-8 text that comes in pieces into lines. It splits bytes, so a character across two pieces stays whole. */

const NEWLINE = 10;

/**
 * The lines, without their newlines. Text after the last newline is a line too; an empty rest is not.
 *
 * @param chunks each needs to stay valid only until the next is taken.
 */
export function* readLines(chunks: Iterable<Buffer>): Generator<string> {
  // The pieces of the current line before this chunk.
  let started: Buffer[] = [];
  for (const chunk of chunks) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end === -1) break;
      if (started.length === 0) {
        yield chunk.toString('utf8', start, end);
      } else {
        started.push(chunk.subarray(start, end));
        const line = Buffer.concat(started);
        started = [];
        yield line.toString('utf8');
      }
      start = end + 1;
    }
    if (start < chunk.length) started.push(Buffer.from(chunk.subarray(start)));
  }
  if (started.length > 0) yield Buffer.concat(started).toString('utf8');
}
