/** What `str.strip()` of Python takes off, which is not quite what `trim` does. */
const STRIPPED = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
const LEADING = new RegExp(`^${STRIPPED}`);

export function pythonStrip(text: string): string {
  const start = LEADING.exec(text)?.[0].length ?? 0;
  let end = text.length;
  // From the end by character: a pattern that ends in `$` would try every run of blanks within a long text.
  while (end > start && LEADING.test(text[end - 1]!)) end--;
  return text.slice(start, end);
}
