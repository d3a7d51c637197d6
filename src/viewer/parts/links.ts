/** Addresses of pages. Every one is stable: it names a build by its id and what is in it by name. */

import type { HeadQuery } from '../model/head-to-head.ts';
import { ITEM_FILTERS, type ItemQuery } from '../model/items.ts';
import type { RowQuery } from '../model/row-page.ts';

const ROWS_SHOWN = 50;

/** A value in an address; a text that is not well-formed is no name of anything, and must not throw. */
const encode = (text: string): string => encodeURIComponent(text.replace(LONE, '\ufffd'));
const LONE = /\p{Surrogate}/gu;

type Fields = Readonly<Record<string, string | number | undefined>>;

function query(fields: Fields): string {
  const parts = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`${name}=${encode(String(value))}`],
  );
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

const nodePath = (node: string): string => node.split('/').map(encode).join('/');

export const links = {
  builds: () => '/builds',
  compare: (before: string, after: string) => `/compare${query({ before, after })}`,
  run: (run: string) => `/build/${encode(run)}`,
  graph: (run: string) => `/build/${encode(run)}/graph`,
  node: (run: string, node: string, rows?: Partial<RowQuery>) =>
    `/build/${encode(run)}/node/${nodePath(node)}${query(rows === undefined ? {} : rowFields(rows))}`,
  file: (run: string, node: string, file: string) =>
    `/build/${encode(run)}/file/${nodePath(node)}${query({ name: file })}`,
  raw: (run: string, node: string, file: string) =>
    `/build/${encode(run)}/file/${nodePath(node)}${query({ name: file, raw: '1' })}`,
  calls: (run: string, node: string, item: string) => `/build/${encode(run)}/calls/${nodePath(node)}${query({ item })}`,
  items: (run: string, items: Partial<ItemQuery> = {}) => `/build/${encode(run)}/items${query(itemFields(items))}`,
  pair: (run: string, pair: Partial<HeadQuery> = {}) => `/build/${encode(run)}/pair${query({ ...pair })}`,
  item: (run: string, id: string, items: Partial<ItemQuery> = {}, more: Fields = {}) =>
    `/build/${encode(run)}/item${query({ id, ...itemFields({ ...items, offset: 0 }), ...more })}`,
};

/** The fields of a query that differ from their defaults, as they stand in an address. */
export function rowFields({ text, status, sort, descending, offset }: Partial<RowQuery>): Fields {
  return {
    q: text,
    status,
    sort,
    desc: descending === true ? '1' : undefined,
    from: offset === 0 ? undefined : offset,
  };
}

function itemFields({ text, only, scorer, order, a, b, offset }: Partial<ItemQuery>): Fields {
  return {
    q: text,
    only: only === 'all' ? undefined : only,
    scorer,
    order,
    a,
    b,
    from: offset === 0 ? undefined : offset,
  };
}

/** Longer texts are not looked for. */
const LONGEST_TEXT = 200;

const offsetOf = (params: URLSearchParams): number => {
  const from = Number(params.get('from') ?? 0);
  return Number.isSafeInteger(from) && from > 0 ? from : 0;
};
const textOf = (params: URLSearchParams): string => (params.get('q') ?? '').trim().slice(0, LONGEST_TEXT);

export function rowQuery(params: URLSearchParams): RowQuery {
  return {
    text: textOf(params),
    status: params.get('status') || undefined,
    sort: params.get('sort') || undefined,
    descending: params.get('desc') === '1',
    offset: offsetOf(params),
    limit: ROWS_SHOWN,
  };
}

export function pairQuery(params: URLSearchParams): HeadQuery {
  const field = (name: string) => params.get(name) || undefined;
  return { a: field('a'), b: field('b'), scorer: field('scorer') };
}

export function itemQuery(params: URLSearchParams): ItemQuery {
  const only = params.get('only') ?? '';
  return {
    text: textOf(params),
    only: ITEM_FILTERS.find((filter) => filter === only) ?? 'all',
    a: params.get('a') || undefined,
    b: params.get('b') || undefined,
    scorer: params.get('scorer') || undefined,
    order: params.get('order') || undefined,
    offset: offsetOf(params),
    limit: ROWS_SHOWN,
  };
}
