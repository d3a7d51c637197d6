/** `cje schema`: the JSON Schema of pipeline.yaml, for editors. */

import { Command } from 'clipanion';
import type { Kind } from '../../core/kind.ts';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { CODE_DIGESTS } from '../build-info.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class SchemaCommand extends PipelineCommand {
  static override paths = [['schema']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: 'the JSON Schema of pipeline.yaml, for editors',
    details: 'Put `# yaml-language-server: $schema=pipeline.schema.json` at the top of pipeline.yaml.',
    examples: [['Beside the pipeline', 'cje schema > pipeline.schema.json']],
  });

  async run(): Promise<ExitCode> {
    const [{ pipelineJsonSchema }, { registerKinds }] = await Promise.all([
      import('../../pipeline/json-schema.ts'),
      import('../../kinds/index.ts'),
    ]);
    const kinds = new Map<string, Kind>([...registerKinds(CODE_DIGESTS)].map(([name, { kind }]) => [name, kind]));
    this.print(`${JSON.stringify(pipelineJsonSchema(kinds), null, 2)}\n`);
    return EXIT.built;
  }
}
