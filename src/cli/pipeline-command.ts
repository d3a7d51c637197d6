/** The options that every command on a pipeline takes, and how its mistakes are printed. */

import { resolve } from 'node:path';
import { Command, Option } from 'clipanion';
import type { Listener } from '../core/events.ts';
import { badOption, EXIT, type ExitCode, type Problem, ProblemError } from '../core/problem.ts';
import { DamageError, type PipelineSettings } from '../core/storage.ts';
import { systemProblem } from '../core/system-problem.ts';
import { chosenItems } from '../engine/ask-again.ts';
import { reach } from '../engine/select.ts';
import { selectTargets } from '../pipeline/targets.ts';
import { printable } from '../text/escape.ts';
import { renderProblem } from '../ui/problems.ts';
import { complaintEvents, finishedNothing } from './complaint.ts';
import { openSession, type Session } from './compose.ts';
import type { CliContext } from './context.ts';
import { COLOR_WORDS, terminalLook, wantsColor } from './terminal-look.ts';

export abstract class PipelineCommand extends Command<CliContext> {
  /** What each argument is called of a command that takes any number of them; its usage says only that it does. */
  static readonly many: string = 'target';

  file = Option.String('-f,--file', 'pipeline.yaml', { description: 'the pipeline file' });
  profile = Option.String('--profile', { description: 'a profile of the pipeline file' });
  set = Option.Array('--set', [], { description: 'set a variable: name=value; may be repeated' });
  json = Option.Boolean('--json', false, { description: 'print JSON and nothing else' });
  color = Option.String('--color', {
    tolerateBoolean: true,
    description: 'auto (where the terminal has colours), always or never; --no-color is never',
  });
  verbose = Option.Boolean('--verbose', false, {
    description: 'say more: a line for each node, each failed call and each retry',
  });

  abstract run(): Promise<ExitCode>;

  override async execute(): Promise<ExitCode> {
    try {
      checkColor(this.color);
      return await this.run();
    } catch (error) {
      const problem = systemProblem(error);
      if (problem !== undefined) {
        this.complain(problem.problems, problem.exit);
        return problem.exit;
      }
      // A bug of ours: the stack is for the report, and stdout stays what the caller asked for.
      this.context.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      return EXIT.failed;
    }
  }

  get look() {
    return terminalLook(this.context.args);
  }

  /** Whether there is somebody to ask. */
  get interactive(): boolean {
    return !this.json && process.stdin.isTTY === true && process.stdout.isTTY === true;
  }

  /** Prints problems: for people on stderr, as the stream's events on stdout. */
  complain(problems: readonly Problem[], exit: ExitCode): void {
    if (problems.length === 0) return;
    if (this.json) {
      for (const event of complaintEvents(problems, exit)) this.printJson(event);
      return;
    }
    for (const problem of problems) this.warn(problem);
  }

  /** Prints a problem that does not end the command. */
  warn(problem: Problem): void {
    if (this.json) {
      this.printJson({ type: 'problem', problem });
      return;
    }
    const { stderr, args } = this.context;
    const color = stderr === process.stderr && wantsColor(args, process.env, process.stderr);
    stderr.write(`${renderProblem(problem, { color })}\n`);
  }

  /** What `--ask-again` chooses. @throws ProblemError */
  chosenItems(session: Session, written: readonly string[], targets: readonly string[]) {
    const built = new Set(reach(session.graph, targets).map(({ name }) => name));
    return chosenItems(session, written, (pattern) => this.nodeNamed(session, pattern), built);
  }

  /** The last event of a stream that knows of nothing done. */
  printFinished(exit: ExitCode): void {
    this.printJson(finishedNothing(exit));
  }

  print(text: string): void {
    this.context.stdout.write(text);
  }

  /** What a long-running command has to say, for whoever reads it. */
  say(event: object, text: string): void {
    if (this.json) this.printJson(event);
    else this.print(`${printable(text)}\n`);
  }

  /** The command as it was given, for locks and records. */
  get commandLine(): string {
    return ['cje', ...this.context.args].join(' ');
  }

  printJson(value: unknown): void {
    this.print(`${JSON.stringify(value)}\n`);
  }

  /** How this command reads its pipeline. */
  settings(): PipelineSettings {
    const { file, profile, set } = this;
    return { file: resolve(file), ...(profile === undefined ? {} : { profile }), set };
  }

  /**
   * Opens the pipeline; for the caller to close.
   *
   * @param options.settings absent: those of the command line
   */
  openSession(options: {
    readonly readOnly: boolean;
    readonly emit?: Listener;
    readonly settings?: PipelineSettings | undefined;
  }): Promise<Session> {
    const { file, profile, set } = options.settings ?? this;
    return openSession({
      file,
      profile,
      set: set.map(parseSetting),
      readOnly: options.readOnly,
      emit: options.emit ?? (() => {}),
      bundle: this.context.bundle,
    });
  }

  /** Opens the pipeline for the duration of `work`. */
  async withSession<T>(
    options: { readonly readOnly: boolean; readonly emit?: Listener },
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    const session = await this.openSession(options);
    try {
      return await work(session);
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      if (!options.readOnly && error.ref !== undefined) session.store.blobs.setAside(error.ref);
      throw new ProblemError(
        {
          id: 'CJE-CACHE-DAMAGED',
          headline: `the cache is damaged: ${error.message}`,
          facts: [['damaged', error.what]],
          hint: '`cje cache verify` takes out what is damaged; the next build makes it again from the stored replies',
        },
        EXIT.damaged,
      );
    } finally {
      await session.close();
    }
  }

  /**
   * The only node that an argument names; without one the pipeline's default, where that is one node.
   *
   * @throws ProblemError where it is several
   */
  nodeNamed(session: Session, argument: string | undefined): string {
    const patterns = argument === undefined ? session.graph.defaultTargets : [argument];
    const [first, ...more] = this.targets(session, patterns);
    if (first !== undefined && more.length === 0) return first;
    throw new ProblemError({
      id: 'CJE-SEVERAL-NODES',
      headline:
        argument === undefined
          ? `a node must be named: the pipeline's default is ${more.length + 1} of them`
          : `${argument} is ${more.length + 1} nodes, and this command takes one`,
      facts: [['nodes', [first, ...more].slice(0, 6).join(', ')]],
      hint: `name one: cje ${this.path.join(' ')} ${first ?? 'NODE'}`,
    });
  }

  /** The nodes that the arguments name; the pipeline's default without arguments. */
  targets({ graph }: Session, patterns: readonly string[]): string[] {
    return selectTargets(graph, patterns.length > 0 ? patterns : graph.defaultTargets);
  }
}

function checkColor(word: string | boolean | undefined): void {
  if (typeof word !== 'string' || COLOR_WORDS.some((known) => known === word)) return;
  throw badOption(
    `--color takes ${COLOR_WORDS.join(', ')}, not ${JSON.stringify(word)}`,
    'such as --color=always, or --no-color',
  );
}

function parseSetting(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) {
    throw badOption(`--set takes name=value, not ${JSON.stringify(text)}`, 'such as --set samples=1000');
  }
  return [text.slice(0, at), text.slice(at + 1)];
}
