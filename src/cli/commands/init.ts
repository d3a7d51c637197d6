/** `cje init`: a new experiment in a folder of its own. */

import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'clipanion';
import { parseDocument } from 'yaml';
import { SourceError } from '../../core/kind.ts';
import { EXIT, type ExitCode, ProblemError } from '../../core/problem.ts';
import { usablePrompts } from '../../stages/lib/choose-prompts.ts';
import { readSourceRows } from '../../stages/lib/source-rows.ts';
import { PipelineCommand } from '../pipeline-command.ts';

/** What the shipped experiment samples unless told. */
const SAMPLES = 200;
const TEST_SAMPLES = 100;

export class InitCommand extends PipelineCommand {
  static override paths = [['init']];
  static override usage = Command.Usage({
    category: 'Building',
    description: 'a new experiment: pipeline.yaml and configs/',
    details:
      'With --prompts, the file is copied beside the pipeline and becomes its source; one JSON object a line, with a "prompt".',
    examples: [
      ['The shipped experiment, to edit', 'cje init my-experiment'],
      ["One's own prompts", 'cje init my-experiment --prompts my.jsonl'],
    ],
  });

  folder = Option.String({ name: 'dir', required: false });
  prompts = Option.String('--prompts', { description: 'a JSONL file of prompts to evaluate on' });

  async run(): Promise<ExitCode> {
    const folder = resolve(this.folder ?? '.');
    const target = join(folder, 'pipeline.yaml');
    for (const path of [target, join(folder, 'configs')]) {
      if (existsSync(path)) {
        throw new ProblemError({
          headline: `${path} is there already`,
          hint: 'name another folder; nothing was written',
        });
      }
    }
    const source = this.prompts === undefined ? undefined : await readPrompts(resolve(this.prompts));
    const shipped = fileURLToPath(new URL('..', this.context.bundle));
    const pipeline = parseDocument(readFileSync(join(shipped, 'pipeline.yaml'), 'utf8'));
    if (folder !== resolve('.')) pipeline.set('name', basename(folder));
    mkdirSync(folder, { recursive: true });
    if (source !== undefined) {
      pipeline.setIn(['vars', 'prompts_source'], source.name);
      pipeline.setIn(['vars', 'samples'], Math.min(SAMPLES, source.rows));
      // The hosted profiles would go back to the shipped prompts.
      for (const profile of ['test', 'full']) {
        for (const name of ['prompts_source', 'prompts_sha256']) pipeline.deleteIn(['profiles', profile, 'vars', name]);
        pipeline.deleteIn(['profiles', profile, 'reference']);
        const wanted = profile === 'test' ? TEST_SAMPLES : source.rows;
        pipeline.setIn(['profiles', profile, 'vars', 'samples'], Math.min(wanted, source.rows));
      }
      writeFileSync(join(folder, source.name), source.bytes, { flag: 'wx' });
    }
    cpSync(join(shipped, 'configs'), join(folder, 'configs'), { recursive: true });
    writeFileSync(target, pipeline.toString({ lineWidth: 0, flowCollectionPadding: false }));
    const ignore = join(folder, '.gitignore');
    if (!existsSync(ignore)) writeFileSync(ignore, '.cache/\nout/\n');
    const where = relative(process.cwd(), folder);
    const go = where === '' ? '' : `cd ${where} && `;
    this.print(`Made ${target} and configs/.\n\nNext:\n  ${go}npx cje plan\n  ${go}npx cje build\n`);
    return EXIT.built;
  }
}

/** Reads a prompt file far enough to know that it can be used. @throws ProblemError with the line that is wrong. */
async function readPrompts(path: string) {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    throw new ProblemError({ headline: `cannot read ${path}`, hint: '--prompts takes a JSONL file' });
  }
  try {
    const { usable } = usablePrompts(await readSourceRows({ bytes, label: path }), 'English');
    return { name: basename(path), bytes, rows: usable.length };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    throw new ProblemError({
      headline: error.message,
      place: { file: path, ...(error.line === undefined ? {} : { line: error.line }) },
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}
