/** What the markers of the forest plots mean. */

import { html, Markup } from '../../../text/html.ts';
import { type Marker, seriesColor, seriesMarker } from '../../charts/palette.ts';

/** @param scorers in the order that gives each its colour and marker */
export function legendHtml(scorers: readonly string[], truth: boolean): Markup {
  const items = scorers.map(
    (scorer, index) =>
      html`<li><svg viewBox="0 0 30 14" aria-hidden="true"><path d="M2 7H28" stroke="${seriesColor(index)}" stroke-width="2"/>${LEGEND_MARKERS[seriesMarker(index)](seriesColor(index))}</svg>${scorer} scorer</li>`,
  );
  return html`<ul class="legend">${items}${
    truth &&
    html`<li><svg viewBox="0 0 30 14" aria-hidden="true"><path d="M15 0V14" stroke="var(--truth)" stroke-width="1.5" stroke-dasharray="5 3"/></svg>truth</li>`
  }<li><svg viewBox="0 0 30 14" aria-hidden="true"><path d="M2 7H22" stroke="var(--ink-faint)" stroke-width="2"/><path d="M28 7L21 2.5V11.5Z" fill="var(--ink-faint)"/></svg>goes on beyond the plot</li></ul>`;
}

const hollow = (path: string) => (color: string) =>
  new Markup(`<path d="${path}" fill="var(--panel)" stroke="${color}" stroke-width="2"/>`);
const LEGEND_MARKERS: Readonly<Record<Marker, (color: string) => Markup>> = {
  circle: (color) => new Markup(`<circle cx="15" cy="7" r="4.5" fill="${color}"/>`),
  diamond: hollow('M15 1.5L20.5 7L15 12.5L9.5 7Z'),
  square: hollow('M11 3H19V11H11Z'),
  triangle: hollow('M15 2L20 11H10Z'),
};
