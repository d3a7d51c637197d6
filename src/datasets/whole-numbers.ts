/** Whole numbers that a program wrote as floats. */

/**
 * Whether whole numbers are written in both ways, as pandas does where some rows of a column lack theirs: 7.0 is then 7.
 * Of floats alone nobody knows that they are not meant so.
 */
export function areWholeNumbers(texts: readonly unknown[]): boolean {
  let floats = false;
  let plain = false;
  for (const text of texts) {
    if (typeof text !== 'string') {
      plain = true;
      continue;
    }
    if (!/^\s*-?\d+(\.0+)?\s*$/.test(text)) return false;
    if (text.includes('.')) floats = true;
    else plain = true;
  }
  return floats && plain;
}

/** The id without what makes a float of a whole number. */
export const wholeNumber = (text: string): string => text.trim().replace(/\.0+$/, '');
