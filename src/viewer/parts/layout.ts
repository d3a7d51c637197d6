/** The frame of every page. */

import type { LockHolder } from '../../core/storage.ts';
import { type Content, html, type Markup } from '../../text/html.ts';
import { NOW } from '../model/build-source.ts';
import type { OpenBuild } from '../model/open-build.ts';
import { links } from './links.ts';
import { time } from './parts.ts';

export interface Page {
  readonly status?: number;
  readonly title: string;
  readonly body: Markup;
  /** The build that the page is of; absent for pages about all of them. */
  readonly run?: OpenBuild;
  readonly tab?: 'overview' | 'items' | 'pair' | 'graph' | 'builds';
  /** Wider than text wants to be: columns side by side. */
  readonly wide?: boolean;
  /** Seconds after which a page that shows work in progress is asked for again. */
  readonly refresh?: number;
}

interface Frame {
  readonly experiment: string;
  /** The build whose pages the tabs lead to where the page has none itself. */
  readonly start: string;
  readonly building: LockHolder | undefined;
}

const TABS = [
  ['overview', 'Overview', links.run],
  ['items', 'Items', (run: string) => links.items(run)],
  ['pair', 'Head to head', (run: string) => links.pair(run)],
  ['graph', 'Graph', links.graph],
] as const;

export function layout(page: Page, { experiment, start, building }: Frame): string {
  const { run, tab, title, body, wide, refresh } = page;
  const current = run?.id ?? start;
  const mark = (name: string) => tab === name && html` aria-current="page"`;
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refresh !== undefined && html`<meta http-equiv="refresh" content="${refresh}">`}
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
<main id="content" tabindex="-1">
${building !== undefined && runningNote(building, run)}
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

function runningNote({ pid, since, command }: LockHolder, run: OpenBuild | undefined): Markup {
  const where = run?.id === NOW ? null : html` <a href="${links.graph(NOW)}">See how far it is.</a>`;
  return html`<p class="note running" role="status">A build is running since ${time(since)} (pid ${pid}): <code>${command}</code>.${where}</p>`;
}
