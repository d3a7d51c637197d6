/** Thresholds below which a number is not given: of the data, and of one (policy, estimator) cell. */

import { z } from 'zod';

const share = () => z.number().min(0).max(1);

export const gatesSchema = z.strictObject({
  /** Gates on a policy's answers and log probabilities; a failed one refuses whatever uses them. */
  data: z.strictObject({
    /** Smallest share of rows with a usable log probability. */
    usable_share: share().default(0.95),
    /** Largest share of rows whose log probability is exactly 0. */
    zero_rate: share().default(0.04),
    /** Largest |mean raw weight − 1| of the clone: a second sample of the logger must weigh 1. */
    clone_mean_tolerance: z.number().positive().default(0.1),
    /** Smallest effective sample size of the clone, as a share of n. */
    clone_ess_share: share().default(0.9),
    /** Largest |slope − 1| of forced on generated log probabilities, over tokens that generation found uncertain. */
    consistency_slope: z.number().positive().default(0.02),
    /** Largest median difference of a token's forced log probability from that of generation, nats. */
    consistency_token: z.number().positive().default(0.05),
    /** Largest difference over a whole response, nats; a response beyond it is unusable. */
    consistency_row: z.number().positive().default(1),
    /** Largest difference of one token, nats; a response with one beyond it is unusable. */
    consistency_largest: z.number().positive().default(0.5),
    /** Largest share of responses that are unusable for that reason, or because their tokens are others. */
    retokenized_share: share().default(0.05),
    /** Largest share of a policy's answers that were cut at its token limit; beyond it none of its values is given. */
    maximum_truncated: share().default(0.2),
  }),
  /** Gates on the overlap of one policy with the logger; a failed one refuses one cell. */
  overlap: z.strictObject({
    minimum_rows: z.int().positive().optional(),
    /** Smallest share of the log's prompts that a policy must have a usable answer for. */
    minimum_draw_share: share().optional(),
    /** Fewest labels on a policy's own answers for an estimator that reads them. */
    minimum_own_labels: z.int().positive().optional(),
    /** Fewest effective labels on the log, by their weights, for dr-labelled. */
    minimum_weighted_labels: z.int().positive().optional(),
    minimum_ess: z.number().min(0).optional(),
    minimum_ess_fraction: share().optional(),
    /** The same two for estimators that have weights alone, and no draws of the policy. */
    minimum_ess_without_draws: z.number().min(0).optional(),
    minimum_ess_fraction_without_draws: share().optional(),
    minimum_ess_fraction_unnormalised: share().optional(),
    warn_ess_fraction: share().optional(),
    minimum_tail_index: z.number().min(0).optional(),
    warn_tail_index: z.number().min(0).optional(),
    maximum_row_share: share().optional(),
    maximum_log_mean_weight: z.number().positive().optional(),
    warn_out_of_range: share().optional(),
    maximum_out_of_range: share().optional(),
    maximum_identification_width: share().optional(),
    /** Smallest affinity of a policy's scores with the labelled ones, 1 for equal and 0 for disjoint. */
    minimum_score_overlap: share().optional(),
    warn_score_overlap: share().optional(),
    minimum_label_support: share().optional(),
    warn_label_support: share().optional(),
    warn_saturation: share().optional(),
    maximum_stabilisation_shift: z.number().positive().optional(),
    /**
     * Largest bias of the calibration on a policy's own labelled answers, in label units; null grades nothing. One for all
     * policies, or by policy, with `default` for the rest.
     */
    transport_margin: z
      .union([z.number().positive().nullable(), z.record(z.string(), z.number().positive().nullable())])
      .optional(),
  }),
});

export type Gates = z.infer<typeof gatesSchema>;

/** Where no gates are written: the thresholds that the estimators have anyhow. */
export const USUAL_GATES: Gates = gatesSchema.parse({ data: {}, overlap: {} });
