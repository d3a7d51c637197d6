/**
 * What the ids of problems mean, for `docs/errors.md`. The product imports the type of the ids alone, so these texts are in
 * no bundle. An id is a kind of mistake that a reader looks up, not a sentence; once published it keeps its meaning.
 */

import { batchProblems } from './batch-problems.ts';
import { cache, remote } from './catalogue-cache.ts';
import { commandLine } from './catalogue-command-line.ts';

/** Names of `EXIT`; `core/problem.ts` imports this file, not the other way round. */
type ExitName = 'failed' | 'badInput' | 'stopped' | 'locked' | 'damaged' | 'waiting' | 'interrupted';

export interface CatalogueEntry {
  /** The heading under which the page lists it. */
  readonly area: Area;
  /** What is wrong, in one or two sentences. */
  readonly means: string;
  /** What usually mends it. */
  readonly helps: string;
  /** What the command ends with, where it ends because of this alone. */
  readonly exits: readonly ExitName[];
}

export const AREAS = [
  'Command line',
  'pipeline.yaml',
  'Providers and money',
  'Data',
  'Builds',
  'Cache and packs',
  'Beyond one machine',
] as const;
export type Area = (typeof AREAS)[number];

type Entries = Readonly<Record<string, readonly [means: string, helps: string, ...exits: readonly ExitName[]]>>;

const pipeline = {
  'CJE-BAD-NAME': [
    'A name has a form that it cannot have: that of a stage, of a variable, or of a value that becomes part of a node’s name.',
    'Use letters, digits and `_`; stages and matrix values may also have `.`, `+` and `-`.',
    'badInput',
  ],
  'CJE-BAD-PATTERN': [
    'What should name nodes is neither a node’s name nor a glob.',
    'A glob has `*` within one part of a name and `**` for whole parts; nothing else is special.',
    'badInput',
  ],
  'CJE-BAD-REFERENCE': [
    'A `${…}` is not closed, names nothing, or puts a list or a mapping inside a text.',
    'Write `$${` for the characters themselves; give `${name}` as the whole value where it is a list.',
    'badInput',
  ],
  'CJE-BAD-VALUE': [
    'A value is not of the type, or not among the values, that its key takes.',
    'The message says what it must be; docs/reference/kinds.md lists the parameters of each kind.',
    'badInput',
  ],
  'CJE-BAD-YAML': [
    'The file is not valid YAML, or uses YAML in a way that `cje` does not take.',
    'Mend the place that is shown.',
    'badInput',
  ],
  'CJE-EMPTY-MATRIX': [
    'A matrix variable has no values, so the stage would have no nodes.',
    'Give it a value, or remove the stage.',
    'badInput',
  ],
  'CJE-FILE-CYCLE': [
    'A config file names itself, directly or through others.',
    'Remove one of the references.',
    'badInput',
  ],
  'CJE-FILE-UNREADABLE': [
    'A file that was named is not there, is a folder, may not be read, or is no UTF-8 text.',
    'Check the path: in pipeline.yaml and in config files it starts from the folder of pipeline.yaml.',
    'badInput',
  ],
  'CJE-INPUT-AMBIGUOUS': [
    'Two nodes that an input matches would go by one label.',
    'List several globs: then nodes go by their whole names.',
    'badInput',
  ],
  'CJE-INPUT-MISFIT': [
    'An input is wired to a stage that writes other rows than the kind reads.',
    'Wire it to one of the stages that the message names; docs/reference/kinds.md says what each kind takes and makes.',
    'badInput',
  ],
  'CJE-NEEDS-WEIGHTS': [
    'A setting asks for importance weights, and the dataset is direct: it has no log with log probabilities.',
    'Choose an estimator that needs none, such as `direct`; or give the dataset a `logger:` and the input `logprobs`.',
    'badInput',
  ],
  'CJE-WIRING': [
    'A node does not go together with what it depends on.',
    'The message says with what; nothing was bought.',
    'badInput',
  ],
  'CJE-INPUT-TAKES-ONE': ['An input takes one node and was given several.', 'Name one node.', 'badInput'],
  'CJE-KEY-TWICE': ['A key stands twice in one mapping.', 'Rename or remove one of them.', 'badInput'],
  'CJE-MISSING-INPUT': [
    'A stage lacks an input that its kind needs, or names no node for it.',
    'Add it under `inputs:`.',
    'badInput',
  ],
  'CJE-MISSING-VALUE': [
    'A parameter or key that must be given is not there.',
    'Add it where the message points.',
    'badInput',
  ],
  'CJE-NODE-TWICE': [
    'Two nodes would have one name, or names that differ in case alone.',
    'Rename a stage, or remove the value that is given twice.',
    'badInput',
  ],
  'CJE-NOT-A-LIST': [
    'A list is needed: for a matrix variable, or in place of a variable that is one.',
    'Write `[value]`.',
    'badInput',
  ],
  'CJE-NO-PIPELINE': [
    'There is no pipeline.yaml here.',
    'Go to the folder of the experiment, name the file with `--file`, or begin one with `cje init`.',
    'badInput',
  ],
  'CJE-PLACEHOLDER': [
    'A template asks for a `{{placeholder}}` that there is not, or lacks one that it must have.',
    'The message lists the placeholders of this template.',
    'badInput',
  ],
  'CJE-STAGE-CYCLE': [
    'Stages read one another in a circle.',
    'Remove one of the inputs that the message lists.',
    'badInput',
  ],
  'CJE-UNKNOWN-INPUT': [
    'The kind has no input of that name.',
    'docs/reference/kinds.md lists the inputs of each kind.',
    'badInput',
  ],
  'CJE-UNKNOWN-KEY': [
    'A key stands where no such key is known.',
    'Check its spelling, and whether it stands at the right depth.',
    'badInput',
  ],
  'CJE-UNKNOWN-KIND': ['There is no such kind of stage.', 'docs/reference/kinds.md lists the kinds.', 'badInput'],
  'CJE-UNKNOWN-NODE': [
    'A target or an input matches no node of this pipeline.',
    '`cje graph` lists every node; a glob must match at least one.',
    'badInput',
  ],
  'CJE-UNKNOWN-PARAMETER': [
    'The kind has no parameter of that name.',
    'docs/reference/kinds.md lists the parameters of each kind.',
    'badInput',
  ],
  'CJE-UNKNOWN-PROFILE': ['The pipeline has no such profile.', 'Name one of those under `profiles:`.', 'badInput'],
  'CJE-UNKNOWN-VARIABLE': [
    'A variable is used or set that `vars:` does not declare.',
    'Declare it under `vars:`, or mend its name.',
    'badInput',
  ],
  'CJE-VARIABLE-CYCLE': [
    'Variables refer to one another in a circle.',
    'Give one of them a value of its own.',
    'badInput',
  ],
} as const satisfies Entries;

const providers = {
  ...batchProblems,
  'CJE-BUDGET-REACHED': [
    'A cap forbids the next call: `--max-cost`, `--max-calls`, `budget:`, or what was approved. What was bought is kept.',
    'Build again with a higher cap or with `--yes`; the build goes on from where it stopped.',
    'stopped',
  ],
  'CJE-ADDRESS-MOVED': [
    'The provider answers with a redirect, which is not followed: a credential must not go to another address.',
    'Check `base_url:` in the provider file against the address that the message names.',
    'failed',
  ],
  'CJE-CERTIFICATE': [
    'The provider shows a certificate that this machine does not trust.',
    'Name the authority with `ca_file:` in the provider file, or with NODE_EXTRA_CA_CERTS.',
    'failed',
  ],
  'CJE-CHAT-POLICY': [
    'A policy and the way in which its model is forced do not go together: most chat servers give no log probabilities of texts, and `forcing: chat` is of messages.',
    'Leave the stage `logprobs` out and evaluate directly; let the policy speak `api: completions`; or give a model of vLLM `forcing: ids` or `forcing: chat`.',
    'badInput',
  ],
  'CJE-CHAT-TEMPLATE': [
    'A model has no chat template, or one that is not known, and what is asked of it needs one.',
    'Give the model a `template:` in the provider file.',
    'badInput',
  ],
  'CJE-CREDENTIAL-TWICE': [
    'A provider names more than one source of its credential.',
    'Keep one of `key:`, `keys:` and `key_command:`.',
    'badInput',
  ],
  'CJE-KEY-REFUSED': [
    'The provider refuses the credential.',
    'Check the variable that the provider file names under `key:`.',
    'failed',
  ],
  'CJE-MODEL-NOT-ALLOWED': [
    'The credential may not use this model.',
    'Ask the provider for access, or name another model.',
    'failed',
  ],
  'CJE-MODEL-NOT-SERVED': [
    'The provider knows no model of that name.',
    'Check `model:` in the provider file; `cje doctor` lists what is served.',
    'failed',
  ],
  'CJE-NO-CREDIT': [
    'The account at the provider has no credit left. What was bought is kept.',
    'Add credit, then build again.',
    'failed',
  ],
  'CJE-NO-KEY': [
    'A provider or a source needs a credential, and the environment variable that should hold it is not set.',
    'Set the variable that the message names.',
    'badInput',
  ],
  'CJE-NO-PRICE': [
    'What something costs is not known, so nothing is bought from it and no plan in dollars is made.',
    'Add the model to the price table that the provider file names; 0 for a server of your own.',
    'badInput',
  ],
  'CJE-NOT-APPROVED': [
    'More money may be spent than goes without asking, and nobody has approved it.',
    'Approve with `--yes`, or cap it with `--max-cost`.',
    'stopped',
  ],
  'CJE-OFFLINE': [
    'Replies are needed that are not in the cache, and `--offline` forbids to buy them.',
    'Build without `--offline`, or import a pack that holds them.',
    'failed',
    'stopped',
  ],
  'CJE-LOCAL-ENGINE': [
    'The process that runs models in this machine has ended: a damaged model file, too little memory, or somebody ended it.',
    'Build again, which goes on from what is kept. If it ends again, check the file against its source, and lower `context:` or `concurrency:`.',
    'failed',
  ],
  'CJE-PROVIDER-SETTING': [
    'A setting of the provider cannot be used: a file that is not there, or a command that gives no credential.',
    'Mend the setting that the message names in the provider file.',
    'failed',
  ],
  'CJE-PROVIDER-TWICE': [
    'Two providers have one identity, so their replies could not be told apart.',
    'Make them one, or give one an `identity:` of its own.',
    'badInput',
  ],
  'CJE-RETRIES-SPENT': [
    'Calls failed again and again in a way that may pass: limits, timeouts, a server in trouble. What was bought is kept.',
    'Build again when the provider is well; lower its limits in the provider file where it refuses for their sake.',
    'failed',
  ],
  'CJE-SIMULATOR-OPTION': [
    'The simulator has no such option, or the option has a value that it does not take.',
    'The message lists what is known.',
    'badInput',
  ],
  'CJE-UNKNOWN-MODEL-ALIAS': [
    'No model of the profile’s provider file has that alias, or the profile has no provider file.',
    'Add the alias under `models:` of the provider file, or mend its name.',
    'badInput',
  ],
  'CJE-UNKNOWN-PROVIDER': [
    'There is no provider of that name.',
    'Name one of those under `providers:` of the provider file.',
    'badInput',
  ],
} as const satisfies Entries;

const data = {
  'CJE-BAD-DATA': [
    'A file of data is not in the form that is read: it is broken, empty, or lacks what its rows must have.',
    'Mend the file where the message points; docs/import.md shows the forms.',
    'badInput',
  ],
  'CJE-BAD-ROWS': [
    'Rows of imported data cannot be used.',
    'The message names the first of them and what is wrong; mend or remove them.',
    'badInput',
  ],
  'CJE-DOWNLOAD-CHANGED': [
    'What was fetched is not the file whose sha256 was written down.',
    'If you trust what was fetched, accept its sha256; otherwise find out what changed.',
    'failed',
  ],
  'CJE-DOWNLOAD-FAILED': ['A source could not be fetched.', 'Check the address, the network and the token.', 'failed'],
  'CJE-GRID-TOO-LARGE': [
    'A grid draws more prompts than the dataset has.',
    'Leave that sample size out, or build the dataset with more samples.',
    'failed',
  ],
  'CJE-GRID-UNLABELLED': [
    'A grid compares estimates with labels, and responses lack them.',
    'Label every response: `calibration_share: 1` and `validation_share: 1` of the oracle stage.',
    'failed',
  ],
  'CJE-NO-COLUMN': [
    'A file has no column of a name that is looked for.',
    'Name the columns under `columns:` of the stage.',
    'badInput',
  ],
  'CJE-NO-DATA-FOUND': [
    'The folder holds no evaluation data in a form that is known.',
    'Name one file with all rows, or write the import stage by hand: docs/import.md.',
    'badInput',
  ],
  'CJE-NO-FORECAST': [
    'No plan of a study can be made from this pilot: the estimator is refused on it, or the goal cannot be reached.',
    'Plan for another estimator, or build a larger pilot.',
    'failed',
  ],
  'CJE-POLICY-NAME': [
    'A policy’s name cannot be the name of a file, so its draws cannot be exported.',
    'Rename the policy.',
    'badInput',
  ],
  'CJE-POLICY-TWICE': ['Two files hold draws of one policy.', 'Remove one of them.', 'badInput'],
  'CJE-UNKNOWN-POLICY': [
    'A policy is named that no file has.',
    'Take one of those that the message lists.',
    'badInput',
  ],
} as const satisfies Entries;

const builds = {
  'CJE-BUILD-NOT-WHOLE': [
    'Something that a build made is not in the cache any more, so it cannot be packed.',
    '`cje cache verify` says whether something is damaged; build again, then export that build.',
    'failed',
  ],
  'CJE-CANNOT-WRITE': [
    'A file that was asked for cannot be written. Results are safe in the cache.',
    'Make room, give write permission, or name another file.',
    'failed',
    'badInput',
  ],
  'CJE-STOPPED-EARLY': [
    'So many replies of a node cannot be used that it can no longer be complete enough, so nothing more was bought for it.',
    '`cje doctor` asks the model once and says which setting mends it; then ask again with `--retry-failed`, or raise `tolerate:` of the stage. Replies that are `key_repeated` are mended at the server, or by another key.',
    'failed',
  ],
  'CJE-INCOMPLETE': [
    'More items of a node are missing than its stage tolerates.',
    'Ask again for what failed with `--retry-failed`, or raise `tolerate:` of the stage.',
    'failed',
  ],
  'CJE-SNAPSHOTS-MIXED': [
    'The replies behind a node come from two snapshots of a model, and the provider file wants one (`one_snapshot: true`).',
    'Name a dated snapshot under `model:`, or take `one_snapshot:` away. What was bought is kept.',
    'failed',
  ],
  'CJE-INTERRUPTED': [
    'The build was interrupted. What was bought is kept.',
    'Build again; it goes on from there.',
    'interrupted',
  ],
  'CJE-LOCKED': [
    'Another build of this cache is running.',
    'Wait for it, or end it; where its process is gone and the lock stays, `cje cache unlock`.',
    'locked',
  ],
  'CJE-OUTPUTS-GONE': [
    'The outputs of a past build are no longer in the cache.',
    'Build that state of the experiment again, or name another build.',
    'failed',
  ],
  'CJE-SYSTEM': [
    'The operating system refused something that the build needs: space, open files, or access. What was reported as bought is kept.',
    'Do what the message says, then build again.',
    'failed',
  ],
  'CJE-THREAD-ENDED': [
    'The thread that made a node ended before it was done, most often for want of memory.',
    'Build with fewer rows, or on a larger machine.',
    'failed',
  ],
} as const satisfies Entries;

export type ProblemId =
  | keyof typeof commandLine
  | keyof typeof pipeline
  | keyof typeof providers
  | keyof typeof data
  | keyof typeof builds
  | keyof typeof cache
  | keyof typeof remote;

const BY_AREA: Readonly<Record<Area, Entries>> = {
  'Command line': commandLine,
  'pipeline.yaml': pipeline,
  'Providers and money': providers,
  Data: data,
  Builds: builds,
  'Cache and packs': cache,
  'Beyond one machine': remote,
};

export const CATALOGUE: ReadonlyMap<string, CatalogueEntry> = new Map(
  AREAS.flatMap((area) =>
    Object.entries(BY_AREA[area]).map(([id, [means, helps, ...exits]]) => [id, { area, means, helps, exits }] as const),
  ),
);
