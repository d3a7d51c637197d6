/** The scale that labels or scores are given on. They are worked with on [0, 1]. */

/** The lowest and the highest value that can be. */
export type Scale = readonly [low: number, high: number];

export const UNIT_SCALE: Scale = [0, 1];

/** The scale that all rows which name one share; undefined where none does, or where they differ. */
export function sharedScale(scales: Iterable<Scale | undefined>): Scale | undefined {
  let shared: Scale | undefined;
  for (const scale of scales) {
    if (scale === undefined) continue;
    shared ??= scale;
    if (scale[0] !== shared[0] || scale[1] !== shared[1]) return undefined;
  }
  return shared;
}

/** The scale that all name, of which some may name none. */
export function commonScale(scales: Iterable<Scale | undefined>): Scale | undefined {
  const all = [...scales];
  return all.includes(undefined) ? undefined : sharedScale(all);
}

/** To be written beside rows: nothing for [0, 1], which is what they are on. */
export const scaleField = (scale: Scale | undefined): { readonly scale?: Scale } =>
  scale === undefined || (scale[0] === 0 && scale[1] === 1) ? {} : { scale };

/** Such as `labels from 1 to 5`; empty on [0, 1]. */
export const scaleText = (scale: Scale | undefined, of: 'labels' | 'scores' = 'labels'): string =>
  scale === undefined ? '' : `${of} from ${scale[0]} to ${scale[1]}`;
