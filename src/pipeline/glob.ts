/**
 * Globs over node names. `*` stands for any characters within one segment, `**` as a whole segment for any number of
 * segments (at the end: at least one). Nothing else is special.
 */

interface Glob {
  readonly pattern: string;
  /** False for a plain node name. */
  readonly wild: boolean;
  /**
   * What the wildcards left open in `name`, joined by `/`, or undefined when it does not match. The label does not hold
   * what the pattern itself spells out, so a renamed stage leaves labels as they were.
   */
  match(name: string): string | undefined;
}

const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/;

/** What is wrong with one segment of a node's name, or undefined. */
export function oddSegment(segment: string): string | undefined {
  if (segment === '') return 'is empty';
  if (segment.includes('/')) return "holds a '/'";
  if (!SEGMENT.test(segment))
    return 'holds more than letters, digits and . _ + - (and must begin with a letter or digit)';
  if (segment.endsWith('.')) return 'ends with a full stop';
  return undefined;
}

/** What is wrong with a pattern, or undefined. */
export function oddPattern(pattern: string): string | undefined {
  if (pattern === '') return 'is empty';
  if (pattern.startsWith('/') || pattern.endsWith('/')) return "begins or ends with a '/'";
  for (const segment of pattern.split('/')) {
    if (segment === '') return "holds two '/' in a row";
    if (segment === '**') continue;
    if (segment.includes('**')) return "holds '**' beside other characters; it stands for whole segments";
    if (/[^A-Za-z0-9_.+*-]/.test(segment))
      return "holds a character that no node's name has; only * and ** are special";
    if (segment === '.' || segment === '..') return `holds '${segment}'; names are not file paths`;
  }
  return undefined;
}

/** Compiles a pattern in which {@link oddPattern} finds nothing. */
export function compileGlob(pattern: string): Glob {
  if (!pattern.includes('*')) {
    return { pattern, wild: false, match: (name) => (name === pattern ? '' : undefined) };
  }
  const segments = pattern.split('/');
  let expression = '';
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === '**') expression += last ? '(.+)' : '(?:(.+)/)?';
    else expression += literal(segment) + (last ? '' : '/');
  }
  const compiled = new RegExp(`^${expression}$`);
  return {
    pattern,
    wild: true,
    match(name) {
      const found = compiled.exec(name);
      return found === null
        ? undefined
        : found
            .slice(1)
            .filter((part) => part !== undefined)
            .join('/');
    },
  };
}

const literal = (segment: string) =>
  segment
    .split('*')
    .map((part) => part.replace(/[.+-]/g, '\\$&'))
    .join('([^/]*)');
