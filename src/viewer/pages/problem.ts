/** What cannot be shown, and why. */

import { ProblemError } from '../../core/problem.ts';
import type { DamageError } from '../../core/storage.ts';
import { html } from '../../text/html.ts';
import { textBlock } from '../../text/verbatim.ts';
import type { OpenBuild } from '../model/open-build.ts';
import type { Page } from '../parts/layout.ts';

export function missingPage(text: string, run?: OpenBuild): Page {
  return {
    status: 404,
    title: 'Not found',
    ...(run === undefined ? {} : { run }),
    body: html`<h1>Not found</h1><p>${text}</p>`,
  };
}

export function problemPage(error: ProblemError | DamageError): Page {
  if (!(error instanceof ProblemError)) {
    const body = html`<h1>The cache is damaged</h1>
${textBlock(error.message)}
<p><code>cje cache verify</code> takes out what is damaged; the next build makes it again from the stored replies.</p>`;
    return { status: 500, title: 'The cache is damaged', body };
  }
  const problems = error.problems.map(({ id, headline, facts = [], place, hint }) => {
    const { file, line, excerpt } = place ?? {};
    return html`<section class="problem"><h2>${headline} <small class="faint">${id}</small></h2>
${facts.map(([name, value]) => html`<p><b>${name}</b> ${value}</p>`)}
${file !== undefined && html`<p class="faint">${file}${line !== undefined && html`:${line}`}</p>`}
${excerpt !== undefined && textBlock(excerpt)}
${hint !== undefined && html`<p>${hint}</p>`}</section>`;
  });
  return { status: 500, title: 'A problem', body: html`<h1>This cannot be shown</h1>${problems}` };
}
