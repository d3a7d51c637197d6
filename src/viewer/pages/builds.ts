/** The builds: choose one, or compare two. */

import type { BuildRecord } from '../../core/storage.ts';
import { duration } from '../../text/duration.ts';
import { html, Markup } from '../../text/html.ts';
import { dollars } from '../../text/money.ts';
import { count } from '../../text/numbers.ts';
import { counted } from '../../text/plural.ts';
import { type BuildSource, NOW } from '../model/build-source.ts';
import type { Page } from '../parts/layout.ts';
import { links } from '../parts/links.ts';
import { table, time } from '../parts/parts.ts';

const MOST = 500;

export function buildsPage(source: BuildSource): Page {
  const all = source.builds();
  const builds = all.slice(0, MOST);
  const checked = new Markup(' checked');
  const choice = (name: string, { id }: BuildRecord, on: boolean) =>
    html`<input type="radio" name="${name}" value="${id}" aria-label="${name}: ${id}"${on && checked}>`;
  const rows = builds.map((record, index) => {
    const { id, tags = [], profile, targets, startedAt, finishedAt, exit, totals } = record;
    const { run, failed } = totals.nodes;
    return [
      html`<a href="${links.run(id)}">${id}</a>${tags.map((tag) => html` <span class="tag">${tag}</span>`)}`,
      time(finishedAt),
      duration(finishedAt - startedAt),
      profile,
      targets.join(' '),
      html`${count(run)} run${failed > 0 && html`, <span class="failed">${count(failed)} failed</span>`}`,
      count(totals.calls.bought),
      dollars(totals.cost.billed),
      exit === 0 ? '0' : html`<span class="failed">${exit}</span>`,
      choice('before', record, index === 1),
      choice('after', record, index === 0),
    ];
  });
  const headings = [
    { name: 'Build' },
    { name: 'Finished' },
    { name: 'Took', numeric: true },
    { name: 'Profile' },
    { name: 'Targets' },
    { name: 'Nodes' },
    { name: 'Bought', numeric: true },
    { name: 'Billed', numeric: true },
    { name: 'Exit', numeric: true },
    { name: 'Before' },
    { name: 'After' },
  ];
  const out = source.batches();
  const calls = out.reduce((sum, batch) => sum + batch.count, 0);
  const reserved = out.reduce((sum, batch) => sum + batch.dollars, 0);
  const body = html`<h1>Builds</h1>
${out.length > 0 && html`<p class="note">${counted(out.length, 'batch', 'batches')} out with ${counted(calls, 'call')}, since ${time(out[0]!.at)}; ${dollars(reserved)} reserved at most.</p>`}
<p>A build that finds nothing to do leaves no record. Beside them: <a href="${links.run(NOW)}">the experiment as its files stand now</a>.</p>
${
  builds.length === 0
    ? html`<p class="note">No build is recorded yet.</p>`
    : html`<form method="get" action="/compare">${table('Builds', headings, rows)}
${all.length > MOST && html`<p class="faint">The newest ${MOST} of ${count(all.length)}.</p>`}
${builds.length > 1 && html`<button>Compare before and after</button>`}</form>`
}`;
  return { title: 'Builds', tab: 'builds', wide: true, body };
}
