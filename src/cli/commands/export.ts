/** `cje export`: a build's dataset in the files of another tool. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Command, Option } from 'clipanion';
import type { GraphNode } from '../../core/graph.ts';
import { badOption, EXIT, type ExitCode, ProblemError, usageError } from '../../core/problem.ts';
import type { Exported } from '../../datasets/export/cje-eval.ts';
import { exportNode } from '../../datasets/export/dataset-node.ts';
import { chosenDataset, chosenLabels } from '../../datasets/nodes.ts';
import { reach } from '../../engine/select.ts';
import { builtNode, survey } from '../../engine/survey.ts';
import { exportedText, sheetText } from '../../terminal/export-text.ts';
import type { Session } from '../compose.ts';
import { PipelineCommand } from '../pipeline-command.ts';
import { writeText } from '../written-file.ts';

const FORMATS: readonly string[] = ['cje-eval', 'labels'];

export class ExportCommand extends PipelineCommand {
  static override paths = [['export']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: "a build's dataset in the files of cje-eval, or a sheet of what people should label",
    details: `
      Writes logged_data.jsonl and fresh_draws/POLICY_responses.jsonl into a new folder. \`cje init --from import\` reads them back.

      The target is a node of kind \`dataset\` or \`import\`; it may be left out where there is one.

      With --format labels the output is a CSV file for people to fill in the column \`label\`: the responses that have
      no label yet, in random order, without a word on who wrote them. A stage of kind \`table\` with \`as: labels\` reads it
      back. A sheet that is there already keeps its rows, and gets those that it lacks.
    `,
    examples: [
      ['One judge’s dataset', 'cje export dataset/deterministic -o exported'],
      ['The way back', 'cje init again --from import exported'],
      ['What to label next', 'cje export --format labels -o labels.csv'],
    ],
  });

  target = Option.String({ name: 'target', required: false });
  format = Option.String('--format', 'cje-eval', { description: '`cje-eval` or `labels`' });
  output = Option.String('-o,--output', {
    description: 'the folder to write into, a new one or empty; of labels the file',
  });

  run(): Promise<ExitCode> {
    return this.withSession({ readOnly: true }, async (session) => {
      if (!FORMATS.includes(this.format)) {
        throw badOption(`there is no format ${JSON.stringify(this.format)}`, `known: ${FORMATS.join(', ')}`);
      }
      if (this.format === 'labels') return this.#labels(session);
      const folder = newFolder(this.output);
      const name = chosenDataset(session, this.target, (target) => this.nodeNamed(session, target), 'cje export');
      const node = session.graph.nodes.get(name)!;
      const found = await survey(reach(session.graph, [name]), session.ports);
      const exported = exportNode(node, (upstream) => builtNode(found, upstream, session.store.blobs).output);
      for (const [path, lines] of exported.files) {
        const file = join(folder, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, lines.map((line) => `${line}\n`).join(''), { flag: 'wx' });
      }
      this.#tell(node, folder, exported);
      return EXIT.built;
    });
  }

  async #labels(session: Session): Promise<ExitCode> {
    if (this.output === undefined) {
      throw usageError('export needs a file to write', '-o labels.csv');
    }
    const asked = this.target === undefined ? undefined : this.targets(session, [this.target]);
    const node = chosenLabels(session, asked, (name) => `cje export ${name} --format labels -o ${this.output}`);
    const { written, kept } = await writeSheet(session, node, this.output);
    const file = resolve(this.output);
    if (this.json) this.printJson({ type: 'exported', version: 1, node, file, texts: written, kept });
    else this.print(sheetText({ node, written, kept }, relative(process.cwd(), file)));
    return EXIT.built;
  }

  #tell({ name: node }: GraphNode, folder: string, exported: Exported): void {
    if (!this.json) {
      this.print(exportedText(node, relative(process.cwd(), folder) || '.', exported));
      return;
    }
    const { files, logged, fresh, leftOut, withoutDraw } = exported;
    const counts = { files: [...files.keys()], logged, fresh, leftOut, withoutDraw: Object.fromEntries(withoutDraw) };
    this.printJson({ type: 'exported', version: 1, node, folder, ...counts });
  }
}

/** @throws ProblemError for a folder that holds something. */
function newFolder(output: string | undefined): string {
  if (output === undefined) throw usageError('export needs a folder to write into', '-o DIR');
  const folder = resolve(output);
  let names: string[] = [];
  try {
    if (existsSync(folder)) names = readdirSync(folder);
  } catch {
    throw new ProblemError({ id: 'CJE-FOLDER-TAKEN', headline: `${folder} is not a folder`, hint: 'name a new one' });
  }
  if (names.length === 0) return folder;
  throw new ProblemError({
    id: 'CJE-FOLDER-TAKEN',
    headline: `${folder} is not empty`,
    hint: 'name a new folder; nothing was written',
  });
}

/** Writes a new sheet, or adds to one that is a sheet already what it does not ask for yet. */
async function writeSheet({ graph, ports, store }: Session, name: string, output: string) {
  const { sheetLines } = await import('../../datasets/export/label-file.ts');
  const found = await survey(reach(graph, [name]), ports);
  const built = (upstream: string) => builtNode(found, upstream, store.blobs, name).output;
  const path = resolve(output);
  const there = existsSync(path) ? { bytes: readFileSync(path), label: output } : undefined;
  const labelled = found.has(name) ? built(name) : undefined;
  const sheet = await sheetLines(graph.nodes.get(name)!, built, labelled, there);
  if (there === undefined) writeText(path, sheet.text, 'the sheet', 'wx');
  else if (sheet.written > 0) writeText(path, sheet.text, 'the sheet', 'a');
  return sheet;
}
