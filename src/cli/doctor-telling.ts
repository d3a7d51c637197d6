/** How findings are told: as events, or as text with a line for who watches. */

import { type BuildEvent, NOTHING_DONE } from '../core/events.ts';
import { EXIT, type ExitCode } from '../core/problem.ts';
import type { DoctorEvent } from '../doctor/events.ts';
import type { Findings } from '../doctor/run-probes.ts';
import { duration } from '../text/duration.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { painter } from '../text/paint.ts';
import { counted } from '../text/plural.ts';
import { truncate } from '../text/width.ts';
import { jsonText } from '../ui/json.ts';
import { columnsOfTerminal, isDumb } from './terminal-look.ts';

interface TellingOptions {
  readonly json: boolean;
  readonly color: boolean;
  readonly width: number;
  readonly print: (text: string) => void;
}

interface Conclusion {
  readonly exit: ExitCode;
  readonly milliseconds: number;
  /** The provider file, for who is to write into it. */
  readonly file: string;
  /** Names of providers that nothing here asks. */
  readonly unused: readonly string[];
}

export class Telling {
  readonly #options: TellingOptions;

  constructor(options: TellingOptions) {
    this.#options = options;
  }

  emit(event: BuildEvent | DoctorEvent): void {
    if (this.#options.json) this.#options.print(`${jsonText(event)}\n`);
  }

  /** What is being asked, on a line that is written over; for people who watch. */
  progress(text: string): void {
    const { stderr } = process;
    if (this.#options.json || stderr.isTTY !== true || process.stdout.isTTY !== true || isDumb(process.env)) return;
    stderr.write(`\r\u001b[K${truncate(printable(text), columnsOfTerminal(stderr) - 1)}`);
  }

  /** One provider and its models. */
  async tell(found: Findings): Promise<void> {
    this.progress('');
    if (this.#options.json) {
      this.emit(found.provider);
      for (const model of found.models) this.emit(model);
      return;
    }
    const { findingsText } = await import('../terminal/doctor-text.ts');
    this.#options.print(`${findingsText(found, this.#textOptions)}\n`);
  }

  async conclude(findings: readonly Findings[], conclusion: Conclusion): Promise<void> {
    const { exit, milliseconds } = conclusion;
    const models = findings.flatMap((found) => found.models);
    const calls = models.reduce((sum, model) => sum + model.calls, 0);
    const failed = findings.reduce((sum, found) => sum + found.failed, 0);
    const billed = models.reduce((sum, model) => sum + model.cost, 0);
    const unknown = models.reduce((sum, model) => sum + model.unknown, 0);
    if (this.#options.json) {
      this.emit({
        type: 'finished',
        exit,
        build: null,
        milliseconds: Math.round(milliseconds),
        ...NOTHING_DONE,
        calls: { bought: calls - failed, cached: 0, failed },
        cost: { ...NOTHING_DONE.cost, billed, unknown },
      });
      return;
    }
    const { print, color } = this.#options;
    const { settingsText, summaryText } = await import('../terminal/doctor-text.ts');
    print(settingsText(findings, conclusion.file, this.#textOptions));
    print(summaryText(findings, conclusion.unused, this.#textOptions));
    const spent = `${counted(calls, 'call')}, ${dollars(billed)}${unknown > 0 ? ` and ${dollars(unknown)} reserved for unknown outcomes` : ''}, ${duration(milliseconds)}`;
    print(`${painter(color)('dim', spent)}\n`);
    if (exit === EXIT.interrupted) print('interrupted\n');
  }

  get #textOptions() {
    return { paint: painter(this.#options.color), columns: this.#options.width };
  }
}
