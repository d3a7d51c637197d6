/** Two policies' scores prompt by prompt: above the diagonal one is better, below it the other. Each point leads to its item. */

import { type Range, tickStep } from '../../report/charts/axis.ts';
import { clip, plainLine } from '../../text/escape.ts';
import { html, type Markup } from '../../text/html.ts';
import { count } from '../../text/numbers.ts';
import type { HeadPoint, HeadToHead } from '../model/head-to-head.ts';
import { decimalText } from './parts.ts';

const SIZE = 460;
const LEFT = 58;
const BOTTOM = 52;
const TOP = 14;
const RIGHT = 14;
const SIDE = SIZE - LEFT - RIGHT;
/** Points nearer to each other than a share of the side are drawn as one, whose area says how many they are. */
const FINE = 100;
const COARSE = 40;
const MANY_POINTS = 1_500;

export function scatter(match: HeadToHead, link: (id: string) => string): Markup {
  const { a, b, points, agreement } = match;
  const range = rangeOf(points);
  const at = (value: number) => (SIDE * (value - range.from)) / (range.to - range.from);
  const x = (value: number) => round(LEFT + at(value));
  const y = (value: number) => round(TOP + SIDE - at(value));
  const ticks = ticksOf(range);
  const { shift, lower, upper, n } = agreement;
  const along = (difference: number) =>
    [range.from - SPAN * (range.to - range.from), range.to + SPAN * (range.to - range.from)].map(
      (value) => `${x(value)},${y(value + difference)}`,
    );
  const band =
    lower === null || upper === null
      ? null
      : html`<polygon class="band" points="${[...along(lower), ...along(upper).reverse()].join(' ')}"/><polyline class="mean" points="${along(shift).join(' ')}"/>`;
  const names = { a: clip(plainLine(a), 40), b: clip(plainLine(b), 40) };
  const label = `Scores of ${names.a} against those of ${names.b} on ${count(n)} prompts: ${count(match.aBetter)} are higher for ${names.a}, ${count(match.bBetter)} for ${names.b}, ${count(match.tied)} equal.`;
  return html`<svg class="scatter" viewBox="0 0 ${SIZE} ${SIZE - RIGHT + BOTTOM - 24}" role="group" aria-label="${label}">
<clipPath id="plot"><rect x="${LEFT}" y="${TOP}" width="${SIDE}" height="${SIDE}"/></clipPath>
${ticks.map(
  (tick) =>
    html`<path class="grid" d="M${x(tick.value)} ${TOP}V${TOP + SIDE}M${LEFT} ${y(tick.value)}H${LEFT + SIDE}"/><text class="tick" x="${x(tick.value)}" y="${TOP + SIDE + 18}" text-anchor="middle">${tick.text}</text><text class="tick" x="${LEFT - 8}" y="${y(tick.value) + 4}" text-anchor="end">${tick.text}</text>`,
)}
<g clip-path="url(#plot)"><path class="diagonal" d="M${LEFT} ${TOP + SIDE}L${LEFT + SIDE} ${TOP}"/>${band}
${groups(points, range).map((group) => dot(group, x, y, link))}</g>
<text class="axis" x="${LEFT + SIDE / 2}" y="${TOP + SIDE + 40}" text-anchor="middle">${names.b}</text>
<text class="axis" transform="translate(14 ${TOP + SIDE / 2}) rotate(-90)" text-anchor="middle">${names.a}</text>
</svg>`;
}

/** How far lines run beyond the plot, in its sides, so that no end of them shows. */
const SPAN = 2;

const round = (value: number): number => Math.round(value * 10) / 10;

/** Of both axes, so that the diagonal is one. */
function rangeOf(points: readonly HeadPoint[]): Range {
  const values = points.flatMap(({ a, b }) => [a, b]);
  if (values.length === 0) return { from: 0, to: 1 };
  const from = values.reduce((least, value) => Math.min(least, value));
  const to = values.reduce((most, value) => Math.max(most, value));
  const margin = to > from ? (to - from) * 0.06 : 0.5;
  return { from: from - margin, to: to + margin };
}

function ticksOf(range: Range): { readonly value: number; readonly text: string }[] {
  const step = tickStep(range, 6);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const first = Math.ceil(range.from / step - 1e-9);
  const last = Math.floor(range.to / step + 1e-9);
  return Array.from({ length: Math.max(0, Math.min(20, last - first + 1)) }, (_, index) => {
    const value = (first + index) * step;
    return { value, text: value.toFixed(digits).replace(/^-/, '−') };
  });
}

type Group = readonly [HeadPoint, ...HeadPoint[]];

/** Radii of one point and of very many. */
const SMALLEST = 4;
const LARGEST = 16;

function groups(points: readonly HeadPoint[], { from, to }: Range): Group[] {
  const cells = points.length > MANY_POINTS ? COARSE : FINE;
  const cell = (value: number) => Math.round((cells * (value - from)) / (to - from));
  const found = new Map<string, [HeadPoint, ...HeadPoint[]]>();
  for (const point of points) {
    const key = `${cell(point.a)} ${cell(point.b)} ${Math.sign(point.a - point.b)}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, [point]);
    else known.push(point);
  }
  // Small ones last, so that none is hidden.
  return [...found.values()].sort((a, b) => b.length - a.length);
}

/** A link for the mouse; by keyboard one goes through the list of items, which is one stop and not hundreds. */
function dot(
  points: Group,
  x: (value: number) => number,
  y: (value: number) => number,
  link: (id: string) => string,
): Markup {
  const [{ id, a, b }] = points;
  const side = a > b ? 'a' : a < b ? 'b' : 'tie';
  const radius = round(Math.min(LARGEST, SMALLEST * Math.sqrt(points.length)));
  const others = points.length === 1 ? '' : ` and ${count(points.length - 1)} more`;
  return html`<a href="${link(id)}" tabindex="-1"><circle class="${side}" cx="${x(b)}" cy="${y(a)}" r="${radius}"><title>${clip(plainLine(id), 80)}${others}: ${decimalText(a)} against ${decimalText(b)}</title></circle></a>\n`;
}
