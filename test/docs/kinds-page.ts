/** `docs/reference/kinds.md`, made from what kinds say of themselves. */

import type { InputSlot, Kind } from '../../src/core/kind.ts';
import { KINDS } from '../../src/kinds/index.ts';
import { pipelineJsonSchema } from '../../src/pipeline/json-schema.ts';

const HEAD = `# Kinds of stages

<!-- Made by \`npm run docs\` from src/kinds; edit it there. -->

A stage of pipeline.yaml names one of these kinds under \`kind:\`. An input takes nodes that write rows of one of the types
that it names. A parameter without a default must be given, unless it is *optional*; any parameter may be \`\${name}\`, the
value of a variable. \`cje schema\` prints the same as a JSON Schema for editors.
`;

/** What of JSON Schema the parameters come to. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema | false;
  readonly prefixItems?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

const ARITIES: Readonly<Record<InputSlot['arity'], string>> = {
  one: 'one node',
  many: 'nodes',
  optional: 'one node, optional',
  'optional-many': 'nodes, optional',
};

export function kindsPage(): string {
  const schema: { readonly properties?: unknown } = pipelineJsonSchema(new Map(KINDS.map((kind) => [kind.name, kind])));
  const { stages } = schema.properties as Stages;
  const params = stages.additionalProperties.allOf.map(({ then }) => then.properties.params);
  return [HEAD, ...KINDS.map((kind, index) => section(kind, params[index]!))].join('\n');
}

/** Where the schema of pipeline.yaml holds the parameters: one entry a kind, in the order of the kinds. */
interface Stages {
  readonly stages: {
    readonly additionalProperties: {
      readonly allOf: readonly { readonly then: { readonly properties: { readonly params: Schema } } }[];
    };
  };
}

function section(kind: Kind, params: Schema): string {
  const inputs = Object.entries(kind.inputs).map(
    ([name, slot]) => `| \`${name}\` | ${ARITIES[slot.arity]} | ${rowsOf(slot)} |`,
  );
  const outputs = Object.entries(kind.outputs).map(
    ([file, type]) => `| \`${file}\` | ${typeof type === 'string' ? type : `rows of \`${type.name}\``} |`,
  );
  const required = params.required ?? [];
  const parameters = Object.entries(params.properties ?? {}).map(([name, schema]) => {
    const fallback =
      schema.default !== undefined ? code(JSON.stringify(schema.default)) : required.includes(name) ? '' : '*optional*';
    return `| \`${name}\` | ${typeOf(schema)} | ${fallback} | ${cell(schema.description ?? '')} |`;
  });
  return [
    `## ${kind.variant === undefined ? kind.name : `${kind.variant.of}, \`${kind.variant.param}: ${kind.variant.word}\``}\n`,
    `${kind.about.charAt(0).toUpperCase()}${kind.about.slice(1)}. ${SHAPES[kind.shape]}\n`,
    ...(inputs.length === 0 ? [] : ['| input | takes | of |', '|---|---|---|', ...inputs, '']),
    '| output | holds |',
    '|---|---|',
    ...outputs,
    '',
    '| parameter | type | default | meaning |',
    '|---|---|---|---|',
    ...parameters,
    '',
  ].join('\n');
}

const SHAPES: Readonly<Record<Kind['shape'], string>> = {
  source: 'It reads files.',
  transform: 'It computes, and asks no model.',
  calls: 'It asks a model.',
};

const rowsOf = ({ rows }: InputSlot): string =>
  rows === undefined ? 'any kind' : rows.map(({ name }) => `\`${name}\``).join(' or ');

/** A type in words, without what is said of every parameter: that it may be a reference to a variable. */
function typeOf(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => code(JSON.stringify(value))).join(', ');
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.anyOf !== undefined) {
    const types = schema.anyOf.filter(({ pattern }) => pattern?.startsWith('\\$\\{') !== true).map(typeOf);
    return [...new Set(types)].join(' or ');
  }
  if (Array.isArray(schema.type)) return schema.type.map((type: string) => typeOf({ type })).join(' or ');
  switch (schema.type) {
    case 'string':
      return 'text';
    case 'integer':
    case 'number':
      return [schema.type === 'integer' ? 'whole number' : 'number', ...boundsOf(schema)].join(' ');
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'array':
      if (schema.prefixItems !== undefined) return `[${schema.prefixItems.map(typeOf).join(', ')}]`;
      return schema.items ? `list of: ${typeOf(schema.items)}` : 'list';
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? `mapping to: ${typeOf(schema.additionalProperties)}`
        : 'mapping';
    default:
      throw new Error(`no words for ${JSON.stringify(schema)}`);
  }
}

/** Bounds that the language of JSON sets by itself say nothing. */
function boundsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string[] {
  return [
    ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? [] : [`≥ ${minimum}`]),
    ...(exclusiveMinimum === undefined ? [] : [`> ${exclusiveMinimum}`]),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? [] : [`≤ ${maximum}`]),
    ...(exclusiveMaximum === undefined ? [] : [`< ${exclusiveMaximum}`]),
  ];
}

const code = (text: string): string => `\`${text}\``;
const cell = (text: string): string => text.replaceAll('|', '\\|');
