/** The part of the catalogue that is about batches. */

export const batchProblems = {
  'CJE-BATCH-LOST': [
    'A batch came back without some of its requests, or its results are not at the provider any more. What came back is kept; what the rest may have cost is booked as unknown.',
    'Build again: what is missing is asked for anew. Tell the provider the name of the batch.',
    'failed',
  ],
  'CJE-BATCH-REFUSED': [
    'A provider refused a batch as a whole, for nothing, and did not say which of its requests is wrong.',
    'Read what the provider says. Where it is about what the batch holds, `cje build --lane online` buys the same calls one by one, and each says for itself what is wrong with it; a limit of the account holds online as well.',
    'failed',
  ],
  'CJE-BATCH-LIMIT': [
    'A provider takes no batch of this model: it has too much of the account waiting, or a single call is more than may wait at once, and that for `patience_seconds:`. Nothing was billed.',
    'Build again when other batches of the account are back, or raise its limit at the provider. `cje build --lane online` has limits of its own, and the full price.',
    'failed',
  ],
  'CJE-BATCH-UNREACHABLE': [
    'For `patience_seconds:` nothing could be learnt of a batch, or it did not end although it was asked to. It stays out, and nothing of it is lost.',
    'Build again later: it is looked at again. `cje batch forget BATCH` gives it up: its calls are bought again, and what they may have cost is booked as unknown.',
    'waiting',
  ],
  'CJE-UNKNOWN-BATCH': ['No batch that is out has that name.', '`cje batch list` names those that are.', 'badInput'],
} as const;
