/** Keys that stand twice in one object of a JSON text. Parsers take the last one, and say nothing. */

interface RepeatedKey {
  readonly name: string;
  /** Where it stands for the second time, in UTF-16 units. */
  readonly offset: number;
}

/** The first of a text that is JSON; undefined where there is none. */
export function repeatedKey(text: string): RepeatedKey | undefined {
  /** The keys of each object that is open; undefined for a list. */
  const open: (Set<string> | undefined)[] = [];
  let keyIsNext = false;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '{':
        open.push(new Set());
        keyIsNext = true;
        break;
      case '[':
        open.push(undefined);
        keyIsNext = false;
        break;
      case '}':
      case ']':
        open.pop();
        keyIsNext = false;
        break;
      case ',':
        keyIsNext = open.at(-1) !== undefined;
        break;
      case '"': {
        const end = endOfText(text, at);
        const keys = keyIsNext ? open.at(-1) : undefined;
        if (keys !== undefined) {
          const written = text.slice(at, end + 1);
          const name = written.includes('\\') ? String(JSON.parse(written)) : written.slice(1, -1);
          if (keys.has(name)) return { name, offset: at };
          keys.add(name);
          keyIsNext = false;
        }
        at = end;
        break;
      }
    }
  }
  return undefined;
}

/** Where the text that begins here ends: at the next quote that no odd number of backslashes stands before. */
function endOfText(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text[before - 1] === '\\') before--;
    if ((end - before) % 2 === 0) return end;
  }
  return text.length;
}
