/**
 * Colours by role, as style variables that the page sets for light and dark. The hues are Okabe and Ito's, which stay
 * apart under every common colour blindness; shapes and labels say the same as the colours do.
 */

export const INK = 'var(--ink)';
export const FAINT_INK = 'var(--ink-faint)';
export const RULE = 'var(--rule)';
export const PAPER = 'var(--panel)';
export const TRUTH = 'var(--truth)';

const SERIES = ['var(--blue)', 'var(--vermillion)', 'var(--purple)', 'var(--orange)'] as const;

export type Marker = 'circle' | 'diamond' | 'square' | 'triangle';
const MARKERS: readonly Marker[] = ['circle', 'diamond', 'square', 'triangle'];

/** The colour of the index-th scorer. */
export function seriesColor(index: number): string {
  return SERIES[index % SERIES.length]!;
}

/** Its marker: a second sign beside the colour. */
export function seriesMarker(index: number): Marker {
  return MARKERS[index % MARKERS.length]!;
}
