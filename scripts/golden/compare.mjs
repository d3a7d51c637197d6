// Compares an output with its golden value. Numbers may differ by 1e-9, relative or absolute; all else must be equal.

const TOLERANCE = 1e-9;
const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

/**
 * Says where two texts of one file differ.
 *
 * @param {string} file its name; `.json` is compared value by value, anything else line by line
 * @param {string} golden
 * @param {string} actual
 * @returns {string[]} one sentence for each place, in order: where, the golden value, the value now
 */
export function differences(file, golden, actual) {
  const found = file.endsWith('.json')
    ? differentValues('', JSON.parse(golden), JSON.parse(actual))
    : differentLines(golden.split('\n'), actual.split('\n'));
  return found.map(([place, was, is]) => `${file}${place}: golden ${shown(was)}, now ${shown(is)}`);
}

/** Lists the first differences of several files, and says how many more there are. */
export function summary(found, most = 20) {
  const more = found.length > most ? [`… and ${found.length - most} more`] : [];
  return [...found.slice(0, most), ...more].join('\n');
}

const close = (a, b) => Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b));

function differentValues(place, golden, actual) {
  if (typeof golden === 'number' && typeof actual === 'number') {
    return close(golden, actual) ? [] : [[place, golden, actual]];
  }
  if (Array.isArray(golden) && Array.isArray(actual)) {
    return Array.from({ length: Math.max(golden.length, actual.length) }, (_, index) =>
      differentValues(`${place}[${index}${label(golden[index] ?? actual[index])}]`, golden[index], actual[index]),
    ).flat();
  }
  if (isObject(golden) && isObject(actual)) {
    const keys = [...new Set([...Object.keys(golden), ...Object.keys(actual)])];
    return keys.flatMap((key) => differentValues(`${place}.${key}`, golden[key], actual[key]));
  }
  return golden === actual ? [] : [[place, golden, actual]];
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The names by which a reader finds a row again: an index alone says little. */
function label(row) {
  const names = ['scorer', 'ablation', 'policy', 'a', 'b', 'node', 'gate'].map((key) => row?.[key]);
  const present = names.filter((name) => typeof name === 'string');
  return present.length === 0 ? '' : ` ${present.join(' ')}`;
}

function differentLines(golden, actual) {
  const found = [];
  for (let index = 0; index < Math.max(golden.length, actual.length); index++) {
    if (!sameLine(golden[index], actual[index])) found.push([`:${index + 1}`, golden[index], actual[index]]);
  }
  return found;
}

function sameLine(golden, actual) {
  if (golden === actual) return true;
  if (golden === undefined || actual === undefined) return false;
  if (golden.replace(NUMBER, '#') !== actual.replace(NUMBER, '#')) return false;
  const [were, are] = [golden, actual].map((line) => (line.match(NUMBER) ?? []).map(Number));
  return were.every((number, index) => close(number, are[index]));
}

function shown(value) {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
