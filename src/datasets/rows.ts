/** The rows that pass between the stages of the shipped experiment. */

import type { Usage } from '../core/call.ts';
import type { JsonObject } from '../core/json.ts';
import type { ItemName } from '../core/kind.ts';
import type { Turn } from './conversation.ts';
import type { Scale } from './scale.ts';

/** A row of `prompts`. */
export type PromptRow = {
  readonly prompt_id: string;
  readonly prompt: string;
  /** The row of the source that it was read from, counted from 0; absent for built-in prompts. */
  readonly source_row?: number;
} & PromptExtras;

/** What goes along with a prompt to whoever answers or judges it. */
type PromptExtras = {
  /** All turns up to the last of the user, where they are more than the prompt alone. */
  readonly messages?: readonly Turn[];
  /** The answer that is known to be right, for judges. */
  readonly reference?: string;
  /** Further columns of the source that the pipeline keeps, for judges. */
  readonly columns?: Readonly<Record<string, string>>;
};

/** A row of `responses`; carries its prompt, so that what follows needs no join. */
export type ResponseRow = {
  readonly prompt_id: string;
  readonly prompt: string;
  /** `ok`, or why there is no response. */
  readonly status: string;
  /** Null unless the status is `ok`. */
  readonly response: string | null;
  /** `stop`, `length` or the server's word. */
  readonly finish_reason: string | null;
  /** The model that answered, by its own account. */
  readonly model: string | null;
  readonly temperature: number;
  readonly top_p: number;
  readonly usage: UsageRow | null;
  readonly token_ids?: readonly number[];
  readonly prompt_token_ids?: readonly number[];
  readonly sampled?: SampledTokens;
  /** What a reasoning model thought before it answered; never judged or labelled. */
  readonly thoughts?: string;
  /**
   * All that the model wrote, where the response is a part of it and the text stands for the whole. A policy draws its
   * thoughts as it draws its answer, so that weights are of both.
   */
  readonly generated?: string;
} & DrawIndex &
  PromptExtras;

/** Which of a policy's answers to a prompt a row is of; absent where there is one. */
type DrawIndex = { readonly draw_index?: number };

/** The tokens that a response was sampled as, kept where its model's `forcing:` asks for it. */
export type SampledTokens = {
  /** Stands for the model and the prompt that it was given. */
  readonly author: string;
  /** How many of the tokens are the response's: the one that ended it is not. Null where nothing tells. */
  readonly count: number | null;
  /** As the server shows them. */
  readonly tokens: readonly string[];
  /** Nats, at generation. */
  readonly logprobs: readonly (number | null)[];
  readonly ids?: readonly number[];
};

/** A row of `logprobs`: the log probability of P0's response under one policy. */
export type LogprobRow = {
  readonly prompt_id: string;
  /** `ok`, or why there is no number; never a number for a failure. */
  readonly status: string;
  /** Nats, summed over the response's tokens, mean over the passes; null unless the status is `ok`. */
  readonly logprob: number | null;
  readonly tokens: number | null;
  /** Standard deviation over the passes, nats; null for one pass. */
  readonly spread: number | null;
  readonly model: string | null;
  /** Present where the forced model wrote the response itself, and told its log probabilities then. */
  readonly check?: GenerationCheck;
  /** Present where `logprob` is of the law that the policy samples by: the law, the value at temperature 1, the error bound. */
  readonly as_sampled?: {
    readonly temperature: number;
    readonly top_p: number;
    readonly raw: number;
    /** Nats, of the response. */
    readonly bound: number;
  };
};

/** Forced values f beside those of generation g, over one response's tokens. */
export type GenerationCheck = {
  /** Nats, summed. */
  readonly generated: number;
  /** `agrees`, `differs`, or the way in which they differ: `zeroed`, `shifted`, `scaled`, `rounded`, `probability`. */
  readonly agreement: string;
  /** Tokens with g below −0.1: the others say nothing of a scale. */
  readonly informative: number;
  /** Over these, Σ g², Σ f·g, and the median and the largest |f − g|. */
  readonly gg: number;
  readonly fg: number;
  readonly median: number;
  readonly largest: number;
};

/** A row of `scores`. */
export type ScoreRow = {
  readonly prompt_id: string;
  readonly status: string;
  /** On [0, 1]; null unless the status is `ok`. */
  readonly score: number | null;
  /** What the judge was asked to score on; absent where its file names none, and for [0, 1]. */
  readonly scale?: Scale;
  /** The judge's own variance on the unit scale; 0 for a deterministic judge. */
  readonly variance: number | null;
  readonly model: string | null;
  /** The judge's reasons, in its words. */
  readonly rationale?: string;
  /** Each criterion on the unit scale. */
  readonly criteria?: Readonly<Record<string, number>>;
  /** The scores of several draws, whose mean is the score. */
  readonly draws?: readonly number[];
  /** Of a comparison: the score with the response first, and with it second; they differ where position counts. */
  readonly orders?: readonly [number, number];
  /** The reply was not what was asked for, and could be read all the same. */
  readonly repaired?: boolean;
} & DrawIndex;

/** A row of `oracle`. */
export type LabelRow = {
  readonly policy: string;
  readonly prompt_id: string;
  readonly split: 'calibration' | 'validation';
  readonly status: string;
  /** On [0, 1]; null unless the status is `ok`. */
  readonly label: number | null;
  /** The scale that it was given on, and that results are told in; absent for [0, 1]. */
  readonly scale?: Scale;
  readonly model: string | null;
  /** People whose labels were averaged; absent for a model's. */
  readonly raters?: number;
  /** The digest of the text that people labelled. */
  readonly text?: string;
  /** Why, in the words of the model that labelled. */
  readonly rationale?: string;
} & DrawIndex;

type UsageRow = {
  readonly input: number;
  readonly output: number;
};

/** Null where the reply counts nothing. */
export const usageRow = ({ inputTokens, outputTokens }: Usage): UsageRow | null =>
  inputTokens + outputTokens === 0 ? null : { input: inputTokens, output: outputTokens };

/** The name of a row that is of one prompt, and of one policy where it says so. */
export function promptItem({ prompt_id: prompt, policy, draw_index: draw }: JsonObject): ItemName {
  if (typeof prompt !== 'string') return {};
  const id = typeof draw === 'number' ? drawName(prompt, draw) : prompt;
  return { id, prompt, ...(typeof policy === 'string' ? { policy } : {}) };
}

/** The first answer to a prompt goes by the prompt's own id. */
export const drawName = (promptId: string, draw: number | undefined): string =>
  (draw ?? 0) === 0 ? promptId : `${promptId}#${draw}`;

/** The name of a row that stands for a policy: it goes by its number, and is found by the policy too. */
export const policyItem = ({ policy }: JsonObject): ItemName => (typeof policy === 'string' ? { policy } : {});

/** Tokens of a text before any server has counted them: about four bytes each. */
export const roughTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / 4);

/** Tokens of a typical Arena prompt and response, for estimates made before there is data. */
export const TYPICAL = { promptTokens: 60, responseTokens: 350 } as const;

/** From here work on all rows takes long enough to be felt by whatever else the build does meanwhile. */
export const ROWS_TO_BE_HEAVY = 2_000;
