/** What the ids of mistakes on the command line mean; a part of `catalogue.ts`. */

export const commandLine = {
  'CJE-BAD-OPTION': [
    'An option has a value that it does not take.',
    'Write the value as the message says; `cje COMMAND --help` and docs/reference/commands.md list what each option takes.',
    'badInput',
  ],
  'CJE-FOLDER-TAKEN': [
    'The folder to write into holds something already, or is a file. Nothing was written.',
    'Name a new folder.',
    'badInput',
  ],
  'CJE-GATE-LABELS': [
    'A gate on the oracle’s scale needs labels of both policies, each answer labelled with the probability that the plan says, and they are not like that.',
    'Have a share of both policies’ answers labelled, fill in the sheet of labels, or test the judge’s scale with `--on judge`.',
    'badInput',
  ],
  'CJE-NO-DATASET': [
    'The command reads a dataset, and the node that it means is none.',
    'Name a node whose kind makes a dataset: `dataset` or `import`.',
    'badInput',
  ],
  'CJE-NOTHING-ASKED': [
    'The node makes no calls, or is not among what is built, so no answer of it would be asked for again.',
    'Name a node of calls, such as one of `responses` or `scores`, and build it; to run another again, `--force`.',
    'badInput',
  ],
  'CJE-NOT-A-PLAN': [
    'The file of `--plan` is no plan of this version of `cje`.',
    'Save a plan anew with `cje plan --out`.',
    'badInput',
  ],
  'CJE-NOT-BUILT': ['The node has no result yet that could be shown.', 'Build it: `cje build NODE`.', 'failed'],
  'CJE-PLAN-CHANGED': [
    'Something was edited since the plan was saved, so a build would do something else. Nothing was built.',
    'Look at the new plan, save it, and build that.',
    'stopped',
  ],
  'CJE-PORT': [
    'The port cannot be listened on: it is in use, or needs rights that you do not have.',
    'Name another, or leave `--port` out for any that is free.',
    'badInput',
  ],
  'CJE-SEVERAL-NODES': [
    'The command takes one node, and what was named is several.',
    'Name one of them; `cje graph` lists every node.',
    'badInput',
  ],
  'CJE-UNKNOWN-BUILD': [
    'No recorded build has that name, or several have, or none is recorded yet.',
    'Name it by its id, by its tag, or as `last`, `last~1` and so on; `cje log` lists builds.',
    'badInput',
  ],
  'CJE-UNKNOWN-COMMAND': ['There is no such command.', '`cje --help` lists the commands.', 'badInput'],
  'CJE-UNKNOWN-ESTIMATOR': ['There is no such estimator.', 'Take one of those that the message lists.', 'badInput'],
  'CJE-UNKNOWN-ITEM': [
    'The node has no such item: it has none at all, has none of that name, or its inputs are not built.',
    'Name an item by its prompt id, or by its number counted from 0.',
    'badInput',
  ],
  'CJE-USAGE': [
    'The command was called in a way that it does not know: an argument is missing, one too many, or two exclude each other.',
    'See `cje COMMAND --help`.',
    'badInput',
  ],
} as const;
