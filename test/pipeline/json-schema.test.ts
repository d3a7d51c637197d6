import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { textFile, yamlFile } from '../../src/core/params.ts';
import { configJsonSchema, pipelineJsonSchema } from '../../src/pipeline/json-schema.ts';
import { EXPERIMENT, KINDS } from './fixture.ts';

interface Branch {
  readonly if: { readonly properties: { readonly kind: { readonly const: string } } };
  readonly then: { readonly properties: { readonly params: object; readonly inputs: object } };
}

const schema = pipelineJsonSchema(KINDS) as unknown as {
  readonly properties: { readonly stages: { readonly additionalProperties: { readonly allOf: readonly Branch[] } } };
};
const branch = (kind: string): Branch['then'] =>
  schema.properties.stages.additionalProperties.allOf.find((each) => each.if.properties.kind.const === kind)!.then;

describe('the JSON Schema of pipeline.yaml', () => {
  it('shows parameters in the form in which they are written', () => {
    expect(branch('responses').properties.params).toEqual({
      type: 'object',
      properties: {
        policy: { type: 'string', description: 'The path of a YAML file, from the folder of pipeline.yaml.' },
        temperature: {
          default: 'policy',
          anyOf: [
            { type: 'string', const: 'policy' },
            {
              anyOf: [
                { type: 'number', minimum: 0, maximum: 2 },
                { type: 'string', pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}' },
              ],
            },
          ],
        },
        replicate: {
          default: 0,
          anyOf: [
            { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
            { type: 'string', pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}' },
          ],
        },
      },
      required: ['policy'],
      additionalProperties: false,
    });
  });

  it('knows which inputs a kind needs', () => {
    expect(branch('collect').properties.inputs).toMatchObject({ required: ['from'], additionalProperties: false });
  });

  it('holds no mark of ours', () => {
    expect(JSON.stringify(schema)).not.toContain('cje' + 'Param');
  });

  it('accepts what is written in a right pipeline, references and all, and refuses what is not', () => {
    const pipeline = parse(EXPERIMENT['pipeline.yaml']!) as {
      readonly stages: Record<string, { readonly kind: string; readonly params?: object; readonly inputs?: object }>;
    };
    const accepts = (part: object, value: unknown) =>
      z.fromJSONSchema(part as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value).success;
    for (const { kind, params = {}, inputs = {} } of Object.values(pipeline.stages)) {
      expect(accepts(branch(kind).properties.params, params), kind).toBe(true);
      expect(accepts(branch(kind).properties.inputs, inputs), kind).toBe(true);
      expect(accepts(branch(kind).properties.params, { ...params, unknown: 1 }), kind).toBe(kind === 'scores');
    }
    const { params } = branch('prompts').properties;
    expect(accepts(params, { source: 'p.jsonl', samples: '${samples}' })).toBe(true);
    expect(accepts(params, { source: 'p.jsonl', samples: 'many' })).toBe(false);
  });
});

describe('the JSON Schema of a file', () => {
  it('describes what the file holds, its own files by their paths, and no reference', () => {
    const content = yamlFile(z.strictObject({ judge: textFile(), size: z.number().default(3) }));
    expect(configJsonSchema(content, 'a file')).toEqual({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: 'a file',
      type: 'object',
      properties: {
        judge: { type: 'string', description: expect.any(String) },
        size: { type: 'number', default: 3 },
      },
      required: ['judge'],
      additionalProperties: false,
    });
  });
});
