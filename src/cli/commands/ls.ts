/** `cje ls`: the nodes that have outputs, their files and sizes, and where the copies are. */

import { join, relative } from 'node:path';
import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { reach } from '../../engine/select.ts';
import { survey } from '../../engine/survey.ts';
import { count } from '../../text/numbers.ts';
import { table } from '../../text/table.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class LsCommand extends PipelineCommand {
  static override paths = [['ls']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: 'finished outputs: files, sizes, paths',
    examples: [
      ['Everything', 'cje ls'],
      ['One stage', 'cje ls scores'],
    ],
  });

  targetPatterns = Option.Rest({ name: 'target' });

  run(): Promise<ExitCode> {
    return this.withSession({ readOnly: true }, async (session) => {
      const { graph, ports, out } = session;
      const all = this.targetPatterns.length === 0;
      const wanted = new Set(all ? graph.nodes.keys() : this.targets(session, this.targetPatterns));
      const found = await survey(reach(graph, [...wanted]), ports);
      const files: { node: string; file: string; path: string; size: number; digest: string }[] = [];
      const without: string[] = [];
      for (const node of wanted) {
        const action = found.get(node)?.action;
        if (action === undefined) without.push(node);
        for (const [file, { size, digest }] of Object.entries(action?.outputs ?? {})) {
          files.push({ node, file, path: relative(process.cwd(), join(out, node, file)), size, digest });
        }
      }
      if (this.json) {
        for (const file of files) this.printJson({ type: 'file', version: 1, ...file });
        return EXIT.built;
      }
      const bytes = files.reduce((sum, { size }) => sum + size, 0);
      const rows = files.map(({ path, size }) => [path, count(size)]);
      if (rows.length > 0) {
        this.print(`${table([['file', 'bytes'], ...rows, ['', count(bytes)]], { align: ['left', 'right'] })}\n`);
      }
      if (without.length > 0) {
        const [first, ...more] = without;
        const names = more.length === 0 ? first : `${first} and ${count(more.length)} more`;
        this.print(`${rows.length > 0 ? '\n' : ''}Not built, or not up to date: ${names} (see cje status)\n`);
      }
      return EXIT.built;
    });
  }
}
