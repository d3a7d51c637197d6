/** Kind `prompts`: the prompts of an experiment, from a file, from an address, or of the simulated world. */

import { z } from 'zod';
import { type Location, ROWS, SourceError, type SourceKind } from '../core/kind.ts';
import { type IssueDetail, sourcePath } from '../core/params.ts';
import { choosePrompts } from '../datasets/choose-prompts.ts';
import { PROMPTS } from '../datasets/row-types.ts';
import { type PromptRow, promptItem } from '../datasets/rows.ts';
import { readSourceRows } from '../datasets/source-rows.ts';
import { SIMULATED_PROMPTS, simulatedPrompts } from '../simulator/world/prompts.ts';

/** The built-in prompts of the simulated world. */
const SIMULATED = 'simulated';
const isUrl = (source: string): boolean => /^https?:\/\//i.test(source);

const params = z
  .strictObject({
    source: sourcePath({ keep: [SIMULATED], urls: true }).describe(
      '`simulated`, a JSON Lines, JSON or Parquet file, or the URL of one.',
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
    samples: z.int().min(1).describe('How many prompts to take.'),
    seed: z.int().describe('The seed of the choice of prompts.'),
    language: z
      .string()
      .nullable()
      .default('English')
      .describe('Keep the prompts of this language alone, where the source says it; null keeps all.'),
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

  expect: ({ samples }) => ({ items: samples, calls: [] }),

  locate({ source, sha256, token_variable: tokenVariable }): Record<string, Location> {
    if (source === SIMULATED) return {};
    if (!isUrl(source)) return { [FILE]: { type: 'path', path: source } };
    if (sha256 === undefined) throw new Error('Internal error: a URL without a sha256 was let through');
    const location = { type: 'url', url: source, sha256 } as const;
    return { [FILE]: tokenVariable === undefined ? location : { ...location, tokenVariable } };
  },

  async parse({ samples, seed, language }, files) {
    const file = files[FILE];
    const rows =
      file === undefined
        ? simulated(samples, seed)
        : choosePrompts(await readSourceRows(file), { samples, seed, language });
    return { files: { [ROWS]: rows } };
  },
};

function simulated(samples: number, seed: number): PromptRow[] {
  if (samples <= SIMULATED_PROMPTS) return simulatedPrompts(samples, seed);
  throw new SourceError(`samples is ${samples}, but there are only ${SIMULATED_PROMPTS} simulated prompts`, {
    hint: 'Lower samples.',
  });
}
