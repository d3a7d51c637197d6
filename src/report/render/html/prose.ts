/** Sentences as HTML. */

import { type Content, html, Markup } from '../../../text/html.ts';
import type { Prose, Run } from '../../model/section.ts';

export const proseHtml = (prose: Prose): Content => prose.map(runHtml);

function runHtml(run: Run): Content {
  if (typeof run === 'string') return textHtml(run);
  if ('sign' in run) return html`<span class="sign"> ${run.sign} </span>`;
  return 'strong' in run ? html`<b>${run.strong}</b>` : html`<span class="faint">${textHtml(run.quiet)}</span>`;
}

/** With typographer's minus signs; words between backticks are what one types. What is escaped loses the spaces at its ends, so they are put back. */
export const textHtml = (text: string): Content =>
  text
    .replace(/(^|[\s[(])-(?=\d)/g, '$1−')
    .split(/(`[^`]+`)/)
    .map((part, index) =>
      index % 2 === 1
        ? html`<code>${part.slice(1, -1)}</code>`
        : [/^\s/.test(part) && SPACE, part, /\S\s+$/.test(part) && SPACE],
    );

const SPACE = new Markup(' ');
