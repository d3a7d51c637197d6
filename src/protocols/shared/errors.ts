/** Errors in the forms that servers are known to use, whichever API they speak: proxies and gateways mix them. */

import { isJsonObject } from '../../core/json.ts';
import type { ServerError } from '../../core/protocol.ts';
import { MESSAGE_LENGTH } from './verdict.ts';

/**
 * Reads `{"error": {message, type, code}}`, the flat form of the same, `{"error": "…"}`, `{"detail": …}`, a page of
 * HTML, and plain text.
 */
export function readError(body: unknown): ServerError {
  const outer = isJsonObject(body) ? body : {};
  const inner = isJsonObject(outer.error) ? outer.error : outer;
  const text =
    [inner.message, outer.error, outer.message, outer.detail, body].find(
      (candidate) => typeof candidate === 'string' && candidate.trim() !== '',
    ) ?? (outer.detail === undefined ? '' : JSON.stringify(outer.detail));
  const message = headline(String(text));
  const codes = [inner.code, inner.type].filter((name) => typeof name === 'string').map((name) => name.toLowerCase());
  return {
    message: message === '' ? '(no message)' : message,
    codes,
  };
}

/** One line of a message, not too long; of a page its title. */
export function headline(text: string): string {
  const title = /<title[^>]*>([^<]*)<\/title>/i.exec(text)?.[1];
  const plain = (title ?? text).replace(/\s+/g, ' ').trim();
  return plain.length <= MESSAGE_LENGTH ? plain : `${plain.slice(0, MESSAGE_LENGTH)}…`;
}
