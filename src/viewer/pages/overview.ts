/** A build at a glance: what it was, what it cost, and its report. */

import { factsLine } from '../../report/model/sections/index.ts';
import { duration } from '../../text/duration.ts';
import { html, type Markup } from '../../text/html.ts';
import { dollars } from '../../text/money.ts';
import { count } from '../../text/numbers.ts';
import type { BuildSource } from '../model/build-source.ts';
import type { OpenBuild } from '../model/open-build.ts';
import { liveness, type Page } from '../parts/layout.ts';
import { links } from '../parts/links.ts';
import { facts, time } from '../parts/parts.ts';

interface Drawn {
  readonly digest: string | undefined;
  readonly nav: Markup;
  readonly sections: Markup;
}

/** The report that was drawn last: drawing takes most of a second, and the same one is looked at again and again. */
let drawn: Drawn | undefined;

export async function overviewPage(run: OpenBuild, wanted: string | undefined, source: BuildSource): Promise<Page> {
  const reports = run.reports();
  const report = reports.find(({ node }) => node === wanted) ?? reports[0];
  const head = html`<h1>${report?.data.experiment ?? source.experiment}</h1>
${runFacts(run, source)}`;
  if (report === undefined) {
    const body = html`${head}
<p class="note">No report is there${run.record === undefined && html` that is up to date`}. The <a href="${links.graph(run.id)}">graph</a> shows every node that is, and the <a href="${links.items(run.id)}">items</a> what was asked and answered.</p>`;
    return { title: 'Overview', tab: 'overview', run, body, ...liveness(run, source) };
  }
  const digest = run.node(report.node)?.outputs['data.json']?.digest;
  if (drawn === undefined || digest === undefined || drawn.digest !== digest) {
    const { reportSections } = await import('../../report/render/html/sections.ts');
    const sections = reportSections(report.data);
    drawn = {
      digest,
      nav: html`<p class="faint">${factsLine(report.data)}</p>
<nav class="sections" aria-label="Sections"><ul>${sections.map(({ id, name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>`,
      sections: html`${sections.map(({ content }) => content)}`,
    };
  }
  const others =
    reports.length > 1 &&
    html`<p>Reports: ${reports.map(({ node }) =>
      node === report.node
        ? html`<b>${node}</b> `
        : html`<a href="${links.run(run.id)}?report=${encodeURIComponent(node)}">${node}</a> `,
    )}</p>`;
  return {
    title: 'Overview',
    tab: 'overview',
    run,
    body: html`${head}${others}${drawn.nav}${drawn.sections}`,
    ...liveness(run, source),
  };
}

function runFacts(run: OpenBuild, source: BuildSource): Markup {
  const { record, nodes } = run;
  if (record === undefined) {
    const done = nodes.filter(({ action }) => action !== undefined).length;
    return facts([['nodes up to date', `${count(done)} of ${count(nodes.length)}`]]);
  }
  const { totals, startedAt, finishedAt, profile, targets, exit } = record;
  const builds = source.builds();
  const before = builds[builds.findIndex(({ id }) => id === record.id) + 1];
  const what = facts([
    ['built', time(finishedAt)],
    ['in', duration(finishedAt - startedAt)],
    ['profile', profile],
    ['targets', targets.join(' ')],
    exit !== 0 && ['exit', html`<span class="failed">${exit}</span>`],
    ['replies bought', count(totals.calls.bought)],
    ['billed', dollars(totals.cost.billed)],
    ['to reproduce', dollars(totals.cost.reproduce)],
  ]);
  const moved =
    before !== undefined &&
    html`<p class="small"><a href="${links.compare(before.id, record.id)}">What moved since the build before</a></p>`;
  return html`${what}${moved}`;
}
