/** Every page by its address. To add one: its file under `pages/`, its line here, and a link to it in `parts/links.ts`. */

import { RAW_HEADERS } from './guard.ts';
import type { BuildSource } from './model/build-source.ts';
import type { OpenBuild } from './model/open-build.ts';
import { buildsPage } from './pages/builds.ts';
import { callsPage } from './pages/calls.ts';
import { comparePage } from './pages/compare.ts';
import { filePage, RAW_LIMIT } from './pages/file.ts';
import { graphPage } from './pages/graph.ts';
import { itemPage } from './pages/item.ts';
import { itemsPage } from './pages/items.ts';
import { nodePage } from './pages/node.ts';
import { overviewPage } from './pages/overview.ts';
import { pairPage } from './pages/pair.ts';
import { missingPage } from './pages/problem.ts';
import type { Page } from './parts/layout.ts';
import { itemQuery, pairQuery, rowQuery } from './parts/links.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the address of a page about one build asks for. */
interface BuildRequest {
  readonly run: OpenBuild;
  /** Behind the section, such as the name of a node. */
  readonly rest: string;
  readonly params: URLSearchParams;
  readonly source: BuildSource;
}

type Shown<T> = T | Promise<T>;

/** Pages about all builds, by their whole path. */
export const PAGES: ReadonlyMap<string, (params: URLSearchParams, source: BuildSource) => Shown<Page>> = new Map([
  ['/builds', (_: URLSearchParams, source: BuildSource): Shown<Page> => buildsPage(source)],
  ['/compare', (params, source) => comparePage(source, params.get('before') ?? '', params.get('after') ?? '')],
]);

/** Pages about one build, by the section that follows it: `/build/ID/SECTION/…`. */
export const BUILD_PAGES: ReadonlyMap<string, (request: BuildRequest) => Shown<Page | HttpAnswer>> = new Map<
  string,
  (request: BuildRequest) => Shown<Page | HttpAnswer>
>([
  ['', ({ run, params, source }) => overviewPage(run, params.get('report') ?? undefined, source)],
  ['graph', ({ run, source }) => graphPage(run, source)],
  ['items', ({ run, params, source }) => itemsPage(run, itemQuery(params), source)],
  ['pair', ({ run, params, source }) => pairPage(run, pairQuery(params), source)],
  ['item', ({ run, params }) => itemPage(run, params.get('id') ?? '', itemQuery(params), isFull(params))],
  ['node', ({ run, rest, params, source }) => nodePage(run, rest, rowQuery(params), source)],
  ['calls', ({ run, rest, params }) => callsPage(run, rest, params.get('item') ?? '', isFull(params))],
  ['file', fileOrBytes],
]);

const isFull = (params: URLSearchParams): boolean => params.get('full') === '1';

function fileOrBytes({ run, rest: node, params }: BuildRequest): Page | HttpAnswer {
  const file = params.get('name') ?? '';
  if (params.get('raw') !== '1') return filePage(run, node, file);
  const found = run.file(node, file, RAW_LIMIT);
  if (found === undefined) return missingPage('There is no such file.', run);
  return {
    status: 200,
    headers: { ...RAW_HEADERS, 'Content-Type': 'text/plain; charset=utf-8' },
    body: found.text,
  };
}
