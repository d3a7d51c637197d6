/** A number of tokens, or of anything that is counted; undefined for what can be none. */
export const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
