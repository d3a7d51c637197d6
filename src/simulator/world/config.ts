/** Everything in the simulated world that can be turned; with the world's code, all that its replies depend on. */

import { canonicalJson } from '../../core/json.ts';

export type WorldConfig = {
  /**
   * A policy's leaning θ: the log odds of each level of quality against the one below it, before difficulty. Higher
   * answers better.
   */
  readonly leaning: {
    /** `sim-base` without a system prompt. */
    readonly base: number;
    /** Added for a system prompt that asks for steps. */
    readonly stepByStep: number;
    /** Added for `sim-large`. */
    readonly large: number;
    /** In place of `base`, for a system prompt that wants to be unhelpful, confuse or waste time. */
    readonly unhelpful: number;
    /** Any other system prompt moves θ by at most this much, by its hash. */
    readonly otherSystem: number;
    /** In place of `base`, for a prompt that came without a chat template. */
    readonly withoutTemplate: number;
  };
  /** What each step of difficulty takes from θ. */
  readonly difficultyStep: number;
  /** Difficulties are 0 … difficulties − 1, equally likely. */
  readonly difficulties: number;
  /** Sentences of a response, from `fewest` to `most`, equally likely. */
  readonly sentences: { readonly fewest: number; readonly most: number };
  /** Share of responses that open with a newline, under every policy. */
  readonly leadingNewline: number;
  /** Share of the uniform distribution in every token's scored probability. */
  readonly uniformShare: number;
  /**
   * True: a template's closing newlines are text, so a response's leading newline merges with them and only token ids
   * keep the boundary. False: they belong to the control token.
   */
  readonly mergeTemplateNewlines: boolean;
  readonly judge: {
    /** The rubric's hash bends scores, s^(1+κ), by |κ| ≤ this. */
    readonly bend: number;
    /** Standard deviation of the score's noise at temperature 1, on the unit scale. */
    readonly noise: number;
  };
  readonly label: {
    /** Expected label of the worst and of the best response, on the unit scale. */
    readonly worst: number;
    readonly best: number;
    /** A label differs from its expectation by at most this, uniformly. */
    readonly noise: number;
  };
  /** Tokens of prompt and reply together that a model takes. */
  readonly contextTokens: number;
};

export const DEFAULT_WORLD: WorldConfig = {
  leaning: {
    base: 0.3,
    stepByStep: 0.4,
    large: 0.55,
    unhelpful: -1.6,
    otherSystem: 0.05,
    withoutTemplate: -0.2,
  },
  difficultyStep: 0.12,
  difficulties: 5,
  sentences: { fewest: 6, most: 10 },
  leadingNewline: 0.11,
  uniformShare: 1e-6,
  mergeTemplateNewlines: false,
  judge: { bend: 0.2, noise: 0.05 },
  label: { worst: 0.1, best: 0.9, noise: 0.1 },
  contextTokens: 131_072,
};

/** The text that stands for a configuration in the simulator's identity. */
export function worldConfigText(config: WorldConfig): string {
  return canonicalJson(config);
}
