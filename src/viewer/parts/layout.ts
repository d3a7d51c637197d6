/** The frame of every page. */

import type { BuildProgress } from '../../core/build-progress.ts';
import type { ProblemError } from '../../core/problem.ts';
import type { LockHolder } from '../../core/storage.ts';
import { duration } from '../../text/duration.ts';
import { type Content, html, type Markup } from '../../text/html.ts';
import { dollars } from '../../text/money.ts';
import { count, progressPercent } from '../../text/numbers.ts';
import { counted } from '../../text/plural.ts';
import { type BuildSource, NOW } from '../model/build-source.ts';
import type { OpenBuild } from '../model/open-build.ts';
import { links } from './links.ts';
import { facts, time } from './parts.ts';

export interface Page {
  readonly status?: number;
  readonly title: string;
  readonly body: Markup;
  /** The build that the page is of; absent for pages about all of them. */
  readonly run?: OpenBuild;
  readonly tab?: 'overview' | 'items' | 'pair' | 'graph' | 'builds';
  /** Wider than text wants to be: columns side by side. */
  readonly wide?: boolean;
  /** Seconds after which a page that shows work in progress is asked for again: without a script all of it, else what has changed. */
  readonly refresh?: number;
}

/** Seconds between two looks at a build that runs. */
const REFRESH = 2;

/** A page of what stands now follows the build that changes it. */
export const liveness = (run: OpenBuild, source: BuildSource): Pick<Page, 'refresh'> =>
  run.id === NOW && source.building() !== undefined ? { refresh: REFRESH } : {};

interface Frame {
  readonly experiment: string;
  /** The build whose pages the tabs lead to where the page has none itself. */
  readonly start: string;
  readonly building: LockHolder | undefined;
  readonly progress: BuildProgress | undefined;
  readonly problem: ProblemError | undefined;
}

const TABS = [
  ['overview', 'Overview', links.run],
  ['items', 'Items', (run: string) => links.items(run)],
  ['pair', 'Head to head', (run: string) => links.pair(run)],
  ['graph', 'Graph', links.graph],
] as const;

export function layout(page: Page, frame: Frame): string {
  const { experiment, start, building, progress, problem } = frame;
  const { run, tab, title, body, wide, refresh } = page;
  const current = run?.id ?? start;
  const mark = (name: string) => tab === name && html` aria-current="page"`;
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refresh !== undefined && html`<noscript><meta http-equiv="refresh" content="${refresh}"></noscript>`}
<title>${title} · ${experiment}</title>
<link rel="stylesheet" href="/assets/view.css">
<link rel="icon" href="/assets/icon.svg">
<script src="/assets/view.js" defer></script>
</head>
<body${wide === true && html` class="wide-page"`}>
<a class="skip" href="#content">Skip to the content</a>
<header class="top">
<p class="where"><a class="brand" href="/">cje</a> <span class="faint">${experiment}</span> ${runName(run)}</p>
<nav class="tabs" aria-label="Pages"><ul>${TABS.map(
    ([name, label, to]) => html`<li><a href="${to(current)}"${mark(name)}>${label}</a></li>`,
  )}<li><a href="${links.builds()}"${mark('builds')}>Builds</a></li></ul></nav>
</header>
<main id="content" tabindex="-1"${refresh !== undefined && html` data-refresh="${refresh}"`}>
${problem !== undefined && page.status === undefined && problemNote(problem)}
${building !== undefined && runningNote(building, progress, run)}
${body}
</main>
</body>
</html>
`;
  return document.html;
}

function runName(run: OpenBuild | undefined): Content {
  if (run === undefined) return null;
  if (run.record === undefined) return html`<span class="run">as it stands now</span>`;
  const { id, tags = [] } = run.record;
  return html`<span class="run">build <span class="id">${id}</span>${tags.map((tag) => html` <span class="tag">${tag}</span>`)}</span>`;
}

function runningNote(
  { pid, since, command }: LockHolder,
  progress: BuildProgress | undefined,
  run: OpenBuild | undefined,
): Markup {
  const where = run?.id === NOW ? null : html` <a href="${links.graph(NOW)}">See how far it is.</a>`;
  return html`<div class="note running"><p>A build is running since ${time(since)} (pid ${pid}): <code>${command}</code>.${where}</p>${progress !== undefined && progressLine(progress)}</div>`;
}

/** How far, how much, and how long yet. */
function progressLine({ share, remaining, nodes, finished, bought, cost, expected }: BuildProgress): Markup {
  const spent =
    expected === null || expected < cost ? dollars(cost) : html`${dollars(cost)} of about ${dollars(expected)}`;
  return html`<div class="progress">${
    share !== null &&
    html`<progress value="${share}" max="1" aria-label="How far the build is">${progressPercent(share)}</progress> <b>${progressPercent(share)}</b> `
  }${facts([
    ['nodes', `${count(finished)} of ${count(nodes)}`],
    ['bought', count(bought)],
    ['spent', spent],
    remaining !== null && ['left', `about ${duration(remaining)}`],
  ])}</div>`;
}

function problemNote({ problems }: ProblemError): Markup {
  const [first] = problems;
  const { file, line } = first?.place ?? {};
  const where = file !== undefined && html` at <code>${file}${line !== undefined && `:${line}`}</code>`;
  const more = problems.length > 1 && html`, and ${counted(problems.length - 1, 'more mistake')}`;
  return html`<p class="note mistaken">The pipeline cannot be read: ${first?.headline ?? ''}${where}${more}. Shown is what was built before. <a href="${links.graph(NOW)}">All that is wrong</a></p>`;
}
