/** A judge file: which model judges, what it is shown, and how its answer is read. */

import { z } from 'zod';
import { type IssueDetail, modelRef, textFile } from '../../core/params.ts';
import type { Scale } from '../../datasets/scale.ts';
import { checkPlaceholders, type Placeholders } from './template.ts';

const TEXTS = ['prompt', 'messages', 'response', 'reference'];
const POINTWISE: Placeholders = {
  known: TEXTS,
  required: [['response'], ['prompt', 'messages']],
  prefixes: ['columns.'],
};
const PAIRWISE: Placeholders = {
  known: ['prompt', 'messages', 'reference', 'response_a', 'response_b'],
  required: [['response_a'], ['response_b'], ['prompt', 'messages']],
  prefixes: ['columns.'],
};

export const judgeSchema = z
  .strictObject({
    model: modelRef(),
    temperature: z.number().min(0).max(2).default(0),
    max_tokens: z.int().positive(),
    /** What the judge is told before it is shown anything. */
    system: textFile().optional(),
    /** Markdown with `{{prompt}}` or `{{messages}}`, `{{response}}`, and if wanted `{{reference}}` and `{{columns.NAME}}`. */
    template: textFile(),
    /** The lowest and the highest score; 0 to 10 unless told. An oracle that tells it has results told on it too. */
    scale: z
      .tuple([z.number(), z.number()])
      .refine(([low, high]) => low < high, 'a scale goes from its lowest value to its highest, such as [1, 5]')
      .optional(),
    /**
     * `score`: one number. `interval`: a score with its 95 % interval. `criteria`: a number for each criterion. `pairwise`:
     * which of two responses is better.
     */
    output: z.enum(['score', 'interval', 'criteria', 'pairwise']),
    /** Criteria and their weights. */
    criteria: z.record(z.string().regex(/^[A-Za-z_]\w*$/, 'must be a word'), z.number().positive()).optional(),
    /** Whether the judge gives its reasons, before it scores or after. */
    rationale: z.enum(['none', 'before', 'after']).default('none'),
    /**
     * `schema`: JSON, to which the server holds the judge as its model's `json:` says. `text`: a number in plain text. `json`: JSON
     * that this judge is asked for in words alone, whatever the server takes.
     */
    read: z.enum(['schema', 'json', 'text']).default('schema'),
    /** For `read: text`: where the number stands, as a regular expression with one group. */
    pattern: z.string().min(1).optional(),
    /** How often each response is judged; the score is the mean. */
    draws: z.int().min(1).max(100).default(1),
    /** How often a reply that cannot be read is asked for, the first time included. */
    attempts: z.int().min(1).max(5).default(2),
  })
  .superRefine((judge, context) => {
    const { output, criteria, template, read, pattern, draws, temperature, model, rationale } = judge;
    const complain = (path: string, message: string, hint?: string) =>
      context.addIssue({
        code: 'custom',
        path: [path],
        message,
        ...(hint === undefined ? {} : { params: { hint } satisfies IssueDetail }),
      });
    if (output === 'pairwise' && /\{\{\s*response\s*\}\}/.test(template)) {
      complain(
        'template',
        'the template shows one response, and `output: pairwise` compares two',
        'write {{response_a}} and {{response_b}}',
      );
    } else checkPlaceholders(template, output === 'pairwise' ? PAIRWISE : POINTWISE, context, ['template']);
    if (output === 'criteria' && Object.keys(criteria ?? {}).length === 0) {
      complain('criteria', 'must name the criteria and their weights', 'such as `criteria: {accuracy: 2, clarity: 1}`');
    }
    if (output !== 'criteria' && criteria !== undefined) {
      complain('criteria', 'are of `output: criteria` alone');
    }
    if (read !== 'text' && pattern !== undefined) complain('pattern', 'is of `read: text` alone');
    if (read === 'text' && output !== 'score') {
      complain('read', `\`text\` reads one number, and \`output: ${output}\` is more than that`, 'leave `read:` out');
    }
    if (read === 'text' && rationale !== 'none' && pattern === undefined) {
      complain('pattern', 'is needed to find the number among reasons', "such as `pattern: 'Score: (\\d+)'`");
    }
    if (pattern !== undefined) {
      const trouble = patternTrouble(pattern);
      if (trouble !== undefined) complain('pattern', trouble, "such as `pattern: 'Score: (\\d+)'`");
    }
    if (draws > 1 && temperature === 0 && model.dialect.temperature) {
      complain('draws', 'are all the same of a judge at temperature 0', 'set `temperature: 1`, or `draws: 1`');
    }
  });
export type Judge = z.infer<typeof judgeSchema>;

/** The scale of a judge whose file names none. */
export const USUAL_SCALE: Scale = [0, 10];

export const scaleOf = ({ scale }: Pick<Judge, 'scale'>): Scale => scale ?? USUAL_SCALE;

function patternTrouble(pattern: string): string | undefined {
  try {
    const groups = new RegExp(`${pattern}|`).exec('')!.length - 1;
    return groups === 1 ? undefined : `must have one group, and has ${groups}`;
  } catch (error) {
    return `is no regular expression: ${(error as Error).message}`;
  }
}
