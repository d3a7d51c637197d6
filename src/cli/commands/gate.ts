/** `cje gate`: is the candidate no worse than the baseline? Buys until that is decided. */

import { Command, Option } from 'clipanion';
import { EVENTS_VERSION, NOTHING_DONE } from '../../core/events.ts';
import { mostInFlight } from '../../core/graph.ts';
import { badOption, EXIT, type ExitCode } from '../../core/problem.ts';
import { chosenDataset } from '../../datasets/nodes.ts';
import { checkMargin, type GateQuestion, type GateResult } from '../../decide/gate-result.ts';
import { gateHead, gateText, lookLine } from '../../decide/gate-text.ts';
import { type PairNodes, pairGraph, pairNodes } from '../../decide/pair-graph.ts';
import { NOT_AGAIN } from '../../engine/again.ts';
import { unaskedDollars } from '../../engine/plan/approval.ts';
import { nodeOf } from '../../engine/select.ts';
import { secrets } from '../../providers/environment.ts';
import { approve } from '../approval.ts';
import type { Session } from '../compose.ts';
import { watchInterrupts } from '../interrupts.ts';
import { number, openShare, positiveNumber, wholeNumber } from '../numbers.ts';
import { PipelineCommand } from '../pipeline-command.ts';
import { checkWritable, writeText } from '../written-file.ts';

const EXITS = { pass: EXIT.built, fail: EXIT.gateFailed, undecided: EXIT.gateUndecided } as const;

export class GateCommand extends PipelineCommand {
  static override paths = [['gate']];
  static override usage = Command.Usage({
    category: 'Building',
    description: 'is the candidate no worse than the baseline? buys until that is decided',
    details: `
      Both policies answer the same prompts, a few at a time, and after each few it is looked whether the candidate is worse by the
      margin for certain, or for certain not. Looking often costs no error: the chance to pass a candidate that is worse by the
      margin is α at most, however often it is looked. Everything is bought as a build would, under the same caps, and kept.

      Exit codes: 0 passed · 7 failed · 8 undecided when prompts or budget end · 3 not approved; others as of a build.
    `,
    examples: [
      ['May the new prompt be shipped?', 'cje gate --baseline p0 --candidate p1 --margin 0.02'],
      [
        'For a page of test results',
        'cje gate --baseline p0 --candidate p1 --margin 0.02 --junit gate.xml --markdown gate.md',
      ],
      ['Spend at most a dollar on the answer', 'cje gate --baseline p0 --candidate p1 --margin 0.02 --max-cost 1'],
    ],
  });

  target = Option.String({ name: 'dataset', required: false });
  baseline = Option.String('--baseline', { required: true, description: 'the policy that is there' });
  candidate = Option.String('--candidate', { required: true, description: 'the policy that would take its place' });
  margin = Option.String('--margin', {
    required: true,
    description:
      'the loss that would be too much, in the labels’ units; on the judge’s scale, which is 0 to 1 here, a share of it',
  });
  alpha = Option.String('--alpha', '0.05', { description: 'chance to pass a candidate that is worse by the margin' });
  on = Option.String('--on', {
    description: 'judge or oracle: whose scale is tested; unless given the oracle’s where the dataset has labels',
  });
  step = Option.String('--step', '25', { description: 'prompts between two looks' });
  maxPrompts = Option.String('--max-prompts', { description: 'stop after this many prompts' });
  junit = Option.String('--junit', { description: 'write the verdict to this file, as JUnit XML' });
  markdown = Option.String('--markdown', { description: 'write the verdict to this file, as Markdown' });
  jobs = Option.String('-j,--jobs', { description: 'calls in flight at most' });
  maxCost = Option.String('--max-cost', { description: 'stop before this many dollars are spent' });
  maxCalls = Option.String('--max-calls', { description: 'stop after this many calls' });
  yes = Option.Boolean('--yes', false, { description: 'approve what all the prompts would cost' });

  async run(): Promise<ExitCode> {
    const interrupts = watchInterrupts(
      () => this.context.stderr.write('stopping: what is in flight is kept; press Ctrl-C again to drop it\n'),
      () => this.json && this.printFinished(EXIT.interrupted),
    );
    try {
      return await this.withSession(
        {
          readOnly: false,
          emit: (event) => {
            // It ends a look, not the stream.
            if (event.type === 'problem') this.warn(event.problem);
          },
        },
        (session) => this.#gate(session, interrupts),
      );
    } finally {
      interrupts.stop();
    }
  }

  async #gate(
    session: Session,
    interrupts: { readonly interrupt: AbortSignal; readonly kill: AbortSignal },
  ): Promise<ExitCode> {
    const { graph, ports } = session;
    const startedAt = ports.now();
    const dataset = chosenDataset(session, this.target, (target) => this.nodeNamed(session, target), 'cje gate');
    const pair = pairOf(this.candidate, this.baseline);
    const nodes = pairNodes(graph, nodeOf(graph, dataset), pair, scaleOf(this.on));
    const question: GateQuestion = {
      ...pair,
      dataset,
      on: nodes.labels === undefined ? 'judge' : 'oracle',
      margin: number('--margin', this.margin)!,
      alpha: openShare('--alpha', this.alpha),
      pairwise: isPairwise(nodeOf(graph, nodes.scores.candidate).params),
    };
    // The labels' scale is known with the first labels only.
    if (question.on === 'judge') checkMargin(question.margin, undefined);
    const maxCost = number('--max-cost', this.maxCost) ?? graph.budget.maxCost;
    const maxCalls = wholeNumber('--max-calls', this.maxCalls) ?? graph.budget.maxCalls;
    const atMost = positiveNumber('--max-prompts', this.maxPrompts);
    const step = positiveNumber('--step', this.step)!;
    for (const file of [this.junit, this.markdown]) if (file !== undefined) checkWritable(file, 'the verdict');
    const whole = pairGraph(graph, pair, nodes, atMost);
    // What all the prompts would cost is what is approved: the gate may need them.
    const approved = await approve({ graph: whole.graph, ports }, whole.targets, {
      ...NOT_AGAIN,
      yes: this.yes,
      maxCost,
      interactive: this.interactive,
      context: this.context,
      secrets,
    });
    if (this.json) {
      const { name: experiment, profile } = graph;
      const { targets } = whole;
      this.printJson({ type: 'started', version: EVENTS_VERSION, experiment, profile, targets, nodes: targets.length });
    } else this.print(gateHead(question, nodes, this.look.width));
    const { runGate } = await import('../../decide/run-gate.ts');
    const result = await runGate(session, {
      question,
      nodes,
      step,
      atMost: atMost ?? Number.POSITIVE_INFINITY,
      build: {
        ...NOT_AGAIN,
        jobs: positiveNumber('--jobs', this.jobs) ?? mostInFlight(graph),
        onFailure: 'stop-new',
        offline: false,
        limits: { maxCost, maxCalls, unapprovedCost: unaskedDollars(approved, graph.budget) },
        command: this.commandLine,
        named: new Set(),
        ...interrupts,
      },
      onLook: (look) => {
        if (this.json) this.printJson({ type: 'look', ...look });
        else this.print(`${lookLine(look, this.look.width)}\n`);
      },
    });
    const milliseconds = ports.now() - startedAt;
    if (typeof result === 'number') {
      if (this.json) this.printFinished(result);
      return result;
    }
    await this.#tell(result, nodes, milliseconds);
    return EXITS[result.verdict];
  }

  async #tell(result: GateResult, nodes: PairNodes, milliseconds: number): Promise<void> {
    const { gateJunit, gateMarkdown } = await import('../../decide/gate-files.ts');
    if (this.junit !== undefined) writeText(this.junit, gateJunit(result, nodes, milliseconds / 1000), 'the verdict');
    if (this.markdown !== undefined) writeText(this.markdown, gateMarkdown(result, nodes), 'the verdict');
    if (!this.json) {
      this.print(gateText(result, this.look.width));
      return;
    }
    const { looks, bought, billed, unknown, ...told } = result;
    this.printJson({ type: 'gate', version: 1, ...told, ...looks.at(-1), verdict: result.verdict });
    this.printJson({
      type: 'finished',
      exit: EXITS[result.verdict],
      ...NOTHING_DONE,
      calls: { ...NOTHING_DONE.calls, bought },
      cost: { ...NOTHING_DONE.cost, billed, unknown },
      build: null,
      milliseconds,
    });
  }
}

function pairOf(candidate: string, baseline: string) {
  if (candidate !== baseline) return { candidate, baseline };
  throw badOption(`--candidate and --baseline are both ${JSON.stringify(candidate)}`, 'name two policies');
}

function scaleOf(text: string | undefined): 'judge' | 'oracle' | undefined {
  if (text === undefined || text === 'judge' || text === 'oracle') return text;
  throw badOption(`--on takes judge or oracle, not ${JSON.stringify(text)}`);
}

const isPairwise = ({ judge }: { readonly judge?: unknown }): boolean =>
  typeof judge === 'object' && judge !== null && 'output' in judge && judge.output === 'pairwise';
