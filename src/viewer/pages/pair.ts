/** Two policies head to head: every prompt a point, and the difference paired by prompt. */

import { orderedPairs } from '../../report/model/comparisons.ts';
import type { ReportData } from '../../report/model/data.ts';
import { headlineRanking } from '../../report/model/ranking.ts';
import { html, type Markup } from '../../text/html.ts';
import { count } from '../../text/numbers.ts';
import { counted } from '../../text/plural.ts';
import type { BuildSource } from '../model/build-source.ts';
import type { HeadQuery, HeadToHead } from '../model/head-to-head.ts';
import type { ItemFilter } from '../model/items.ts';
import type { OpenBuild } from '../model/open-build.ts';
import { liveness, type Page } from '../parts/layout.ts';
import { links } from '../parts/links.ts';
import { decimalText, facts, options } from '../parts/parts.ts';
import { scatter } from '../parts/scatter.ts';

export function pairPage(run: OpenBuild, query: HeadQuery, source: BuildSource): Page {
  const match = run.headToHead(query);
  if (match === undefined) {
    const body = html`<h1>Head to head</h1><p class="note">No judge has scored two policies yet. The <a href="${links.graph(run.id)}">graph</a> shows what is there.</p>`;
    return { title: 'Head to head', tab: 'pair', run, body, ...liveness(run, source) };
  }
  const { a, b, scorer } = match;
  const body = html`<h1>${a} <span class="sign">against</span> ${b}</h1>
${choice(match)}
<div class="head-to-head">
<figure>${scatter(match, (id) => links.item(run.id, id, { a, b, scorer, order: 'apart' }))}
<figcaption>Every point is a prompt: ${a}’s score by <b>${scorer}</b> over ${b}’s. Above the diagonal ${a} is better. The line beside it is the mean difference, with its 95 % interval.</figcaption></figure>
<div>${summary(run, match)}${reported(run, match)}</div>
</div>`;
  return { title: `${a} against ${b}`, tab: 'pair', run, body, ...liveness(run, source) };
}

function choice({ a, b, policies, scorer, scorers }: HeadToHead): Markup {
  const named = (names: readonly string[]) => names.map((name) => ({ value: name, label: name }));
  return html`<form class="filter" method="get" data-auto>
<label>Policy <select name="a">${options(named(policies), a)}</select></label>
<label>against <select name="b">${options(named(policies.filter((policy) => policy !== a)), b)}</select></label>
${scorers.length > 1 && html`<label>Judge <select name="scorer">${options(named(scorers), scorer)}</select></label>`}
<button>Show</button>
</form>`;
}

function summary(run: OpenBuild, match: HeadToHead): Markup {
  const { a, b, scorer, missing, aBetter, bBetter, tied, agreement } = match;
  const { n, shift, lower, upper, meanBefore, meanAfter, correlation } = agreement;
  if (n === 0) return html`<p class="note">There is no prompt on which both have a score.</p>`;
  const to = (only: ItemFilter, order: string, text: string) =>
    html`<a href="${links.items(run.id, { a, b, scorer, only, order })}">${text}</a>`;
  const certain = lower !== null && upper !== null && (lower > 0 || upper < 0);
  const [better, worse] = shift >= 0 ? [a, b] : [b, a];
  const interval =
    lower === null || upper === null
      ? ''
      : shift >= 0
        ? `[${decimalText(lower)}, ${decimalText(upper)}]`
        : `[${decimalText(-upper)}, ${decimalText(-lower)}]`;
  return html`<h2>By the judge’s scores</h2>
<p class="lead">${certain ? html`${better} scores higher than ${worse}` : `The scores do not tell them apart`}</p>
<p>The mean difference, ${better} − ${worse}, is <b>${decimalText(Math.abs(shift))}</b> ${interval}, paired over ${counted(n, 'prompt')}.</p>
${facts([
  [a, html`mean ${decimalText(meanAfter)}`],
  [b, html`mean ${decimalText(meanBefore)}`],
  ['correlation', decimalText(correlation)],
])}
<ul class="plain">
<li>${to('a-better', 'ahead', `${count(aBetter)} on which ${a} is better`)}</li>
<li>${to('b-better', 'behind', `${count(bBetter)} on which ${b} is better`)}</li>
<li>${to('tied', '', `${count(tied)} on which they are tied`)}</li>
${missing > 0 && html`<li class="faint">${counted(missing, 'prompt')} without a score of both</li>`}
</ul>`;
}

/** What the report says of the two: a judge's scores are not the truth, and the report corrects them by labels. */
function reported(run: OpenBuild, { a, b }: HeadToHead): Markup | null {
  for (const { data } of run.reports()) {
    const found = comparisonOf(data, a, b);
    if (found !== undefined) return found;
  }
  return null;
}

function comparisonOf(data: ReportData, a: string, b: string): Markup | undefined {
  const ranking = headlineRanking(data);
  if (ranking?.comparisons === undefined) return undefined;
  const pair = orderedPairs(ranking.comparisons).find(
    ({ better, worse }) => [better, worse].includes(a) && [better, worse].includes(b),
  );
  if (pair === undefined) return undefined;
  const { better, worse, difference, lower, upper, separated } = pair;
  return html`<h2>By the report</h2>
<p>By <b>${ranking.ablation}</b> the policies’ values differ by <b>${decimalText(difference)}</b> [${decimalText(lower)}, ${decimalText(upper)}], ${better} − ${worse}: ${
    separated ? 'they are separated' : 'they are not separated'
  }. The interval holds together with those of all other pairs.</p>`;
}
