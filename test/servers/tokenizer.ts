/** A tokenizer of bytes and their pairs, learnt from a text of its own; it shares no code with what it tests. */

export const BOS = '<|begin_of_text|>';
export const END = '<|eot|>';
const CONTROLS = [BOS, END, '<|header_start|>', '<|header_end|>', '<|end_of_text|>'];
/** Added for models that think; as with such models, the tags are a part of what is said. */
export const MARKS = ['<|channel|>', '<|message|>', '<|start|>', '<|end|>', '<think>', '</think>'];

export const CORPUS = `Once upon a time a builder asked what it costs to build the house again. The answer is in the question: only
what was changed. We build the walls, the roof and the door; then we ask the neighbours, and they say what they think.
Здравствуйте, меня зовут Анна. Сколько стоит дом? 東京は日本の首都です。東京の人口は多い。नमस्ते दुनिया, आप कैसे हैं?
مرحبا بالعالم. Ça va très bien, merci, l'été est là. Größe, Straße, Übung. √2 ≈ 1.414, ∑ x² ≤ ∫ f. 🙂 👍 🎉 🙂 👩‍👩‍👧
1. First, read the question.\n2. Then, answer it.\n\nYes.\n\nNo.\n\n\`\`\`ts\nconst x = 1;\nreturn x + 1;\n\`\`\`\n`;

/** Byte-level pair encoding, learnt from the corpus: 256 bytes, the merges, the control tokens. */
class Tokenizer {
  readonly pieces: Buffer[] = [];
  readonly #merges = new Map<string, number>();
  readonly #controls = new Map<string, number>();
  /** Words that were encoded before: texts repeat them. */
  readonly #words = new Map<string, readonly number[]>();

  constructor(merges: number) {
    for (let byte = 0; byte < 256; byte++) this.pieces.push(Buffer.from([byte]));
    const words = split(CORPUS).map((word) => [...Buffer.from(word)]);
    for (let turn = 0; turn < merges; turn++) {
      const counts = new Map<string, number>();
      for (const word of words) {
        for (let at = 0; at + 1 < word.length; at++) {
          const pair = `${word[at]} ${word[at + 1]}`;
          counts.set(pair, (counts.get(pair) ?? 0) + 1);
        }
      }
      const [pair, count] = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0] ?? ['', 0];
      if (count < 2) break;
      const [left, right] = pair.split(' ').map(Number) as [number, number];
      this.#merges.set(pair, this.pieces.length);
      this.pieces.push(Buffer.concat([this.pieces[left]!, this.pieces[right]!]));
      for (const word of words) this.#merge(word, left, right, this.pieces.length - 1);
    }
    for (const control of [...CONTROLS, ...MARKS]) {
      this.#controls.set(control, this.pieces.length);
      this.pieces.push(Buffer.from(control));
    }
  }

  idOf = (control: string): number => this.#controls.get(control)!;
  /** Left out of texts. */
  isControl = (id: number): boolean => this.isMark(id) && !/think/.test(this.pieces[id]!.toString());
  isMark = (id: number): boolean => id >= this.pieces.length - CONTROLS.length - MARKS.length;

  #merge(word: number[], left: number, right: number, merged: number): void {
    for (let at = 0; at + 1 < word.length; at++) {
      if (word[at] === left && word[at + 1] === right) word.splice(at, 2, merged);
    }
  }

  encode(text: string): number[] {
    const ids: number[] = [];
    for (const part of text.split(/(<\|[a-z_]+\|>|<\/?think>)/)) {
      const control = this.#controls.get(part);
      if (control !== undefined) ids.push(control);
      else for (const word of split(part)) ids.push(...this.#encodeWord(word));
    }
    return ids;
  }

  #encodeWord(text: string): readonly number[] {
    let ids = this.#words.get(text);
    if (ids === undefined) {
      ids = this.#merged(text);
      this.#words.set(text, ids);
    }
    return ids;
  }

  #merged(text: string): number[] {
    const word = [...Buffer.from(text)];
    for (;;) {
      let [best, at] = [Number.POSITIVE_INFINITY, -1];
      for (let index = 0; index + 1 < word.length; index++) {
        const merged = this.#merges.get(`${word[index]} ${word[index + 1]}`);
        if (merged !== undefined && merged < best) [best, at] = [merged, index];
      }
      if (at === -1) return word;
      word.splice(at, 2, best);
    }
  }

  /** What a reader sees: control tokens are left out, and bytes that are no text become U+FFFD. */
  decode = (ids: readonly number[]): string =>
    new TextDecoder('utf-8', { ignoreBOM: true }).decode(
      Buffer.concat(ids.filter((id) => !this.isControl(id)).map((id) => this.pieces[id]!)),
    );
}

const split = (text: string): string[] => text.match(/ ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu) ?? [];

export const tokenizer = new Tokenizer(420);

/** Each token by itself. */
export const pieceTexts = tokenizer.pieces.map((piece) => piece.toString());
