/** An echo as servers give it, and what can be wrong with one. */

/** What a server echoed for prompt and response joined. */
export interface Echo {
  readonly tokens: readonly string[];
  /** Nats; null for the first token, which nothing precedes. */
  readonly tokenLogprobs: readonly (number | null)[];
  readonly tokenIds?: readonly number[];
  /** The UTF-8 bytes of each token, from servers that tell them; null for one of which they are not told. */
  readonly tokenBytes?: readonly (readonly number[] | null)[];
  /** Not used to find the boundary: servers count bytes, code points or decoded halves. Checked for length only. */
  readonly textOffset?: readonly number[];
}

/** Tokens as they were sent: those of the prompt with its beginning-of-text token, and those of the response. */
export interface SentIds {
  readonly prompt: readonly number[];
  readonly response: readonly number[];
}

/** What a reply says of how many tokens it read. */
export interface ReplyCounts {
  /** The prompt's tokens, with the beginning-of-text token, shown or not. */
  readonly prompt?: number;
  /** True where the prompt's ids came back, so that they were counted here and not by the server. */
  readonly byIds?: boolean;
  /** Tokens that the server says it generated. */
  readonly generated?: number;
  /** The prompt's tokens came in a part of their own, which never holds a generated one. */
  readonly separate?: boolean;
}

export interface AlignOptions {
  /** The template's beginning-of-text token; null where the model has none. */
  readonly bosToken: string | null;
  /** What the echoing call asked for with `max_tokens`. What came beyond the text is told by the reply, never by this. */
  readonly extraTokens: 0 | 1;
  readonly counts?: ReplyCounts;
  /** What was sent, where it was sent as token ids. The boundary is then found by ids alone. */
  readonly sentIds?: SentIds;
}

type AlignStatus =
  /** The response has no text, so there is nothing to force. */
  | 'empty_response'
  /** The server does not echo log probabilities, or echoes one entry. */
  | 'echo_unsupported'
  /** Arrays of different lengths, tokens left over, a null after the first token, or a value before any token. */
  | 'shape'
  /** The beginning-of-text token is there twice, or not at all. */
  | 'bos'
  /** The server cut the text at its left or right end. */
  | 'echo_cut'
  /** The echoed tokens do not spell the text. */
  | 'text_mismatch'
  /** The echoed tokens are not those that were sent, or not those that were generated. */
  | 'retokenized'
  /** A token spans the boundary, or no one can tell on which side it stands. */
  | 'boundary_span'
  /** Nothing tells whether the last tokens are the response's or were generated after it. */
  | 'ambiguous_end'
  /** The server hides the tokens of split characters, and what it shows allows more than one reading. */
  | 'hidden_characters'
  /** A log probability that is none: NaN, positive, or a server's stand-in for minus infinity. */
  | 'bad_value'
  /** Certainty over a long response or over a long stretch of one: the answer of a broken server rather than of a model. */
  | 'suspicious';

/** Why there is no number. */
export interface NotAligned {
  readonly status: AlignStatus;
  readonly detail: string;
}

/** The response's tokens: [from, to) of the echo. */
interface Aligned {
  readonly status: 'ok';
  readonly from: number;
  readonly to: number;
}

export type Alignment = Aligned | NotAligned;
