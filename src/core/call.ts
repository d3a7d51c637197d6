/** One API request of an item, what comes back, and what can go wrong. */

import type { Digest } from './digest.ts';
import type { JsonObject } from './json.ts';
import type { Pieces } from './pieces.ts';

/** A model's chat template as its file has it. */
export type TemplateFile = {
  /** Jinja. */
  readonly source: string;
  /** The beginning-of-text token; null for models that have none. */
  readonly bos: string | null;
  readonly variables: JsonObject;
  /** Control tokens that the tokenizer knows. */
  readonly special: readonly string[];
};

export type Forcing = 'ids' | 'generate' | 'text' | 'chat';

/** How a model wants to be spoken to. All of it shows in the bytes that are sent. */
export type Dialect = {
  /** The chat template that turns messages into a prompt for `/completions`. */
  readonly template: string;
  /** The model's own template, where a file holds it. */
  readonly jinja?: TemplateFile;
  /** Who writes the beginning-of-text token: the server, or we in the prompt. */
  readonly bos: 'server' | 'prompt';
  readonly tokenLimit: 'max_tokens' | 'max_completion_tokens';
  /** False for models that take no temperature but their own. */
  readonly temperature: boolean;
  /** What to ask for when only the echo is wanted; some servers refuse 0. */
  readonly echoTokens: 0 | 1;
  /**
   * How a response is forced, and that its tokens are kept when it is generated: by their ids, by their ids through
   * SGLang's own `/generate`, by its text, or as a message through vLLM's `prompt_logprobs`. Absent: by its text, and
   * nothing is kept to check it by.
   */
  readonly forcing?: Forcing;
  /**
   * What it takes in place of a JSON schema: `object` for any JSON object, `none` for words alone; the schema is then said
   * in the prompt. Absent for models that are held to the schema, so that their keys stay what they were.
   */
  readonly json?: 'object' | 'none';
  /** Extra body fields that this server needs, such as `context_length_exceeded_behavior`. */
  readonly extra: JsonObject;
};

/** A model as it enters keys: who serves it, under which name, in which dialect. Never an alias, a limit or a price. */
export type ModelRef = {
  readonly identity: string;
  readonly model: string;
  readonly dialect: Dialect;
  /** The API it is asked by. Absent for OpenAI's, so that their keys stay what they were. */
  readonly protocol?: ProtocolName;
};

/** The APIs that a provider file can name beside OpenAI's. */
export type ProtocolName = 'anthropic-messages';

export type Decoded<R> =
  | { readonly ok: true; readonly value: R }
  | {
      readonly ok: false;
      readonly problem: string;
      /** What the failure is called; `malformed_reply` where absent. */
      readonly reason?: PermanentFailure['reason'];
    };

/** A body and its canonical text: `pieces` joined are `canonicalJson(body)`. */
export interface WrittenBody {
  readonly body: JsonObject;
  readonly pieces: Pieces;
}

/** A request before it is keyed. `body` is exactly the JSON that is sent. */
export interface Request<R = unknown> {
  readonly identity: string;
  /** Where it is sent, below the base URL; its protocol is found by it. */
  readonly path: string;
  readonly body: JsonObject;
  /** The canonical text of a body, where whoever made it has it at hand; it counts only for that very object. */
  readonly written?: WrittenBody;
  /** Which independent sample of this request is wanted; part of the key. */
  readonly draw: string;
  /** Reads the raw reply. Outside the key, pure: the same reply always reads the same. */
  readonly decode: (raw: unknown) => Decoded<R>;
}

/** A request with its key and the text behind it. */
export interface KeyedCall<R = unknown> {
  readonly request: Request<R>;
  readonly key: Digest;
  /** The canonical text whose digest is the key; stored beside the reply and compared on every hit. */
  readonly text: string;
  /** The same in pieces. */
  readonly pieces: Pieces;
  /** UTF-8 bytes of `text`. */
  readonly bytes: number;
  /** The canonical body: the bytes that are sent. */
  readonly body: string;
}

/** Tokens as the server counted them. */
export interface Usage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
}

export const NO_USAGE: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };

/** Will not go better when asked again: an answer about the request itself. Kept in the ledger of failures. */
export interface PermanentFailure {
  readonly class: 'permanent';
  readonly reason:
    | 'refused'
    | 'filtered'
    | 'empty_response'
    | 'wrong_model'
    | 'context_overflow'
    | 'rejected'
    | 'key_repeated'
    | 'malformed_reply';
  readonly message: string;
  /** The model that answered, where it is not the one that was asked. */
  readonly answeredBy?: string;
}
/** May go better later; retried by the transport, and reported only when its retries or the time for it are spent. */
export interface TransientFailure {
  readonly class: 'transient';
  readonly reason:
    | 'rate_limited'
    | 'overloaded'
    | 'timeout'
    | 'connection'
    | 'server_error'
    | 'bad_reply'
    /** Its batch came back without it. */
    | 'lost_in_batch'
    /** Its batch was refused as a whole. */
    | 'batch_refused'
    /** Its batch was refused because the account has too much waiting. */
    | 'batch_limit';
  readonly message: string;
  /** Set where time ran out, not tries: the server asks for more than a build waits, or took it. */
  readonly outOfTime?: true;
}
/** Nothing this provider is asked can succeed: stop asking. */
export interface FatalFailure {
  readonly class: 'fatal';
  readonly reason:
    | 'no_key'
    | 'bad_key'
    | 'no_credit'
    | 'unknown_model'
    | 'not_allowed'
    /** It answers with the address of another place. */
    | 'moved'
    /** Its certificate is not trusted. */
    | 'untrusted'
    /** A setting of the provider file cannot be used. */
    | 'bad_setting'
    /** The engine that runs models in this machine has ended. */
    | 'engine_lost';
  readonly message: string;
}
/** Not sent, or its answer not awaited, because the build is stopping. */
export interface StoppedCall {
  readonly class: 'stopped';
  readonly reason:
    | 'budget'
    | 'interrupted'
    | 'offline'
    /** Redis, which carries calls to the till, is gone. */
    | 'no_till'
    /** The till could not buy, or its answer cannot be read. */
    | 'till_failed'
    /** What the account may spend is spent. */
    | 'till_cap'
    /** A till that is gone has the answer, and nobody else. */
    | 'elsewhere'
    /** Tills have died with the call, and a person must say whether it is bought again. */
    | 'unresolved';
  readonly message: string;
}
export type CallFailure = PermanentFailure | TransientFailure | FatalFailure | StoppedCall;

/** What a generator is answered. Transient failures never reach it. */
export type Answer<R> =
  | { readonly ok: true; readonly reply: R; readonly usage: Usage }
  | { readonly ok: false; readonly failure: PermanentFailure };

/** The typed side of `yield`: asks, and hands back the answer with the reply's type. */
export function* ask<R>(request: Request<R>): Generator<Request, Answer<R>, Answer<unknown>> {
  return (yield request) as Answer<R>;
}
