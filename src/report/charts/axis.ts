/** Axes that all charts share: thin rules, few ticks, no ornaments. */

import type { Scale } from '../../datasets/scale.ts';
import { FAINT_INK, RULE } from './palette.ts';

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A step of 1, 2 or 5 times a power of ten that cuts the range into at most so many pieces. */
export function tickStep({ from, to }: Range, pieces: number): number {
  const raw = (to - from) / Math.max(1, pieces);
  if (!(raw > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= raw * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Digits after the point that tell the steps apart. */
function stepDigits(step: number): number {
  return Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
}

/** An axis from one whole step to another. */
export function valueAxis(
  range: Range,
  step: number,
  options: { readonly name?: string; readonly grid?: boolean } = {},
) {
  const digits = stepDigits(step);
  return {
    type: 'value',
    min: range.from,
    max: range.to,
    interval: step,
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: FAINT_INK, fontSize: 11, formatter: (value: number) => minus(value.toFixed(digits)) },
    splitLine: { show: options.grid !== false, lineStyle: { color: RULE, width: 1 } },
    ...(options.name === undefined
      ? {}
      : { name: options.name, nameLocation: 'middle', nameTextStyle: { color: FAINT_INK, fontSize: 11 } }),
  } as const;
}

/** An axis of exactly this range, whose ticks are the whole steps inside it. */
export function tightAxis(
  range: Range,
  step: number,
  options: { readonly name?: string; readonly grid?: boolean } = {},
) {
  const { interval: _, ...axis } = valueAxis(range, step, options);
  const first = Math.ceil(range.from / step - 1e-9);
  const last = Math.floor(range.to / step + 1e-9);
  const steps = Math.min(100, Math.max(0, last - first + 1));
  const customValues = Array.from({ length: steps }, (_unused, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
  return {
    ...axis,
    axisTick: { ...axis.axisTick, customValues },
    axisLabel: { ...axis.axisLabel, customValues },
  } as const;
}

/** A hidden axis whose units the drawing functions use. */
export function hiddenAxis(range: Range, inverse = false) {
  return { type: 'value', min: range.from, max: range.to, show: false, inverse } as const;
}

/** A typographer's minus sign; `-0.0` is written as zero. */
export function minus(text: string): string {
  return /^-0\.?0*$/.test(text) ? text.slice(1) : text.replace(/^-/, '−');
}

/** @param scale on which scores are told, as labels are; absent for [0, 1] */
export const scoreAxisName = (scale: Scale | undefined): string =>
  scale === undefined ? 'judge score' : `judge score, from ${scale[0]} to ${scale[1]}`;
