/** The APIs that models are asked by, found by a request's path. */

import type { Protocols } from '../core/protocol.ts';
import { CHAT_PROTOCOLS } from './chat-protocols.ts';
import { TEXT_PROTOCOLS } from './text-protocols.ts';

const byPath = new Map([...CHAT_PROTOCOLS, ...TEXT_PROTOCOLS].map((protocol) => [protocol.path, protocol]));

/** @throws Error on a path that no protocol has. */
export const protocolAt: Protocols = (path) => {
  const protocol = byPath.get(path);
  if (protocol === undefined) throw new Error(`Internal error: no protocol has the path ${path}`);
  return protocol;
};
