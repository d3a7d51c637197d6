/** What each estimator does, in one sentence for a reader who knows the field but not this report. */

const NOTES: Readonly<Record<string, string>> = {
  ips: 'weights each logged reward by exp(log ratio) and averages; unbiased under overlap, with a long-tailed variance',
  snips: 'divides the weighted sum by the sum of the weights, which trades a little bias for much variance',
  'calibrated-ips':
    'replaces the weights by a monotone function of the judge score with mean one; steadier, and biased towards the logged policy when they shift much',
  'dr-cpo':
    'averages the outcome model over the target policy’s own fresh draws and corrects it by the weighted residuals of the log',
  mrdr: 'doubly robust, with an outcome model fitted to make the correction’s variance small',
  tmle: 'doubly robust, with an outcome model tilted until the weighted residuals vanish',
  'stacked-dr': 'the combination of doubly robust estimators with the smallest estimated variance',
  'dr-augmented':
    'is dr-cpo corrected by the weighted residuals of the log’s labels, so that to first order it does not rest on the calibration',
  naive: 'averages the judge’s scores as they are; it makes no claim about the oracle',
  'direct-augmented':
    'is the direct method corrected by the mean residual of the policy’s own labels, so it does not trust the calibration; it needs labels on every policy',
  'original-ips':
    'is the original experiment’s: self-normalised despite its name, its interval without the calibration’s error',
  'original-snips': 'is the original experiment’s, its interval without the calibration’s error',
  'original-calibrated-ips':
    'is the original experiment’s: weights made of ranks alone, nearly equal, so every policy is pulled towards the logged one',
  'original-dr-cpo':
    'is the original experiment’s: the outcome model’s mean without the weighted correction that its standard error assumes',
  'original-mrdr': 'is the original experiment’s: the estimate of original-dr-cpo with a smaller standard error',
  'original-uncertainty-dr-cpo':
    'is the original code base’s: weights shrunk where the judge was unsure, the judge’s variance mixed into the standard error',
  direct: 'averages calibrated judge scores of the target policy’s own fresh draws; uses no weights',
};

export function estimatorNote(estimator: string): string | null {
  return Object.hasOwn(NOTES, estimator) ? NOTES[estimator]! : null;
}

/** Estimators by how much of the evidence they use, the one to report first; others come after, as the data lists them. */
export const ESTIMATOR_PREFERENCE: readonly string[] = [
  'dr-cpo',
  'stacked-dr',
  'tmle',
  'mrdr',
  'dr-augmented',
  'direct-augmented',
  'direct',
  'calibrated-ips',
  'snips',
  'ips',
];

/** Why an estimator leads the report. */
export function leadingReason(estimator: string): string {
  switch (estimator) {
    case 'dr-cpo':
    case 'stacked-dr':
    case 'tmle':
    case 'mrdr':
    case 'dr-augmented':
      return 'It uses all the evidence: fresh draws of each target policy, the log and the labels. It needs less overlap than weighting alone, and trusts that the judge’s calibration carries over to the target policy.';
    case 'direct':
      return 'No doubly robust estimate is available; this one needs no overlap between policies, and trusts the judge’s calibration.';
    case 'direct-augmented':
      return 'No doubly robust estimate is available; this one needs no overlap between policies, and corrects the judge’s calibration by each policy’s own labels.';
    case 'calibrated-ips':
    case 'snips':
    case 'ips':
      return 'No estimate from fresh draws is available, so the ranking rests on importance weights alone.';
    default:
      return 'It is the first ablation of the pipeline that gave an estimate.';
  }
}
