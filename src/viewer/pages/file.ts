/** A file of a node's output, as text. */

import { html } from '../../text/html.ts';
import { count } from '../../text/numbers.ts';
import { textBlock } from '../../text/verbatim.ts';
import type { OpenBuild } from '../model/open-build.ts';
import type { Page } from '../parts/layout.ts';
import { links } from '../parts/links.ts';
import { missingPage } from './problem.ts';

/** Bytes of a file that a page shows, and that are given out as they are. */
const SHOWN = 100_000;
export const RAW_LIMIT = 64_000_000;

export function filePage(run: OpenBuild, node: string, file: string): Page {
  const found = run.file(node, file, SHOWN);
  if (found === undefined) return missingPage(`There is no file ${file} of ${node} in the cache.`, run);
  const body = html`<h1><a href="${links.node(run.id, node)}">${node}</a> / ${file}</h1>
<p class="faint">${count(found.size)} bytes${found.cut && `, of which the first ${count(SHOWN)} are shown`} · <a href="${links.raw(run.id, node, file)}">as it is</a></p>
${textBlock(found.cut ? found.text : indented(found.text, file), { limit: SHOWN * 4 })}`;
  return { title: `${file} of ${node}`, tab: 'graph', run, wide: true, body };
}

function indented(text: string, file: string): string {
  if (!file.endsWith('.json')) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
