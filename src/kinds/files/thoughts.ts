/** The thoughts of a reasoning model apart from its answer. */

interface Spoken {
  readonly answer: string;
  /** Null where the model told none. */
  readonly thoughts: string | null;
}

const OPENS = /^\s*<(think|thinking|reasoning)>/i;

/**
 * Servers that do not tell thoughts apart send them in a block before the answer; one that was cut within its thoughts
 * has not answered.
 */
export function withoutThoughts(content: string, told: string | null = null): Spoken {
  const opening = OPENS.exec(content);
  // Some chat templates open the block themselves, and the server sends its end alone.
  const name = opening?.[1] ?? (endsAlone(content) ? 'think' : undefined);
  if (name === undefined) return { answer: content, thoughts: told };
  const from = opening === null ? 0 : opening[0].length;
  const close = `</${name.toLowerCase()}>`;
  const end = content.toLowerCase().indexOf(close, from);
  if (end === -1) return { answer: '', thoughts: joined(told, content.slice(from)) };
  return {
    answer: content.slice(end + close.length).replace(/^\s+/, ''),
    thoughts: joined(told, content.slice(from, end)),
  };
}

function endsAlone(content: string): boolean {
  const text = content.toLowerCase();
  const end = text.indexOf('</think>');
  return end !== -1 && !text.slice(0, end).includes('<think>');
}

const joined = (told: string | null, block: string): string => [told ?? '', block.trim()].filter(Boolean).join('\n\n');
