/** A number of anything that is counted; undefined for what can be none, such as 1e308. */
export const count = (value: unknown): number | undefined =>
  typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
