/** The ways in which real servers answer, right and wrong. */

export interface Ways {
  /** How a token is shown whose bytes are no text. */
  readonly show?: 'replaced' | 'deferred' | 'hidden' | 'latin1' | 'pieces' | 'named' | 'bytes' | 'sentencepiece';
  /** In which shape log probabilities come. */
  readonly shape?: 'lists' | 'content' | 'separate';
  /** Where ids come, if they do. */
  readonly ids?: 'choice' | 'logprobs' | 'none';
  /** What becomes of ids that are sent. */
  readonly takesIds?: 'yes' | 'decoded' | 'refused';
  /** How the beginning of a text is written and shown. */
  readonly bos?: 'once' | 'twice' | 'never' | 'hidden' | 'left-out';
  /** Tokens generated where none is asked for. */
  readonly extra?: 'none' | 'one' | 'refuses-zero';
  readonly usage?: 'true' | 'none';
  /** Whether alternatives are told. */
  readonly top?: 'asked' | 'one' | 'none';
  /** What `echo` does. */
  readonly echo?: 'echoes' | 'ignored';
  /** SGLang's own route: there, not there, or deaf to where it is to begin. */
  readonly generate?: 'there' | 'absent' | 'from-0' | 'one-late';
  /** Whether a finished answer's tokens hold the one that ended it. */
  readonly end?: 'kept' | 'dropped';
  /** Tokens that prompt and answer may have together; the prompt is cut on its left to make room. */
  readonly window?: number;
  /** What is wrong with the values. `both`: at generation and when forced. */
  readonly wrong?:
    | 'shifted'
    | 'shifted-null'
    | 'base-2'
    | 'base-2-both'
    | 'scaled'
    | 'probability'
    | 'offset'
    | 'zeros'
    | 'zeros-tail'
    | 'nulls'
    | 'positive'
    | 'clamped'
    | 'cut-left'
    | 'cut-right';
}
