/** All that one API knows: how it is asked, and how what comes back is read. `src/protocols` has a folder for each. */

import type { BatchApiName } from './batch.ts';
import type { Decoded, ModelRef, PermanentFailure, Request, Usage } from './call.ts';
import type { Json, JsonObject } from './json.ts';
import type { QuotedText } from './pieces.ts';

/** Reads one header by its lower-case name. */
export type HeaderReader = (name: string) => string | null | undefined;

/** One limit as a server reports it. Absent where the server is silent or says something that cannot be. */
export interface LimitReport {
  /** Units a window; read as a minute, which is conservative where the window is longer. */
  readonly limit?: number;
  /** Units left when the reply was made. */
  readonly remaining?: number;
  /** Milliseconds until the window is whole again. */
  readonly resetMilliseconds?: number;
}

export interface RateReport {
  readonly requests: LimitReport;
  readonly tokens: LimitReport;
  /** The server answered, and says that it need not have. */
  readonly overLimit: boolean;
}

/** What an error's body says, in the codes that `providers/classify.ts` judges by. */
export interface ServerError {
  /** One line, not too long; never empty. */
  readonly message: string;
  /** The error's codes and types, in lower case. */
  readonly codes: readonly string[];
}

/** What a provider lists of its models. */
export interface Listing {
  readonly models: readonly string[];
  /** Tokens that a model's context holds, where the provider says so. */
  readonly contexts: ReadonlyMap<string, number>;
  /** Whom the models are said to belong to; servers write their own names there. */
  readonly owners: ReadonlySet<string>;
}

/** A text that a model is told: its role (`system`, `user`, `assistant`), or `prompt` for a text without one. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

export interface SaidTexts {
  readonly texts: readonly NamedText[];
  /** The rest of the body. */
  readonly settings: JsonObject;
}

/** What a reply with a status of success is worth. Status 200 proves nothing. */
export type Verdict =
  | { readonly type: 'answer' }
  /** It came, was most likely billed, and holds no answer; asking for the same again is for people to decide. */
  | { readonly type: 'no-answer'; readonly reason: NoAnswer; readonly message: string }
  /** The server broke down while it answered, and says so inside the reply; `error` is what it says there, if anything. */
  | { readonly type: 'error'; readonly message: string; readonly error?: Json };

export type NoAnswer = Extract<
  PermanentFailure['reason'],
  'malformed_reply' | 'empty_response' | 'filtered' | 'refused'
>;

export interface Protocol {
  readonly name: string;
  /** Below the base URL. A request's protocol is found by it. */
  readonly path: string;
  /** The batch APIs that take its requests. */
  readonly batches: readonly BatchApiName[];
  /** Whether a body asks for the log probabilities of its own prompt, which few batch APIs give. */
  echoes(body: JsonObject): boolean;
  /** Headers that say who asks, and in which version; without a credential, what is sent all the same. */
  auth(key: string | undefined): Readonly<Record<string, string>>;
  /** For limits, prices and bills; '' where the body names none. */
  modelOf(body: JsonObject): string;
  /** The most tokens that can be answered, over all prompts and choices; undefined where the body sets no cap. */
  outputCap(body: JsonObject): number | undefined;
  /** What the model is told, for `why`, `diff` and the viewer. */
  textsOf(body: JsonObject): SaidTexts;
  /** The text of a raw reply, for people; undefined where there is none, or where it only repeats the request. */
  answerOf(raw: JsonObject): string | undefined;
  /** Whether a reply is an answer. */
  verdictOf(raw: JsonObject): Verdict;
  /** The model that answered, by the server's account; undefined where it says none. */
  servedModel(raw: JsonObject): string | undefined;
  /** Why the model stopped: `stop`, `length`, or a server's own word; null where it said nothing. */
  endOf(raw: JsonObject): string | null;
  /** Undefined where the reply does not count its tokens, in numbers that can be. */
  usageOf(raw: JsonObject): Usage | undefined;
  /** Reads an error's body, parsed or a text. */
  errorOf(body: unknown): ServerError;
  rateReport(header: HeaderReader, now: number): RateReport;
  readonly models: {
    readonly path: string;
    /** Undefined where it is no list. */
    read(body: unknown): Listing | undefined;
  };
}

/** Finds the protocol of a request. @throws Error on a path that no protocol has. */
export type Protocols = (path: string) => Protocol;

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  /** With its JSON form, where that was joined from pieces. */
  readonly content: string | QuotedText;
}

/** What a reply tells of tokens, where it was asked for. */
interface SampledIds {
  /** Log probabilities; of an echo those of the prompt too, else of what was generated alone. */
  readonly echo?: EchoedTokens;
  readonly tokenIds?: readonly number[];
  readonly promptTokenIds?: readonly number[];
}

export interface ChatSettings {
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly topP?: number;
  /** Asks for a reply of this schema, as strictly as the API can. */
  readonly jsonSchema?: { readonly name: string; readonly schema: JsonObject };
  readonly seed?: number;
  /** How long a reasoning model may think, in the words of its server. */
  readonly reasoningEffort?: string;
  /** How many of the likeliest tokens to tell at each place, beside the log probability of the token itself. */
  readonly logprobs?: number;
  /** Ask for the ids of prompt and reply, where the server gives them. */
  readonly returnTokenIds?: boolean;
}

export interface ChatReply extends SampledIds {
  /** Null where the model refused, or said nothing. JSON where a schema was asked for. */
  readonly content: string | null;
  /** What a reasoning model thought before it answered, where the server tells it apart. */
  readonly reasoning: string | null;
  /** `stop`, `length`, `content_filter`, or a server's own word. */
  readonly finishReason: string | null;
  /** The model that answered, by its own account. */
  readonly model: string | null;
  readonly usage: Usage;
}

/** An API of messages: what judges, oracles and chat policies use. */
export interface ChatProtocol extends Protocol {
  /** Requests that differ in their messages and draws: what is the same in all of them is written once. */
  form(model: ModelRef, settings: ChatSettings): (messages: readonly Message[], draw: string) => Request<ChatReply>;
  decode(raw: unknown): Decoded<ChatReply>;
}

export interface CompletionArguments {
  /** A rendered prompt, or the token ids of one. */
  readonly prompt: string | readonly number[];
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly stop?: readonly string[];
  /** Repeat the prompt at the head of the reply. */
  readonly echo?: boolean;
  /** How many alternatives to report at each token; any value asks for the log probabilities of the tokens themselves. */
  readonly logprobs?: number;
  readonly seed?: number;
  /** Ask for the ids of prompt and reply, where the server gives them. */
  readonly returnTokenIds?: boolean;
}

/** Tokens with their log probabilities in nats; the arrays are as the server sent them, lengths unchecked. */
export interface EchoedTokens {
  readonly tokens: readonly string[];
  readonly tokenLogprobs: readonly (number | null)[];
  readonly tokenIds?: readonly number[];
  /** UTF-8 bytes of each token; null for one of which the server does not tell them. */
  readonly tokenBytes?: readonly (readonly number[] | null)[];
  readonly textOffset?: readonly number[];
  /** Values of the likeliest tokens of each place, in nats; null where none were told. */
  readonly likeliest?: readonly (readonly number[] | null)[];
}

export interface CompletionReply extends SampledIds {
  readonly text: string;
  /** What a reasoning model thought, where the server takes it out of the text. */
  readonly reasoning?: string;
  /** `stop`, `length`, or a server's own word; null where it said none. */
  readonly finishReason: string | null;
  /** The model that answered, by its own account. */
  readonly model: string | null;
  readonly usage: Usage;
  /** The prompt's tokens came in a part of their own, which holds no generated one. */
  readonly separateEcho?: true;
}

/** An API of raw text: completions, and the echo that teacher forcing reads. */
export interface TextProtocol extends Protocol {
  /** Absent arguments are absent from the body. */
  complete(model: ModelRef, args: CompletionArguments, draw: string): Request<CompletionReply>;
  /** The log probabilities of a text that is there already: prompt and response joined. */
  force(
    model: ModelRef,
    text: string | readonly number[],
    draw: string,
    options?: { readonly returnTokenIds?: boolean; readonly logprobs?: number },
  ): Request<CompletionReply>;
  decode(raw: unknown): Decoded<CompletionReply>;
}
