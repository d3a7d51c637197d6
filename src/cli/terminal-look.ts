/** How a terminal is drawn on: in colours or not, and how wide. Read from the command line before anything parses it. */

export interface TerminalLook {
  readonly color: boolean;
  readonly width: number;
}

/** The part of a stream that matters here. */
interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What `--color` takes. */
export const COLOR_WORDS = ['auto', 'always', 'never'] as const;

const COLOR = '--color=';

/** A terminal that does not say how wide it is, or says 0, is as wide as most. */
export const columnsOfTerminal = ({ columns }: Stream): number =>
  columns === undefined || columns === 0 ? 80 : columns;

/** The same arguments with `--color`, `--color WORD` and `--no-color` written as one word, which a parser can read. */
export function spelledOut(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  const options = end < 0 ? args : args.slice(0, end);
  const words = new Set<string>(COLOR_WORDS);
  const spelled = options.flatMap((arg, index) => {
    if (arg === '--no-color') return [`${COLOR}never`];
    if (arg === '--color') return [`${COLOR}${words.has(options[index + 1] ?? '') ? options[index + 1] : 'always'}`];
    return options[index - 1] === '--color' && words.has(arg) ? [] : [arg];
  });
  return [...spelled, ...args.slice(options.length)];
}

export function terminalLook(args: readonly string[]): TerminalLook {
  const { stdout, env } = process;
  return {
    color: wantsColor(args, env, stdout),
    width: stdout.isTTY === true ? columnsOfTerminal(stdout) : 100,
  };
}

/**
 * The command line decides, then FORCE_COLOR, then NO_COLOR, as Node has it; else there is colour where there is a terminal
 * that knows more than letters.
 */
export function wantsColor(args: readonly string[], env: Environment, stream: Stream): boolean {
  const word = spelledOut(args)
    .filter((arg) => arg.startsWith(COLOR))
    .at(-1)
    ?.slice(COLOR.length);
  if (word === 'always') return true;
  if (word === 'never') return false;
  const { FORCE_COLOR: forced, NO_COLOR: refused = '' } = env;
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return refused === '' && stream.isTTY === true && !isDumb(env);
}

/**
 * FORCE_COLOR outweighs the variables that refuse colours; where both are set Node says so on stderr, before anything of ours.
 * They are taken away, which changes nothing else, here and in whatever is started from here.
 */
export function settleColors(env: Record<string, string | undefined>): void {
  if (env.FORCE_COLOR === undefined) return;
  delete env.NO_COLOR;
  delete env.NODE_DISABLE_COLORS;
}

/** A terminal that takes letters and line feeds, and neither colours nor movements of the cursor. */
export const isDumb = ({ TERM }: Environment): boolean => TERM === 'dumb';
