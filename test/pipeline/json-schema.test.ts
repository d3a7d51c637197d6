import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { pipelineJsonSchema } from '../../src/pipeline/json-schema.ts';
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
