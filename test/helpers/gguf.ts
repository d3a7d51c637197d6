/**
 * Writes a tiny model file of llama's architecture: byte-level pairs learnt from a text of our own, weights from a seed,
 * and an output layer that follows the text's pairs of tokens, so that answers are neither uniform nor certain.
 */

import { seeded } from './crashing.ts';

const CORPUS = `Once upon a time a builder asked what it costs to build the house again. The answer is in the question: only
what was changed. We build the walls, the roof and the door; then we ask the neighbours, and they say what they think.
Здравствуйте, меня зовут Анна. Сколько стоит дом? 東京は日本の首都です。नमस्ते दुनिया, आप कैसे हैं?
Ça va très bien, merci, l'été est là. Größe, Straße, Übung. √2 ≈ 1.414, ∑ x² ≤ ∫ f. 🙂 👍 🎉 🙂
1. First, read the question.\n2. Then, answer it.\n\nYes.\n\nNo.\n\n`;

export const CONTROLS = ['<|begin_of_text|>', '<|eot|>', '<|header_start|>', '<|header_end|>', '<|end_of_text|>'];
const MERGES = 200;
const WIDTH = 64;
const FORWARD = 128;
const LAYERS = 2;
const HEADS = 4;
const KEY_HEADS = 2;

/** A template in the manner of Llama 4, which writes the beginning of the text itself. */
export const TEMPLATE =
  "{{ bos_token }}{% for message in messages %}{{ '<|header_start|>' + message['role'] + '<|header_end|>\\n\\n' + message['content'] + '<|eot|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|header_start|>assistant<|header_end|>\\n\\n' }}{% endif %}";

/** GPT-2's printable letters for bytes. */
const LETTERS = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const own = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCodePoint(own ? byte : next++);
  });
})();

function learnPairs(): { readonly tokens: string[]; readonly merges: string[]; readonly words: string[][] } {
  const tokens = [...LETTERS];
  const merges: string[] = [];
  const words = (CORPUS.match(/ ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+/gu) ?? []).map((word) =>
    [...Buffer.from(word)].map((byte) => LETTERS[byte]!),
  );
  while (merges.length < MERGES) {
    const counts = new Map<string, number>();
    for (const word of words) {
      for (let at = 0; at + 1 < word.length; at++) {
        const pair = `${word[at]} ${word[at + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    const [pair, count] = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0] ?? ['', 0];
    if (count < 2) break;
    const [left, right] = pair.split(' ') as [string, string];
    merges.push(pair);
    tokens.push(left + right);
    for (const word of words) {
      for (let at = 0; at + 1 < word.length; at++) {
        if (word[at] === left && word[at + 1] === right) word.splice(at, 2, left + right);
      }
    }
  }
  return { tokens, merges, words };
}

const learnt = learnPairs();

interface Tensor {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly data: Float32Array;
}

function tensorsOf(seed: number, vocabulary: readonly string[]): Tensor[] {
  const random = seeded(seed);
  const normal = (scale: number) => scale * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const filled = (name: string, scale: number, ...dimensions: number[]): Tensor => ({
    name,
    dimensions,
    data: Float32Array.from({ length: dimensions.reduce((a, b) => a * b) }, () => normal(scale)),
  });
  const ones = (name: string): Tensor => ({ name, dimensions: [WIDTH], data: new Float32Array(WIDTH).fill(1) });
  const embedding = filled('token_embd.weight', 1, WIDTH, vocabulary.length);
  const output = filled('output.weight', 0.06, WIDTH, vocabulary.length);
  const ids = new Map(vocabulary.map((token, id) => [token, id]));
  const follow = (before: number, after: number, weight: number) => {
    for (let at = 0; at < WIDTH; at++) {
      output.data[after * WIDTH + at]! += (weight / WIDTH) * embedding.data[before * WIDTH + at]!;
    }
  };
  const all = learnt.words.flat().map((token) => ids.get(token)!);
  for (let at = 0; at + 1 < all.length; at++) follow(all[at]!, all[at + 1]!, 2 + random());
  for (const token of learnt.words.map((word) => word.at(-1)!)) {
    if (/[.?]$/.test(token)) follow(ids.get(token)!, ids.get('<|eot|>')!, 2 + random());
  }
  for (const word of learnt.words)
    if (/^[A-Z]/.test(word[0]!)) follow(ids.get('ĊĊ') ?? ids.get('Ċ')!, ids.get(word[0]!)!, 2);
  const keyWidth = (WIDTH / HEADS) * KEY_HEADS;
  const layers = Array.from({ length: LAYERS }, (_, layer) => [
    ones(`blk.${layer}.attn_norm.weight`),
    filled(`blk.${layer}.attn_q.weight`, 0.06, WIDTH, WIDTH),
    filled(`blk.${layer}.attn_k.weight`, 0.06, WIDTH, keyWidth),
    filled(`blk.${layer}.attn_v.weight`, 0.06, WIDTH, keyWidth),
    filled(`blk.${layer}.attn_output.weight`, 0.06, WIDTH, WIDTH),
    ones(`blk.${layer}.ffn_norm.weight`),
    filled(`blk.${layer}.ffn_gate.weight`, 0.06, WIDTH, FORWARD),
    filled(`blk.${layer}.ffn_up.weight`, 0.06, WIDTH, FORWARD),
    filled(`blk.${layer}.ffn_down.weight`, 0.06, FORWARD, WIDTH),
  ]).flat();
  return [embedding, ones('output_norm.weight'), output, ...layers];
}

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const f32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
};
const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

type Value =
  | { readonly type: 'u32'; readonly value: number }
  | { readonly type: 'f32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'i32s'; readonly value: readonly number[] };

function valueBytes(item: Value): Buffer {
  switch (item.type) {
    case 'u32':
      return Buffer.concat([u32(4), u32(item.value)]);
    case 'f32':
      return Buffer.concat([u32(6), f32(item.value)]);
    case 'bool':
      return Buffer.concat([u32(7), Buffer.from([item.value ? 1 : 0])]);
    case 'string':
      return Buffer.concat([u32(8), text(item.value)]);
    case 'strings':
      return Buffer.concat([u32(9), u32(8), u64(item.value.length), ...item.value.map(text)]);
    case 'i32s':
      return Buffer.concat([u32(9), u32(5), u64(item.value.length), Buffer.from(Int32Array.from(item.value).buffer)]);
  }
}

const ALIGNMENT = 32;
const padded = (bytes: Buffer) =>
  Buffer.concat([bytes, Buffer.alloc((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT)]);

export interface TinyModel {
  readonly seed: number;
  readonly name?: string;
  /** Null for a file that has none. */
  readonly template?: string | null;
  /** Keys to leave out. */
  readonly without?: readonly string[];
}

export function tinyGguf({ seed, name = 'tiny', template = TEMPLATE, without = [] }: TinyModel): Buffer {
  const vocabulary = [...learnt.tokens, ...CONTROLS];
  const idOf = (control: string) => vocabulary.indexOf(control);
  const number = (value: number): Value => ({ type: 'u32', value });
  const keys: Record<string, Value> = {
    'general.architecture': { type: 'string', value: 'llama' },
    'general.name': { type: 'string', value: name },
    'general.file_type': number(0),
    'llama.context_length': number(4096),
    'llama.embedding_length': number(WIDTH),
    'llama.block_count': number(LAYERS),
    'llama.feed_forward_length': number(FORWARD),
    'llama.attention.head_count': number(HEADS),
    'llama.attention.head_count_kv': number(KEY_HEADS),
    'llama.attention.layer_norm_rms_epsilon': { type: 'f32', value: 1e-5 },
    'llama.rope.dimension_count': number(WIDTH / HEADS),
    'llama.rope.freq_base': { type: 'f32', value: 10_000 },
    'llama.vocab_size': number(vocabulary.length),
    'tokenizer.ggml.model': { type: 'string', value: 'gpt2' },
    'tokenizer.ggml.pre': { type: 'string', value: 'llama-bpe' },
    'tokenizer.ggml.tokens': { type: 'strings', value: vocabulary },
    'tokenizer.ggml.merges': { type: 'strings', value: learnt.merges },
    'tokenizer.ggml.token_type': { type: 'i32s', value: vocabulary.map((token) => (CONTROLS.includes(token) ? 3 : 1)) },
    'tokenizer.ggml.bos_token_id': number(idOf('<|begin_of_text|>')),
    'tokenizer.ggml.eos_token_id': number(idOf('<|eot|>')),
    'tokenizer.ggml.add_bos_token': { type: 'bool', value: true },
    ...(template === null ? {} : { 'tokenizer.chat_template': { type: 'string', value: template } as const }),
  };
  const written = Object.entries(keys).filter(([key]) => !without.includes(key));
  const tensors = tensorsOf(seed, vocabulary);
  let offset = 0;
  const infos = tensors.map(({ name: tensor, dimensions, data }) => {
    const info = Buffer.concat([text(tensor), u32(dimensions.length), ...dimensions.map(u64), u32(0), u64(offset)]);
    offset += Math.ceil(data.byteLength / ALIGNMENT) * ALIGNMENT;
    return info;
  });
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(written.length),
    ...written.flatMap(([key, value]) => [text(key), valueBytes(value)]),
    ...infos,
  ]);
  return Buffer.concat([padded(head), ...tensors.map(({ data }) => padded(Buffer.from(data.buffer)))]);
}
