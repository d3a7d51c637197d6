/** From an address to a page. Names in an address are looked up, never joined to a path. */

import { ProblemError } from '../core/problem.ts';
import { DamageError } from '../core/storage.ts';
import { CLIENT, ICON } from './client.ts';
import { HEADERS, RAW_HEADERS } from './guard.ts';
import { NOW, type Run, type RunSource } from './model/types.ts';
import { buildsPage } from './pages/builds.ts';
import { callsPage } from './pages/calls.ts';
import { comparePage } from './pages/compare.ts';
import { filePage, RAW_LIMIT } from './pages/file.ts';
import { graphPage } from './pages/graph.ts';
import { itemPage } from './pages/item.ts';
import { itemsPage } from './pages/items.ts';
import { nodePage } from './pages/node.ts';
import { overviewPage } from './pages/overview.ts';
import { missingPage, problemPage } from './pages/problem.ts';
import { layout, type Page } from './parts/layout.ts';
import { itemQuery, links, rowQuery } from './parts/links.ts';
import { VIEW_STYLE } from './parts/style.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const ASSETS: ReadonlyMap<string, readonly [type: string, body: string]> = new Map([
  ['/assets/view.css', ['text/css; charset=utf-8', VIEW_STYLE]],
  ['/assets/view.js', ['text/javascript; charset=utf-8', CLIENT]],
  ['/assets/icon.svg', ['image/svg+xml', ICON]],
]);

export async function answer(address: string, source: RunSource): Promise<Answer> {
  const at = address.indexOf('?');
  const path = at === -1 ? address : address.slice(0, at);
  const asset = ASSETS.get(path);
  if (asset !== undefined) return typed(200, asset[0], asset[1]);
  let page: Page | Answer;
  try {
    await source.refresh();
    page = await route(path, new URLSearchParams(at === -1 ? '' : address.slice(at + 1)), source);
  } catch (error) {
    if (!(error instanceof ProblemError) && !(error instanceof DamageError)) throw error;
    page = problemPage(error);
  }
  if ('headers' in page) return page;
  const frame = { experiment: source.experiment, start: source.start(), building: source.building() };
  return typed(page.status ?? 200, 'text/html; charset=utf-8', layout(page, frame));
}

async function route(path: string, params: URLSearchParams, source: RunSource): Promise<Page | Answer> {
  if (path === '/') {
    const start = source.start();
    // While something is being made, how far it is comes before what is not there yet.
    return redirect(start === NOW && source.building() !== undefined ? links.graph(NOW) : links.run(start));
  }
  if (path === '/builds') return buildsPage(source);
  if (path === '/compare') return comparePage(source, params.get('before') ?? '', params.get('after') ?? '');
  const segments = path.split('/').slice(1).map(decode);
  const [section, name, kind, ...rest] = segments;
  if (section !== 'build' || name === undefined || segments.includes(undefined))
    return missingPage('There is no such page.');
  const id = source.resolve(name);
  if (id === undefined) return missingPage(`There is no build ${name}.`);
  // Names such as `last` move on; what one can keep is the id.
  if (id !== name)
    return redirect(
      `${links.run(id)}${path
        .split('/')
        .slice(3)
        .map((part) => `/${part}`)
        .join('')}${search(params)}`,
    );
  const run = await source.open(id);
  if (run === undefined) return missingPage(`There is no build ${name}.`);
  return runPage(run, kind, rest.join('/'), params, source);
}

async function runPage(
  run: Run,
  kind: string | undefined,
  rest: string,
  params: URLSearchParams,
  source: RunSource,
): Promise<Page | Answer> {
  switch (kind) {
    case undefined:
      return overviewPage(run, params.get('report') ?? undefined, source);
    case 'graph':
      return graphPage(run, source);
    case 'items':
      return itemsPage(run, itemQuery(params));
    case 'item':
      return itemPage(run, params.get('id') ?? '', itemQuery(params), params.get('full') === '1');
    case 'node':
      return nodePage(run, rest, rowQuery(params), source);
    case 'calls':
      return callsPage(run, rest, params.get('item') ?? '', params.get('full') === '1');
    case 'file': {
      const file = params.get('name') ?? '';
      if (params.get('raw') !== '1') return filePage(run, rest, file);
      const found = run.file(rest, file, RAW_LIMIT);
      if (found === undefined) return missingPage('There is no such file.', run);
      return {
        status: 200,
        headers: { ...RAW_HEADERS, 'Content-Type': 'text/plain; charset=utf-8' },
        body: found.text,
      };
    }
    default:
      return missingPage('There is no such page.', run);
  }
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

const search = (params: URLSearchParams): string => (params.size === 0 ? '' : `?${params}`);

const redirect = (to: string): Answer => ({ status: 302, headers: { ...HEADERS, Location: to }, body: '' });

const typed = (status: number, type: string, body: string): Answer => ({
  status,
  headers: { ...HEADERS, 'Content-Type': type },
  body,
});
