/** Kind `prompts`: the prompts of an experiment, from a file, from an address, or of the simulated world. */

import { z } from 'zod';
import { type Location, ROWS, SourceError, type SourceKind } from '../core/kind.ts';
import { type IssueDetail, sourcePath } from '../core/params.ts';
import { choosePrompts } from '../datasets/choose-prompts.ts';
import { promptColumnsSchema, readSourceRows } from '../datasets/prompt-source.ts';
import { PROMPTS } from '../datasets/row-types.ts';
import { type PromptRow, promptItem } from '../datasets/rows.ts';
import { firstPrompts } from '../datasets/sample.ts';
import { SIMULATED_PROMPTS, simulatedPrompts } from '../simulator/world/prompts.ts';

/** The built-in prompts of the simulated world. */
const SIMULATED = 'simulated';
const isUrl = (source: string): boolean => /^https?:\/\//i.test(source);

const params = z
  .strictObject({
    source: sourcePath({ keep: [SIMULATED], urls: true }).describe(
      '`simulated`, a file (JSON Lines, JSON, CSV, tabs, Parquet; also in gzip or zstd), or the URL of one.',
    ),
    sha256: z
      .string()
      .toLowerCase()
      .regex(/^[0-9a-f]{64}$/, 'a sha256 has 64 hex digits')
      .optional()
      .describe('Of the file behind a URL; a path needs none, its bytes are looked at.'),
    token_variable: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable, never the token itself')
      .optional()
      .describe('The environment variable that holds the access token for a URL.'),
    samples: z.union([z.int().min(1), z.literal('all')]).describe('How many prompts to take; `all` takes each.'),
    first: z
      .int()
      .min(1)
      .exactOptional()
      .describe(
        'Take this many of them alone, by a hash of their ids; more hold fewer. `cje gate` buys in such steps.',
      ),
    seed: z.int().describe('The seed of the choice of prompts.'),
    language: z
      .string()
      .nullable()
      .default('English')
      .describe('Keep the prompts of this language alone, where the source says it; null keeps all.'),
    columns: promptColumnsSchema
      .default({})
      .describe('Which column is which, where they have not the usual names: `{prompt: question, reference: answer}`.'),
    keep: z
      .array(z.string().min(1))
      .default([])
      .describe('Further columns that go along with each prompt, for judges that ask for `{{columns.NAME}}`.'),
    ids: z
      .enum(['row', 'content'])
      .default('row')
      .describe(
        '`row`: `prompt_id`, else the number of the row. `content`: a column of ids under any usual name, else a digest of ' +
          'what is asked; a line that is put on top then renames nothing.',
      ),
    order: z
      .enum(['python', 'hash'])
      .default('python')
      .describe(
        "`python`: the sample that Python's `random.sample` draws. `hash`: by the hashes of ids; a larger sample then " +
          'holds every smaller one.',
      ),
  })
  .superRefine(({ source, sha256 }, context) => {
    if (!isUrl(source)) return;
    const complain = (field: string, message: string, hint: string) =>
      context.addIssue({ code: 'custom', path: [field], message, params: { hint } satisfies IssueDetail });
    const url = URL.canParse(source) ? new URL(source) : undefined;
    if (url === undefined) complain('source', 'this is not an address', 'Such as https://example.com/prompts.parquet.');
    if (url !== undefined && url.username + url.password !== '') {
      const hint = 'Keep it in an environment variable, and name that with token_variable.';
      complain('source', 'an address here must not hold a password', hint);
    }
    if (sha256 === undefined) {
      const hint =
        'Add the sha256 of the file. If you do not know it, write 64 zeros: the build then stops and prints the digest ' +
        'of what was fetched.';
      complain('sha256', 'a source behind a URL needs a sha256', hint);
    }
  });
type PromptsParams = z.infer<typeof params>;

const FILE = 'prompts';

export const prompts: SourceKind<PromptsParams> = {
  name: 'prompts',
  about: 'the prompts of the experiment: from a file, a URL, or the simulated world',
  shape: 'source',
  params,
  inputs: {},
  outputs: { [ROWS]: PROMPTS },
  item: promptItem,

  // Who takes all is read before anything is planned; until then nobody knows.
  expect: ({ samples, first = Number.POSITIVE_INFINITY }) => ({
    items: samples === 'all' ? 0 : Math.min(samples, first),
    calls: [],
  }),

  locate({ source, sha256, token_variable: tokenVariable }): Record<string, Location> {
    if (source === SIMULATED) return {};
    if (!isUrl(source)) return { [FILE]: { type: 'path', path: source } };
    if (sha256 === undefined) throw new Error('Internal error: a URL without a sha256 was let through');
    const location = { type: 'url', url: source, sha256 } as const;
    return { [FILE]: tokenVariable === undefined ? location : { ...location, tokenVariable } };
  },

  async parse({ samples, first, seed, language, columns, keep, ids, order }, files) {
    const file = files[FILE];
    if (file === undefined) return { files: { [ROWS]: firstPrompts(simulated(samples, seed), first) } };
    const source = await readSourceRows(file, columns, keep);
    const { rows, notes } = choosePrompts(source, { samples, seed, language, columns, keep, ids, order });
    return { files: { [ROWS]: firstPrompts(rows, first) }, ...(notes.length === 0 ? {} : { notes }) };
  },
};

function simulated(samples: number | 'all', seed: number): PromptRow[] {
  if (samples === 'all') return simulatedPrompts(SIMULATED_PROMPTS, seed);
  if (samples <= SIMULATED_PROMPTS) return simulatedPrompts(samples, seed);
  throw new SourceError(`samples is ${samples}, but there are only ${SIMULATED_PROMPTS} simulated prompts`, {
    hint: 'Lower samples.',
  });
}
