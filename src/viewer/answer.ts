/** From an address to a page. Names in an address are looked up, never joined to a path. */

import { ProblemError } from '../core/problem.ts';
import { DamageError } from '../core/storage.ts';
import { CLIENT, ICON } from './client.ts';
import { HEADERS } from './guard.ts';
import { type BuildSource, NOW } from './model/build-source.ts';
import { missingPage, problemPage } from './pages/problem.ts';
import { layout, type Page } from './parts/layout.ts';
import { links } from './parts/links.ts';
import { VIEW_STYLE } from './parts/style.ts';
import { BUILD_PAGES, type HttpAnswer, PAGES } from './routes.ts';

const ASSETS: ReadonlyMap<string, readonly [type: string, body: string]> = new Map([
  ['/assets/view.css', ['text/css; charset=utf-8', VIEW_STYLE]],
  ['/assets/view.js', ['text/javascript; charset=utf-8', CLIENT]],
  ['/assets/icon.svg', ['image/svg+xml', ICON]],
]);

export async function answer(address: string, source: BuildSource): Promise<HttpAnswer> {
  const at = address.indexOf('?');
  const path = at === -1 ? address : address.slice(0, at);
  const asset = ASSETS.get(path);
  if (asset !== undefined) return typed(200, asset[0], asset[1]);
  let page: Page | HttpAnswer;
  try {
    await source.refresh();
    page = await route(path, new URLSearchParams(at === -1 ? '' : address.slice(at + 1)), source);
  } catch (error) {
    if (!(error instanceof ProblemError) && !(error instanceof DamageError)) throw error;
    page = problemPage(error);
  }
  if ('headers' in page) return page;
  const frame = {
    experiment: source.experiment,
    start: source.start(),
    building: source.building(),
    progress: source.progress(),
    problem: source.problem(),
  };
  return typed(page.status ?? 200, 'text/html; charset=utf-8', layout(page, frame));
}

async function route(path: string, params: URLSearchParams, source: BuildSource): Promise<Page | HttpAnswer> {
  if (path === '/') {
    const start = source.start();
    // While something is being made, how far it is comes before what is not there yet.
    return redirect(start === NOW && source.building() !== undefined ? links.graph(NOW) : links.run(start));
  }
  const page = PAGES.get(path);
  if (page !== undefined) return page(params, source);
  const segments = path.split('/').slice(1).map(decode);
  const [section, name, kind = '', ...rest] = segments;
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
  const buildPage = BUILD_PAGES.get(kind);
  if (buildPage === undefined) return missingPage('There is no such page.', run);
  return buildPage({ run, rest: rest.join('/'), params, source });
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

const search = (params: URLSearchParams): string => (params.size === 0 ? '' : `?${params}`);

const redirect = (to: string): HttpAnswer => ({ status: 302, headers: { ...HEADERS, Location: to }, body: '' });

const typed = (status: number, type: string, body: string): HttpAnswer => ({
  status,
  headers: { ...HEADERS, 'Content-Type': type },
  body,
});
