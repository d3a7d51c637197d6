/** `cje schema`: the JSON Schema of pipeline.yaml, for editors. */

import { Command, Option } from 'clipanion';
import type { Kind } from '../../core/kind.ts';
import { badOption, EXIT, type ExitCode } from '../../core/problem.ts';
import { CODE_DIGESTS } from '../build-info.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class SchemaCommand extends PipelineCommand {
  static override paths = [['schema']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: 'the JSON Schema of pipeline.yaml, or of a config file, for editors',
    details: 'Put `# yaml-language-server: $schema=pipeline.schema.json` at the top of pipeline.yaml.',
    examples: [
      ['Beside the pipeline', 'cje schema > pipeline.schema.json'],
      ['Of policy files', 'cje schema policy > policy.schema.json'],
    ],
  });

  of = Option.String({ name: 'of', required: false });

  async run(): Promise<ExitCode> {
    const schema = await this.#schemaOf(this.of ?? 'pipeline');
    if (schema === undefined) {
      throw badOption(
        `there is no schema of ${JSON.stringify(this.of)}`,
        'known: pipeline, policy, judge, providers, remote',
      );
    }
    this.print(`${JSON.stringify(schema, null, 2)}\n`);
    return EXIT.built;
  }

  async #schemaOf(name: string): Promise<unknown> {
    const { configJsonSchema, pipelineJsonSchema } = await import('../../pipeline/json-schema.ts');
    switch (name) {
      case 'pipeline': {
        const { registerKinds } = await import('../../kinds/index.ts');
        return pipelineJsonSchema(
          new Map<string, Kind>([...registerKinds(CODE_DIGESTS)].map(([of, { kind }]) => [of, kind])),
        );
      }
      case 'policy':
        return configJsonSchema((await import('../../kinds/files/policy.ts')).policySchema, 'cje policy');
      case 'judge':
        return configJsonSchema((await import('../../kinds/files/judge-file.ts')).judgeSchema, 'cje judge');
      case 'providers':
        return configJsonSchema((await import('../../pipeline/provider-file.ts')).providerFile, 'cje providers');
      case 'remote':
        return configJsonSchema((await import('../../pipeline/remote-file.ts')).remoteFile, 'cje remote');
      default:
        return undefined;
    }
  }
}
