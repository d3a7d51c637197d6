/** `cje view`: the run, its items and its charts in a browser, on 127.0.0.1. */

import { Command, Option } from 'clipanion';
import { EVENTS_VERSION } from '../../core/events.ts';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { findBuild } from '../../engine/build-name.ts';
import { openPastSession } from '../compose.ts';
import { untilInterrupted } from '../interrupts.ts';
import { portNumber } from '../numbers.ts';
import { PipelineCommand } from '../pipeline-command.ts';
import { viewedSession } from '../viewed-pipeline.ts';

export class ViewCommand extends PipelineCommand {
  static override paths = [['view']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: 'the run, its items and its charts in a browser, on 127.0.0.1',
    details: `
      Serves pages on 127.0.0.1 until interrupted: the report, the graph, every node with its rows, and each prompt across all
      policies and judges, with requests and raw replies. Nothing is changed and no lock is taken, so it may stay open
      while builds come and go.
    `,
    examples: [
      ['The newest build', 'cje view'],
      ['An earlier one, on a port to bookmark', 'cje view --build last~1 --port 8080'],
    ],
  });

  port = Option.String('--port', '0', { description: 'the port; 0 for any that is free' });
  which = Option.String('--build', { description: 'the build to begin with: an id, a tag, last~1' });

  async run(): Promise<ExitCode> {
    const port = portNumber(this.port);
    const session = await viewedSession(
      (settings) => this.openSession({ readOnly: true, settings }),
      () => openPastSession(this.file, this.context.bundle),
    );
    try {
      const { graph, store } = session.current();
      const start = this.which === undefined ? undefined : findBuild(store.builds, this.which).id;
      const [{ buildSource }, { startViewer }] = await Promise.all([
        import('../../viewer/model/build-source.ts'),
        import('../../viewer/server.ts'),
      ]);
      const source = buildSource(session, start);
      const problems = session.problem()?.problems ?? [];
      if (!this.json) this.complain(problems, EXIT.badInput);
      const viewer = await startViewer(source, port);
      if (this.json) {
        const { profile, defaultTargets: targets } = graph;
        const { experiment } = source;
        const about = { experiment, profile, targets, nodes: graph.nodes.size };
        this.printJson({ type: 'started', version: EVENTS_VERSION, ...about });
        for (const problem of problems) this.printJson({ type: 'problem', problem });
        this.printJson({ type: 'listening', version: 1, url: viewer.url });
      } else {
        this.print(`Viewing ${source.experiment} at ${viewer.url}; Ctrl-C stops it.\n`);
      }
      await untilInterrupted();
      await viewer.close();
      if (this.json) this.printFinished(EXIT.built);
      return EXIT.built;
    } finally {
      await session.close();
    }
  }
}
