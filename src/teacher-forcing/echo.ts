/** An echo as servers give it, and what can be wrong with one. */

/** What a server echoed for prompt and response joined. */
export interface Echo {
  readonly tokens: readonly string[];
  /** Nats; null for the first token, which nothing precedes. */
  readonly tokenLogprobs: readonly (number | null)[];
  readonly tokenIds?: readonly number[];
  /** Not used to find the boundary: servers count bytes, code points or decoded halves. Checked for length only. */
  readonly textOffset?: readonly number[];
}

export interface AlignOptions {
  /** The template's beginning-of-text token; null where the model has none. */
  readonly bosToken: string | null;
  /** Tokens generated beyond the text, to be dropped: the `max_tokens` of the echoing call. */
  readonly extraTokens: 0 | 1;
  /** What was sent, where it was sent as token ids. The boundary is then found by ids alone. */
  readonly sentIds?: { readonly prompt: readonly number[]; readonly response: readonly number[] };
}

export type AlignStatus =
  /** The response has no text, so there is nothing to force. */
  | 'empty_response'
  /** The server does not echo log probabilities, or echoes one entry. */
  | 'echo_unsupported'
  /** Arrays of different lengths, tokens left over, or a null after the first token. */
  | 'shape'
  /** The beginning-of-text token is there twice, or not at all. */
  | 'bos'
  /** The server cut the text at its left or right end. */
  | 'truncated'
  /** The echoed tokens do not spell the text. */
  | 'text_mismatch'
  /** The echoed ids are not those that were sent. */
  | 'retokenized'
  /** A token spans the boundary, or no one can tell on which side it stands. */
  | 'boundary_span'
  /** A log probability that is none: NaN, positive, or a server's stand-in for minus infinity. */
  | 'bad_value'
  /** Near certainty over a long response: the answer of a broken server rather than of a model. */
  | 'suspicious';
