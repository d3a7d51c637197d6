/** Servers that cannot be forced, known by what they say: each is refused by its name, with what to do instead. */

import type { JsonObject } from '../core/json.ts';
import { isJsonObject } from '../core/json.ts';
import type { Listing } from '../core/protocol.ts';

interface KnownServer {
  readonly name: string;
  /** What it does not do. */
  readonly lacks: string;
  readonly instead: string;
  /** True where a rendered prompt is put into the model's chat template once more. */
  readonly rendersAgain?: true;
}

const ELSEWHERE = 'serve the model on vLLM or SGLang, or use Fireworks';

const SERVERS = {
  ollama: {
    name: 'Ollama',
    lacks: 'no log probabilities of a prompt',
    instead: `it also puts the chat template around a prompt that is rendered already: ${ELSEWHERE}`,
    rendersAgain: true,
  },
  llamaCpp: {
    name: "llama.cpp's server",
    lacks: 'no log probabilities of a prompt',
    instead: 'run the GGUF file itself (a provider of type llama, docs/local.md), or serve the model on vLLM or SGLang',
  },
  lmStudio: { name: 'LM Studio', lacks: 'no log probabilities on /completions', instead: ELSEWHERE },
  tgi: {
    name: 'Text Generation Inference',
    lacks: 'no echo on its OpenAI route',
    instead: `only its own /generate tells them (decoder_input_details), which is not spoken here: ${ELSEWHERE}`,
  },
  openai: { name: 'OpenAI', lacks: 'no log probabilities of a prompt on its chat models', instead: ELSEWHERE },
} as const satisfies Readonly<Record<string, KnownServer>>;

interface Evidence {
  /** The last reply, where there is one. */
  readonly raw: JsonObject | undefined;
  /** What it said when it refused. */
  readonly message: string | undefined;
  readonly identity: string;
  readonly listing: Listing | undefined;
}

/** The server behind the words, where it is one of those. */
export function knownServer({ raw = {}, message = '', identity, listing }: Evidence): KnownServer | undefined {
  const mark = typeof raw.system_fingerprint === 'string' ? raw.system_fingerprint : '';
  const owner = listing?.owners.values().next().value;
  if (mark === 'fp_ollama' || owner === 'library') return SERVERS.ollama;
  if (owner === 'llamacpp' || /^b\d+-[0-9a-f]{6,}$/.test(mark) || isJsonObject(raw.timings)) return SERVERS.llamaCpp;
  if (/only no echo is supported/i.test(message)) return SERVERS.llamaCpp;
  if (owner === 'organization_owner' || isJsonObject(raw.stats)) return SERVERS.lmStudio;
  if (/-(?:native|sha-[0-9a-f]+)$/.test(mark) || /max_new_tokens|decoder_input_details/.test(message))
    return SERVERS.tgi;
  return /(?:^|\/\/|\.)api\.openai\.com(?:[:/]|$)/.test(identity) ? SERVERS.openai : undefined;
}
