/** JSON text over several lines, every literal as it stands: parsing it would round its numbers and drop doubled keys. */

/** Lists of this many characters stay on a line. */
const SHORT = 60;

/** @param text JSON; what is none comes back as it is, or with line breaks that it did not have. */
export function indentJson(text: string): string {
  let result = '';
  let depth = 0;
  let index = 0;
  const breakLine = () => {
    result += `\n${'  '.repeat(depth)}`;
  };
  while (index < text.length) {
    const character = text[index]!;
    if (character === '"') {
      const end = endOfString(text, index);
      result += text.slice(index, end);
      index = end;
      continue;
    }
    index++;
    switch (character) {
      case '{':
      case '[': {
        const short = shortBracket(text, index - 1);
        if (short !== undefined) {
          result += short;
          index += short.length - 1;
          break;
        }
        result += character;
        depth++;
        breakLine();
        break;
      }
      case '}':
      case ']':
        depth = Math.max(0, depth - 1);
        breakLine();
        result += character;
        break;
      case ',':
        result += character;
        breakLine();
        break;
      case ':':
        result += ': ';
        break;
      case ' ':
      case '\n':
      case '\r':
      case '\t':
        break;
      default:
        result += character;
    }
  }
  return result;
}

function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text[index] === '"') return index + 1;
  }
  return text.length;
}

/** A bracket without another one in it that fits on a line, as it stands. */
function shortBracket(text: string, start: number): string | undefined {
  const close = text[start] === '{' ? '}' : ']';
  for (let index = start + 1; index < Math.min(text.length, start + SHORT); index++) {
    const character = text[index]!;
    if (character === '"') index = endOfString(text, index) - 1;
    else if (character === close) return text.slice(start, index + 1);
    else if ('{}[]'.includes(character)) return undefined;
  }
  return undefined;
}
