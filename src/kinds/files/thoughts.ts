/** The thoughts of a reasoning model apart from its answer, in each of the forms in which families write them. */

interface Spoken {
  readonly answer: string;
  /** Null where the model told none. */
  readonly thoughts: string | null;
}

/** A block of thoughts before the answer; the name is the part of the opening that the end repeats. */
const BLOCKS: readonly { readonly opens: RegExp; readonly end: (name: string) => string }[] = [
  { opens: /<(think|thinking|reasoning)>/i, end: (name) => `</${name}>` },
  { opens: /\[(THINK)\]/i, end: (name) => `[/${name}]` },
  { opens: /<\|(channel)>thought\b/i, end: (name) => `<${name}|>` },
];

const atStart = BLOCKS.map(({ opens, end }) => ({ opens: new RegExp(`^\\s*${opens.source}`, opens.flags), end }));
const atEnd = BLOCKS.map(({ opens, end }) => ({ opens: new RegExp(`${opens.source}\\s*$`, opens.flags), end }));

/** A message on one of several channels, as gpt-oss writes them; the one for the reader is final. */
const MESSAGE =
  /<\|channel\|>\s*([a-z]+)[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>([\s\S]*?)(?:<\|(?:end|return|call)\|>|$)/g;
const READER = 'final';
const BEGINS_ON_CHANNEL = /^\s*(?:<\|start\|>assistant)?<\|channel\|>/;

/**
 * Servers that do not tell thoughts apart send them in a block before the answer; one that was cut within its thoughts
 * has not answered.
 */
export function withoutThoughts(content: string, told: string | null = null): Spoken {
  // Some chat templates open the block themselves, and the server sends its end alone.
  return spoken(content, told, endsAlone(content) ? '</think>' : undefined);
}

/** The same of a text that continues a rendered prompt, which may have opened the block. */
export function withoutThoughtsAfter(prompt: string, text: string, told: string | null = null): Spoken {
  return spoken(text, told, foundIn(atEnd, prompt)?.end);
}

/**
 * Whether the marks between thoughts and answer are lost: servers leave control tokens out of texts. Nothing then tells where
 * the answer begins.
 *
 * @param isCut whether the text ended at its cap, so that it may be thoughts alone
 */
export function losesMarks(prompt: string, text: string, isCut: boolean): boolean {
  if (/<\|start\|>assistant\s*$/.test(prompt)) return !BEGINS_ON_CHANNEL.test(text);
  if (/<\|turn>model\s*$/.test(prompt) && /^\s*thought\b/.test(text)) return true;
  const opened = foundIn(atEnd, prompt)?.end;
  return opened !== undefined && !isCut && !text.toLowerCase().includes(opened.toLowerCase());
}

/** @param opened what ends the block that was open before the content began */
function spoken(content: string, told: string | null, opened: string | undefined): Spoken {
  if (BEGINS_ON_CHANNEL.test(content)) return fromChannels(content, told);
  const own = foundIn(atStart, content);
  const end = own?.end ?? opened;
  if (end === undefined) return { answer: content, thoughts: told };
  const from = own?.length ?? 0;
  const at = content.toLowerCase().indexOf(end.toLowerCase(), from);
  if (at === -1) return { answer: '', thoughts: joined(told, content.slice(from)) };
  return {
    answer: content.slice(at + end.length).replace(/^\s+/, ''),
    thoughts: joined(told, content.slice(from, at)),
  };
}

function foundIn(blocks: typeof BLOCKS, text: string): { readonly end: string; readonly length: number } | undefined {
  for (const { opens, end } of blocks) {
    const found = opens.exec(text);
    if (found !== null) return { end: end(found[1]!), length: found.index + found[0].length };
  }
  return undefined;
}

function fromChannels(content: string, told: string | null): Spoken {
  const messages = [...content.matchAll(MESSAGE)].map(([, channel, text = '']) => ({ channel, text }));
  const of = (isForReader: boolean) =>
    messages.filter(({ channel }) => (channel === READER) === isForReader).map(({ text }) => text);
  const thoughts = of(false).reduce<string | null>((all, text) => joined(all, text), told);
  return { answer: of(true).join('\n\n').trim(), thoughts };
}

function endsAlone(content: string): boolean {
  const text = content.toLowerCase();
  const end = text.indexOf('</think>');
  return end !== -1 && !text.slice(0, end).includes('<think>');
}

const joined = (told: string | null, block: string): string => [told ?? '', block.trim()].filter(Boolean).join('\n\n');
