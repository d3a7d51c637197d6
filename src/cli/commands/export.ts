/** `cje export`: a build's dataset in the files of another tool. */

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Command, Option } from 'clipanion';
import type { GraphNode } from '../../core/graph.ts';
import type { Input } from '../../core/kind.ts';
import { EXIT, type ExitCode, ProblemError } from '../../core/problem.ts';
import { FRESH, QUALITY, TEXTS } from '../../datasets/dataset-rows.ts';
import { canNameFile, type Exported, exportCjeEval, type Texts } from '../../datasets/export/cje-eval.ts';
import type { DatasetQuality } from '../../datasets/results.ts';
import { DATASET, DATASET_TEXTS, DRAWS, RESPONSES } from '../../datasets/row-types.ts';
import { drawName } from '../../datasets/rows.ts';
import { readInput } from '../../engine/inputs.ts';
import { reach } from '../../engine/select.ts';
import { type FinishedNode, survey } from '../../engine/survey.ts';
import { printable } from '../../text/escape.ts';
import { count } from '../../text/numbers.ts';
import { counted } from '../../text/plural.ts';
import type { Session } from '../compose.ts';
import { labelNodes } from '../label-nodes.ts';
import { datasetsOf, oneNode } from '../one-node.ts';
import { PipelineCommand } from '../pipeline-command.ts';

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
        throw new ProblemError({
          id: 'CJE-BAD-OPTION',
          headline: `there is no format ${JSON.stringify(this.format)}`,
          hint: `known: ${FORMATS.join(', ')}`,
        });
      }
      if (this.format === 'labels') return this.#labels(session);
      const folder = newFolder(this.output);
      const node = this.#dataset(session);
      const found = await survey(reach(session.graph, [node.name]), session.ports);
      const exported = exportNode(session, node, found);
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
      throw new ProblemError({ id: 'CJE-USAGE', headline: 'export needs a file to write', hint: '-o labels.csv' });
    }
    const { writeLabelSheet } = await import('../label-sheet.ts');
    const nodes = labelNodes(session).map(({ name }) => name);
    const asked = this.target === undefined ? nodes : this.targets(session, [this.target]);
    const [only, ...more] = asked.filter((name) => nodes.includes(name));
    if (only === undefined || more.length > 0) {
      throw new ProblemError({
        id: only === undefined ? 'CJE-NO-DATASET' : 'CJE-SEVERAL-NODES',
        headline:
          only === undefined ? 'this pipeline has no stage of labels' : `labels are of ${asked.length} nodes here`,
        ...(nodes.length === 0 ? {} : { facts: [['labels', nodes.join(', ')]] }),
        hint:
          only === undefined
            ? 'add a stage of kind `table` with `as: labels`'
            : `such as cje export ${only} --format labels -o ${this.output}`,
      });
    }
    const { node, written, kept } = await writeLabelSheet(session, session.graph.nodes.get(only)!, this.output);
    if (this.json) {
      this.printJson({ type: 'exported', version: 1, node, file: resolve(this.output), texts: written, kept });
      return EXIT.built;
    }
    const where = relative(process.cwd(), resolve(this.output));
    const before = kept === 0 ? '' : ` beside ${count(kept)} that were there`;
    this.print(
      written === 0
        ? `Nothing to label: every text that ${node} asks for is labelled or in ${where} already\n`
        : `Wrote ${counted(written, 'text')} to label to ${where}${before}. Fill in the column \`label\`, then build again\n`,
    );
    return EXIT.built;
  }

  #dataset(session: Session): GraphNode {
    const { graph } = session;
    const datasets = datasetsOf(session);
    if (this.target === undefined) {
      const [only, ...more] = datasets;
      if (only !== undefined && more.length === 0) return graph.nodes.get(only)!;
      throw new ProblemError({
        id: only === undefined ? 'CJE-NO-DATASET' : 'CJE-SEVERAL-NODES',
        headline:
          only === undefined ? 'this pipeline makes no dataset' : `this pipeline makes ${datasets.length} datasets`,
        ...(only === undefined
          ? {}
          : { facts: [['datasets', datasets.join(', ')]], hint: `such as cje export ${only}` }),
      });
    }
    const name = oneNode(this.target, this.targets(session, [this.target]));
    const node = graph.nodes.get(name)!;
    if (datasets.includes(name)) return node;
    throw new ProblemError({
      id: 'CJE-NO-DATASET',
      headline: `${name} is of kind ${node.kind}, not a dataset`,
      facts: [['datasets', datasets.join(', ') || 'none']],
    });
  }

  #tell(node: GraphNode, folder: string, { files, logged, fresh, leftOut, withoutDraw }: Exported): void {
    if (this.json) {
      this.printJson({
        type: 'exported',
        version: 1,
        node: node.name,
        folder,
        files: [...files.keys()],
        logged,
        fresh,
        leftOut,
        withoutDraw: Object.fromEntries(withoutDraw),
      });
      return;
    }
    const where = relative(process.cwd(), folder) || '.';
    const lines = [`Wrote ${count(logged)} logged rows and ${count(fresh)} fresh draws of ${node.name} to ${where}`];
    if (leftOut > 0) lines.push(`Left out: ${count(leftOut)} without a judge score, which cje-eval does not read`);
    for (const [policy, prompts] of withoutDraw) {
      const name = printable(policy);
      lines.push(
        `${name} has no draw for ${count(prompts)} logged prompts: cje-eval's dr estimators want one for each`,
      );
    }
    this.print(`${lines.join('\n')}\n`);
  }
}

/** @throws ProblemError for a folder that holds something. */
function newFolder(output: string | undefined): string {
  if (output === undefined)
    throw new ProblemError({ id: 'CJE-USAGE', headline: 'export needs a folder to write into', hint: '-o DIR' });
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

function exportNode(session: Session, node: GraphNode, found: ReadonlyMap<string, FinishedNode>): Exported {
  const { store } = session;
  const entry = found.get(node.name);
  if (entry === undefined) {
    throw new ProblemError(
      { id: 'CJE-NOT-BUILT', headline: `${node.name} is not built`, hint: `cje build ${node.name}` },
      EXIT.failed,
    );
  }
  const output = readInput(entry.action, store.blobs);
  const quality = JSON.parse(output.text(QUALITY)) as DatasetQuality;
  const odd = [...quality.targets, ...(quality.logger === null ? [] : [quality.logger])].find(
    (name) => !canNameFile(name),
  );
  if (odd !== undefined) {
    throw new ProblemError({
      id: 'CJE-POLICY-NAME',
      headline: `the policy ${JSON.stringify(odd)} cannot be the name of a file`,
    });
  }
  const { clone } = node.params;
  return exportCjeEval({
    logged: output.rows(DATASET),
    fresh: [...output.rows(DRAWS, FRESH)].filter(({ part }) => part === undefined),
    quality,
    clone: typeof clone === 'string' ? clone : null,
    texts: textsOf(session, node, found, output),
  });
}

/** The prompts and responses that a dataset was joined from, or those that an import has beside its numbers. */
function textsOf({ store }: Session, node: GraphNode, found: ReadonlyMap<string, FinishedNode>, output: Input): Texts {
  const prompts = new Map<string, string>();
  const responses = new Map<string, Map<string, string>>();
  for (const { label, node: upstream } of node.inputs.responses?.nodes ?? []) {
    const of = new Map<string, string>();
    responses.set(label, of);
    for (const row of readInput(found.get(upstream)!.action, store.blobs).rows(RESPONSES)) {
      prompts.set(row.prompt_id, row.prompt);
      if (row.response !== null) of.set(drawName(row.prompt_id, row.draw_index), row.response);
    }
  }
  for (const row of output.files().includes(TEXTS) ? output.rows(DATASET_TEXTS, TEXTS) : []) {
    if (row.prompt !== null) prompts.set(row.prompt_id, row.prompt);
    if (row.response === null) continue;
    const of = responses.get(row.policy) ?? new Map<string, string>();
    responses.set(row.policy, of.set(drawName(row.prompt_id, row.draw_index), row.response));
  }
  return {
    prompt: (id) => prompts.get(id),
    response: (policy, id, draw) => responses.get(policy)?.get(drawName(id, draw)),
  };
}
