/** A request to a batch API, and what goes back: JSON, lines, or nothing at all. */

import type { JsonObject } from '../../core/json.ts';
import type { Reply } from '../world/index.ts';

export interface BatchRequest {
  readonly method: string;
  /** Below the base URL. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly text: string;
  /** Where the server answers, without a path. */
  readonly origin: string;
}

export type BatchReply =
  | ({ readonly type: 'json'; readonly headers?: Readonly<Record<string, string>> } & Reply)
  | { readonly type: 'lines'; readonly lines: readonly string[] }
  /** The connection ends without an answer. */
  | { readonly type: 'silence' };

export const json = (status: number, body: JsonObject, headers: Readonly<Record<string, string>> = {}): BatchReply => ({
  type: 'json',
  status,
  body,
  headers,
});

/** The content of the part `file` of a form; undefined where there is none. */
export function fileIn(form: string): string | undefined {
  const boundary = form.slice(0, form.indexOf('\r\n'));
  const part = form.split(boundary).find((each) => /name="file"/.test(each.slice(0, each.indexOf('\r\n\r\n'))));
  if (boundary === '' || part === undefined) return undefined;
  return part.slice(part.indexOf('\r\n\r\n') + 4).replace(/\r\n$/, '');
}

/** A page of a list, newest first. */
export function pageOf<T extends { readonly id: string }>(
  all: readonly T[],
  limit: number,
  after: string | null,
): { readonly page: readonly T[]; readonly more: boolean } {
  const from = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
  return { page: all.slice(from, from + limit), more: from + limit < all.length };
}

export const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
export const unix = (milliseconds: number): number => Math.floor(milliseconds / 1000);
