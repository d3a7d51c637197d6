/** What is wrong with a text that is not YAML, in words for whoever wrote it: its first mistake, as what follows are echoes. */

import type { ErrorCode, YAMLParseError, YAMLWarning } from 'yaml';

interface YamlFault {
  readonly start: number;
  readonly end: number;
  readonly headline: string;
  readonly hint?: string;
}

/** Undefined where there is nothing wrong. @param unmask for texts of the parser that repeat what was read */
export function firstFault(
  text: string,
  faults: readonly (YAMLParseError | YAMLWarning)[],
  unmask: (text: string) => string,
): YamlFault | undefined {
  // A tab makes mistakes of what is above it, too.
  const tab = faults.find(({ code }) => code === 'TAB_AS_INDENT');
  const first = tab ?? [...faults].sort((a, b) => a.pos[0] - b.pos[0])[0];
  if (first === undefined) return undefined;
  const { code, message, pos } = first;
  const [start, end] = pos;
  const line = lineAt(text, start);
  if (/missing closing .quote/i.test(message)) return unclosed(text, start, '"\'') ?? plainly(first, unmask);
  if (/flow (?:map|collection|sequence)/i.test(message) && /must .*end with/i.test(message)) {
    return unclosed(text, start, '[{') ?? plainly(first, unmask);
  }
  if (code === 'BLOCK_AS_IMPLICIT_KEY') {
    if (nests(line.text)) return { start, end, ...NEEDS_QUOTES };
    const above = lineBefore(text, line);
    return colonless(above) ?? indented(text, line);
  }
  if (NEED_A_KEY.includes(code)) {
    const found = colonless(line);
    if (found !== undefined) return found;
  }
  const known = KNOWN[code];
  return known === undefined ? plainly(first, unmask) : { start, end, ...known };
}

const plainly = (
  { message, pos: [start, end], code }: YAMLParseError | YAMLWarning,
  unmask: (text: string) => string,
) => ({
  start,
  end,
  headline: `This is not valid YAML: ${decapitalised(unmask(message))}`,
  ...(code === 'BAD_SCALAR_START' ? { hint: 'Put the value in quotes.' } : {}),
});

/** A line that lacks its colon, as a mistake. */
function colonless(line: Line | undefined): YamlFault | undefined {
  const lacking = line && lackingColon(line.text);
  if (line === undefined || lacking === undefined) return undefined;
  const start = line.start + line.text.search(/\S/);
  return { start, end: line.start + line.text.trimEnd().length, ...lacking };
}

/** What was taken for a text over several lines: the first line that goes on, or this one. */
function indented(text: string, line: Line): YamlFault {
  const next = /^\s*\S/.test(line.text) && /:\s+\S/.test(line.text) ? lineAfter(text, line) : line;
  const start = next.start + Math.max(0, next.text.search(/\S/));
  return { start, end: next.start + next.text.trimEnd().length, ...OTHERWISE_INDENTED };
}

/** The bracket or quote that is open at an offset, the last one. */
function unclosed(text: string, until: number, kinds: string): YamlFault | undefined {
  const open: number[] = [];
  let quote: string | undefined;
  for (let at = 0; at < until; at++) {
    const character = text[at]!;
    // A quote opens a text only where a value may begin; the others are part of a word.
    if (quote === undefined && /["']/.test(character) && /(?:^|[\s[{,:-])$/.test(text.slice(Math.max(0, at - 1), at))) {
      quote = character;
      open.push(at);
    } else if (quote !== undefined) {
      if (character === quote) {
        quote = undefined;
        open.pop();
      } else if (quote === '"' && character === '\\') at++;
    } else if (/[[{]/.test(character)) open.push(at);
    else if (/[\]}]/.test(character)) open.pop();
    else if (character === '#' && /\s/.test(text[at - 1] ?? ' '))
      at = lineAt(text, at).start + lineAt(text, at).text.length;
  }
  const last = open.findLast((at) => kinds.includes(text[at]!));
  if (last === undefined) return undefined;
  const bracket = text[last]!;
  return {
    start: last,
    end: last + 1,
    headline: `What begins with ${bracket} here does not end`,
    hint: `Close it with ${CLOSES[bracket]}.`,
  };
}

const CLOSES: Readonly<Record<string, string>> = { '[': ']', '{': '}', '"': '"', "'": "'" };

const NEEDS_QUOTES = {
  headline: "A value with ': ' in it needs quotes",
  hint: "Write it as 'a: b', in quotes.",
} as const;

const OTHERWISE_INDENTED = {
  headline: 'This line is indented otherwise than the lines that it belongs to',
  hint: 'Lines of one level begin in one column; what belongs to a key is indented further than the key.',
} as const;

const NEED_A_KEY: readonly ErrorCode[] = ['MULTILINE_IMPLICIT_KEY', 'MISSING_CHAR'];

const KNOWN: Readonly<Partial<Record<ErrorCode, { readonly headline: string; readonly hint?: string }>>> = {
  TAB_AS_INDENT: { headline: 'A tab cannot indent YAML', hint: 'Use spaces.' },
  BAD_INDENT: OTHERWISE_INDENTED,
  MULTIPLE_DOCS: { headline: 'A second YAML document begins here, and a file may hold one' },
  // The library speaks of its own options.
  NON_STRING_KEY: { headline: 'This is not valid YAML here: a key must be a text, not a mapping or a list' },
};

interface Line {
  readonly start: number;
  readonly text: string;
}

function lineAt(text: string, offset: number): Line {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  return { start, text: text.slice(start, end === -1 ? undefined : end) };
}

function lineAfter(text: string, { start, text: of }: Line): Line {
  for (let at = start + of.length + 1; at < text.length; ) {
    const line = lineAt(text, at);
    if (/^\s*[^\s#]/.test(line.text)) return line;
    at = line.start + line.text.length + 1;
  }
  return { start, text: of };
}

/** The last line above that is neither empty nor a comment. */
function lineBefore(text: string, { start }: Line): Line | undefined {
  for (let at = start; at > 0; ) {
    const line = lineAt(text, at - 1);
    if (/^\s*[^\s#]/.test(line.text)) return line;
    at = line.start;
  }
  return undefined;
}

/** `key: a: b` on one line: what is behind the first colon is a value. */
const nests = (line: string): boolean => /^\s*(?:- )?[^\s:#][^:#]*:\s+\S[^#]*:(?:\s|$)/.test(line);

/** What a line without a colon was to be; undefined for one that has it. */
export function lackingColon(line: string): Pick<YamlFault, 'headline' | 'hint'> | undefined {
  const bare = line.replace(/\s+#.*$/, '').trim();
  const close = /^([\w.-]+):(?=\S)(.*)$/.exec(bare);
  if (close !== null) {
    return { headline: 'A colon needs a space behind it', hint: `Write \`${close[1]}: ${close[2]}\`.` };
  }
  const [, key, value] = /^([\w.-]+)(?:\s+([^:]+))?$/.exec(bare) ?? [];
  if (key === undefined || key === '-') return undefined;
  return {
    headline: `A colon is missing behind '${key}'`,
    hint: `Write \`${key}:${value === undefined ? '' : ` ${value}`}\`.`,
  };
}

const decapitalised = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
