/** `cje simulate`: the simulator as an OpenAI-compatible server. */

import { Command, Option } from 'clipanion';
import { badOption, EXIT, type ExitCode } from '../../core/problem.ts';
import { type BatchTrouble, batchTroubleFile } from '../../simulator/batches/trouble.ts';
import { checkQuirks, simulatorIdentity } from '../../simulator/start.ts';
import type { FaultPlan } from '../../simulator/weather/plan.ts';
import { untilInterrupted } from '../interrupts.ts';
import { portNumber } from '../numbers.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class SimulateCommand extends PipelineCommand {
  static override paths = [['simulate']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: 'the simulator as an OpenAI-compatible server',
    details: `
      Serves /v1/models, /v1/completions (with echo and logprobs) and /v1/chat/completions on 127.0.0.1 until interrupted. The
      world is the one that profile sim builds in: give the provider the printed identity, and replies are shared.

      With --faults FILE requests go wrong by model and rate, as docs/bad-weather.md says: try a pipeline against it.

      Batches are served as OpenAI, Anthropic and Fireworks serve them; --batches FILE says how they go (docs/batch.md).

      With --quirk it differs from a good server as real ones do; \`cje doctor\` is to notice. An unknown name lists them all.
    `,
    examples: [
      ['On a free port', 'cje simulate'],
      ['As slow as a real provider', 'cje simulate --port 8080 --latency 50ms'],
      [
        'A server that wants max_tokens 1 and lists no models',
        'cje simulate --quirk echo-needs-token --quirk no-listing',
      ],
      ['Bad weather', 'cje simulate --faults faults.yaml'],
    ],
  });

  port = Option.String('--port', '0', { description: 'the port; 0 for any that is free' });
  latency = Option.String('--latency', '0ms', { description: 'how long each reply is held back: 50ms, 2s' });

  quirk = Option.Array('--quirk', [], { description: 'a way to differ from a good server; may be repeated' });

  faults = Option.String('--faults', { description: 'a file of what goes wrong: faults by model and rate' });

  batches = Option.String('--batches', { description: 'a file of how batches go: how long, and what goes wrong' });

  async run(): Promise<ExitCode> {
    const quirks = checkQuirks(this.quirk);
    const port = portNumber(this.port);
    const weather = this.faults === undefined ? undefined : await faultsIn(this.faults);
    const batches = this.batches === undefined ? undefined : await troubleIn(this.batches);
    const { startSimulator } = await import('../../simulator/server.ts');
    const simulator = await startSimulator({
      port,
      latencyMs: milliseconds(this.latency),
      quirks,
      ...(weather === undefined ? {} : { weather }),
      ...(batches === undefined ? {} : { batches }),
    });
    const identity = simulatorIdentity({});
    if (this.json) this.printJson({ type: 'listening', version: 1, url: simulator.url, identity });
    else {
      this.print(`Listening on ${simulator.url}; Ctrl-C stops it.\n\nAs a provider:\n`);
      this.print(
        `  providers:\n    simulator: { type: openai, base_url: ${simulator.url}, identity: "${identity}" }\n`,
      );
    }
    await untilInterrupted();
    await simulator.close();
    return EXIT.built;
  }
}

async function faultsIn(path: string): Promise<FaultPlan> {
  const [{ readCheckedFile }, { faultFile }, { MODELS }] = await Promise.all([
    import('../../pipeline/checked-file.ts'),
    import('../../simulator/weather/plan.ts'),
    import('../../simulator/world/index.ts'),
  ]);
  return readCheckedFile({ path, option: '--faults', cwd: process.cwd() }, faultFile(MODELS));
}

async function troubleIn(path: string): Promise<BatchTrouble> {
  const { readCheckedFile } = await import('../../pipeline/checked-file.ts');
  return readCheckedFile({ path, option: '--batches', cwd: process.cwd() }, batchTroubleFile);
}

function milliseconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text);
  if (match === null) {
    throw badOption(`--latency takes a duration such as 50ms or 2s, not ${JSON.stringify(text)}`);
  }
  return Number(match[1]) * (match[2] === 's' ? 1_000 : 1);
}
