/**
 * Skips the interim responses (status 100 to 199) that a server may send before its answer. They are legal, and undici
 * takes `100 Continue` for an error.
 */

import type { Socket } from 'node:net';

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const INTERIM = /^HTTP\/1\.[01] 1\d\d/;
const HEAD_START = 12;
/** Where the status begins, and its first digit where it is an interim one. */
const STATUS_AT = 9;
const INFORMATIONAL = 0x31;

/** Changes what is read from a connection that carries one request at a time. */
export function skipInterim<S extends Pick<Socket, 'read' | 'write'>>(socket: S): S {
  const read = socket.read.bind(socket);
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  // Between the request and the first byte of its answer; a body may hold whatever it likes.
  let awaitsHead = false;
  let kept: Buffer | undefined;
  const filtered = (size?: number): Buffer | null => {
    for (;;) {
      const chunk = read(size) as Buffer | null;
      if (chunk === null || !awaitsHead) return chunk;
      if (kept === undefined && chunk.length >= HEAD_START && chunk[STATUS_AT] !== INFORMATIONAL) {
        awaitsHead = false;
        return chunk;
      }
      let bytes = kept === undefined ? chunk : Buffer.concat([kept, chunk]);
      kept = undefined;
      while (INTERIM.test(bytes.toString('latin1', 0, HEAD_START))) {
        const end = bytes.indexOf(END_OF_HEAD);
        if (end < 0) break;
        bytes = bytes.subarray(end + END_OF_HEAD.length);
      }
      if (bytes.length === 0) continue;
      const start = bytes.toString('latin1', 0, HEAD_START);
      const undecided = bytes.length < HEAD_START ? 'HTTP/1.1 100'.startsWith(start) : INTERIM.test(start);
      if (undecided) {
        kept = bytes;
        continue;
      }
      awaitsHead = false;
      return bytes;
    }
  };
  socket.read = filtered as S['read'];
  socket.write = ((...args: unknown[]) => {
    awaitsHead = true;
    return write(...args);
  }) as S['write'];
  return socket;
}
