/** The command line: one command a file, found by name. */

import { Builtins, Cli, Command, type CommandClass, type Definition, UsageError } from 'clipanion';
import { EXIT } from '../core/problem.ts';
import { commandHelp, groupHelp, named, overview } from '../terminal/help.ts';
import { renderProblem } from '../ui/problems.ts';
import { VERSION } from './build-info.ts';
import { BatchAdoptCommand } from './commands/batch-adopt.ts';
import { BatchCancelCommand } from './commands/batch-cancel.ts';
import { BatchForgetCommand } from './commands/batch-forget.ts';
import { BatchHarvestCommand } from './commands/batch-harvest.ts';
import { BatchListCommand } from './commands/batch-list.ts';
import { BatchWaitCommand } from './commands/batch-wait.ts';
import { BuildCommand } from './commands/build.ts';
import { CacheExportCommand } from './commands/cache-export.ts';
import { CacheGcCommand } from './commands/cache-gc.ts';
import { CacheImportCommand } from './commands/cache-import.ts';
import { CacheKeygenCommand } from './commands/cache-keygen.ts';
import { CachePullCommand } from './commands/cache-pull.ts';
import { CachePushCommand } from './commands/cache-push.ts';
import { CacheStatsCommand } from './commands/cache-stats.ts';
import { CacheUnlockCommand } from './commands/cache-unlock.ts';
import { CacheVerifyCommand } from './commands/cache-verify.ts';
import { ClusterResolveCommand } from './commands/cluster-resolve.ts';
import { ClusterStatusCommand } from './commands/cluster-status.ts';
import { CompletionsCommand } from './commands/completions.ts';
import { DiffCommand } from './commands/diff.ts';
import { DoctorCommand } from './commands/doctor.ts';
import { ExportCommand } from './commands/export.ts';
import { GateCommand } from './commands/gate.ts';
import { GraphCommand } from './commands/graph.ts';
import { InitCommand } from './commands/init.ts';
import { LogCommand } from './commands/log.ts';
import { LsCommand } from './commands/ls.ts';
import { PlanCommand } from './commands/plan.ts';
import { PowerCommand } from './commands/power.ts';
import { SchemaCommand } from './commands/schema.ts';
import { ShowCommand } from './commands/show.ts';
import { SimulateCommand } from './commands/simulate.ts';
import { StatusCommand } from './commands/status.ts';
import { TillCommand } from './commands/till.ts';
import { ViewCommand } from './commands/view.ts';
import { WhyCommand } from './commands/why.ts';
import { WorkerCommand } from './commands/worker.ts';
import { complaintEvents } from './complaint.ts';
import type { CliContext } from './context.ts';
import { spelledOut, wantsColor } from './terminal-look.ts';
import { usageProblem } from './usage.ts';

const COMMANDS = [
  BuildCommand,
  PlanCommand,
  WhyCommand,
  DiffCommand,
  LogCommand,
  LsCommand,
  StatusCommand,
  GraphCommand,
  ShowCommand,
  ViewCommand,
  PowerCommand,
  GateCommand,
  DoctorCommand,
  SimulateCommand,
  InitCommand,
  ExportCommand,
  SchemaCommand,
  BatchListCommand,
  BatchWaitCommand,
  BatchHarvestCommand,
  BatchAdoptCommand,
  BatchCancelCommand,
  BatchForgetCommand,
  CompletionsCommand,
  CacheStatsCommand,
  CacheVerifyCommand,
  CacheGcCommand,
  CacheExportCommand,
  CacheImportCommand,
  CacheKeygenCommand,
  CachePushCommand,
  CachePullCommand,
  CacheUnlockCommand,
  TillCommand,
  WorkerCommand,
  ClusterStatusCommand,
  ClusterResolveCommand,
];

/** The parser, with words of our own for `--help`. */
class CommandLine extends Cli<CliContext> {
  /** Of all commands, in the order in which they are told. */
  told(): Definition[] {
    const definitions = this.definitions();
    return COMMANDS.flatMap(({ paths: [words = []], many }) => {
      const definition = definitions.find(({ path }) => path === ['cje', ...words].join(' '));
      return definition === undefined ? [] : [named(definition, many)];
    });
  }

  override usage(command?: CommandClass<CliContext> | Command<CliContext> | null): string {
    const told = this.told();
    const asked = COMMANDS.findIndex(
      (each) => each === command || (command instanceof Command && command instanceof each),
    );
    const path = ['cje', ...(COMMANDS[asked]?.paths[0] ?? [])].join(' ');
    const definition = told.find((each) => each.path === path);
    return definition === undefined ? overview(told, VERSION) : commandHelp(definition, told);
  }
}

/** `cje cache --help` names no command, but commands. */
function helpOfGroup(cli: CommandLine, [group = '', ...more]: readonly string[]): string | undefined {
  if (more.length !== 1 || !['--help', '-h'].includes(more[0]!)) return undefined;
  const commands = cli.told().filter(({ path }) => path.startsWith(`cje ${group} `));
  return commands.length === 0 ? undefined : groupHelp(group, commands);
}

/** A parser that knows these commands. */
function parserOf(commands: readonly CommandClass<CliContext>[]): CommandLine {
  const cli = new CommandLine({
    binaryLabel: 'cje: a build system for LLM-evaluation experiments',
    binaryName: 'cje',
    binaryVersion: VERSION,
    enableColors: false,
  });
  for (const command of commands) cli.register(command);
  cli.register(Builtins.HelpCommand);
  cli.register(Builtins.VersionCommand);
  return cli;
}

/** The command that the first words name, unless its help is asked for, which tells of other commands too. */
function commandNamed(args: readonly string[]): CommandClass<CliContext> | undefined {
  if (args.includes('--help') || args.includes('-h')) return undefined;
  return COMMANDS.find(({ paths: [words = []] }) => words.length > 0 && words.every((word, at) => args[at] === word));
}

type Streams = Pick<CliContext, 'stdin' | 'stdout' | 'stderr'>;

/** Runs a command line and returns its exit code. */
export async function main(
  args: readonly string[],
  bundle: URL,
  streams: Streams = Cli.defaultContext,
): Promise<number> {
  let everything: CommandLine | undefined;
  const all = () => (everything ??= parserOf(COMMANDS));
  // A parser of all commands takes longer to make than most of them take to begin.
  const asked = commandNamed(args);
  const help = asked === undefined ? helpOfGroup(all(), args) : undefined;
  if (help !== undefined) {
    streams.stdout.write(help);
    return EXIT.built;
  }
  const context: CliContext = { ...Cli.defaultContext, ...streams, bundle, args, definitions: () => all().told() };
  const run = (cli: CommandLine) => cli.run(cli.process(spelledOut(args), context), context);
  try {
    return await run(asked === undefined ? all() : parserOf([asked]));
  } catch (error) {
    if (!isUsageError(error)) throw error;
    return complain(args, all(), error.message, streams);
  }
}

/** Says what is wrong with a command line that is not understood. */
function complain(args: readonly string[], cli: CommandLine, message: string, { stdout, stderr }: Streams): number {
  const paths = COMMANDS.flatMap((command) => command.paths);
  const definitionOf = (name: string) => cli.definitions().find(({ path }) => path === `cje ${name}`);
  const problem = usageProblem(args, paths, message, definitionOf);
  if (args.includes('--json')) {
    for (const event of complaintEvents([problem], EXIT.badInput)) stdout.write(`${JSON.stringify(event)}\n`);
  } else {
    const color = stderr === process.stderr && wantsColor(args, process.env, process.stderr);
    stderr.write(`${renderProblem(problem, { color })}\n`);
  }
  return EXIT.badInput;
}

/** Clipanion's own complaints; the class that it throws for unknown syntax is not exported. */
function isUsageError(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof Error && error.name === 'UnknownSyntaxError');
}
