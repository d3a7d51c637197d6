import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { boundaryCard } from '../../src/stats/diagnostics/boundary.ts';
import { bhattacharyyaAffinity } from '../../src/stats/diagnostics/score-overlap.ts';
import { targetTypicality } from '../../src/stats/diagnostics/target-typicality.ts';
import { estimate, type PolicyResult, type ReliabilityFlag, resolveConfig } from '../../src/stats/index.ts';
import { take } from '../../src/stats/numeric/moments.ts';
import { loggedView } from '../../src/stats/study/policy-view.ts';
import { prepareStudy } from '../../src/stats/study/study.ts';
import { weightDiagnostics } from '../../src/stats/weights/diagnostics.ts';
import { CASES, CELLS } from './support/recorded-estimators.ts';
import { hasShared, loadCase, readJson } from './support/reference-data.ts';

interface RecordedMode {
  readonly same_as?: string;
  readonly selected_mode: 'monotone' | 'two_stage' | null;
  readonly overlap: Readonly<Record<string, Readonly<Record<string, number | string>>>>;
  readonly boundary_cards: Readonly<
    Record<
      string,
      {
        readonly status: string;
        readonly out_of_range: number;
        readonly saturation: number;
        readonly partial_id_width: number | null;
        readonly oracle_s_range: readonly [number, number];
      }
    >
  >;
  readonly reliability_gates: Readonly<
    Record<string, Readonly<Record<string, { readonly flagged: boolean; readonly reasons: readonly string[] }>>>
  >;
}

/** Recorded estimators that cover each kind of weights once. */
const WEIGHTED = [
  'raw-ips',
  'calibrated-ips',
  'calibrated-ips-nocv',
  'dr-cpo',
  'dr-cpo-raww',
  'tmle',
  'stacked-dr-raww',
];

/** The library writes its reasons as text: `ESS=17.1%`, `raw_near_zero=90.2%`, `top_5%=46.3% with CV=2.2`. */
const REASONS: Readonly<Record<string, ReliabilityFlag>> = {
  ESS: 'ess-fraction',
  raw_near_zero: 'near-zero-weights',
  'top_5%': 'concentration',
};

/** Code points of each logged response, the library's unit of length where it has no tokens. */
function characters(directory: string): Float64Array {
  const lines = readFileSync(path.join(directory, 'logged_data.jsonl'), 'utf8').trim().split('\n');
  return Float64Array.from(lines, (line) => [...(JSON.parse(line) as { response: string }).response].length);
}

describe(`diagnostics of cje-eval 0.3.0 (${hasShared ? 'all recorded cases' : 'shipped cases; ../shared/reference is absent'})`, () => {
  for (const { name, data: directory, results } of CASES) {
    const data = loadCase(directory);
    const modes = readJson<{ modes: Readonly<Record<string, RecordedMode>> }>(results).modes;
    const calibration = ({ selected_mode: selected }: RecordedMode) =>
      selected === null ? 'none' : selected === 'two_stage' ? 'two-stage' : 'monotone';
    const study = (recorded: RecordedMode) => {
      const settings = { estimator: 'snips', mode: 'parity', rewardCalibration: calibration(recorded) } as const;
      const prepared = prepareStudy(resolveConfig(settings), data);
      if (!prepared.ok) throw new Error(prepared.refusal.message);
      return prepared.value;
    };
    const viewOf = (of: ReturnType<typeof study>, policy: string) => {
      const view = loggedView(of, policy, null);
      if (!view.ok) throw new Error(view.refusal.message);
      return view.value;
    };

    test(`${name}: overlap, in weights and in scores, and what is typical of the target`, () => {
      const lengths = characters(directory);
      const of = study(modes.none!);
      for (const [policy, recorded] of Object.entries(modes.none!.overlap)) {
        const view = viewOf(of, policy);
        const weights = weightDiagnostics(view.rawWeights);
        const scores = take(of.logged.judgeScores, view.rows);
        const target = take(of.logged.targetLogprobs.get(policy)!, view.rows);
        const typical = targetTypicality(target, take(lengths, view.rows), view.weights);
        const fresh = data.freshDraws.get(policy)!.judgeScores;
        const ours: Record<string, number> = {
          n: view.rows.length,
          mean_raw_weight: weights.mean,
          max_raw_weight: weights.maximum,
          ess_frac_raw: weights.essFraction,
          hill_tail_index_raw:
            weights.tailIndex.kind === 'estimated' ? weights.tailIndex.value : Number.POSITIVE_INFINITY,
          hellinger_affinity: weights.hellingerAffinity,
          raw_near_zero_frac: weights.nearZeroShare,
          top5pct_share_raw: weights.topFivePercentShare,
          cv_raw: weights.coefficientOfVariation,
          bhattacharyya_judge_logged_weighted: bhattacharyyaAffinity(scores, scores, view.rawWeights),
          bhattacharyya_judge_fresh: bhattacharyyaAffinity(scores, fresh),
          ttc_chars: typical.coverage,
          cle_alpha: typical.targetMass,
          cle_coverage_penalty: typical.coveragePenalty,
          cle_chi2_T: typical.chiSquare,
          cle_factor: typical.factor,
        };
        expect(Object.keys(ours).sort()).toEqual(Object.keys(recorded).sort());
        for (const [what, value] of Object.entries(recorded)) near(ours[what]!, Number(value), `${policy} ${what}`);
      }
    });

    for (const [mode, recorded] of Object.entries(modes)) {
      if (recorded.same_as !== undefined) continue;
      test(`${name}, reward mode ${mode}: reliability flags`, () => {
        for (const cell of WEIGHTED) {
          const result = estimate({ ...CELLS[cell]!, mode: 'parity', rewardCalibration: calibration(recorded) }, data);
          const flags = (p: PolicyResult) => p.diagnostics.reliability;
          expect(Object.fromEntries(result.policies.map((p) => [p.policy, flags(p)])), cell).toEqual(
            Object.fromEntries(
              Object.entries(recorded.reliability_gates[cell]!).map(([policy, { reasons }]) => [
                policy,
                reasons.map((reason) => REASONS[reason.split('=')[0]!]),
              ]),
            ),
          );
        }
      });

      if (recorded.selected_mode === null) continue;
      test(`${name}, reward mode ${mode}: boundary cards, which the library takes on logged scores`, () => {
        const of = study(recorded);
        for (const [policy, card] of Object.entries(recorded.boundary_cards)) {
          const view = viewOf(of, policy);
          const scores = take(of.logged.judgeScores, view.rows);
          const limits = { outOfRange: 0.05, saturation: 0.2 };
          const ours = boundaryCard(scores, view.rewards, of.calibration!.diagnostics, limits);
          expect(ours.status).toBe(card.status.toLowerCase());
          near(ours.outOfRange, card.out_of_range, 'out of range');
          near(ours.saturation, card.saturation, 'saturation');
          if (card.partial_id_width !== null) near(ours.partialIdentificationWidth, card.partial_id_width, 'width');
          expect(ours.labelledScoreRange).toEqual(card.oracle_s_range);
        }
      });
    }
  }
});

test('the recorded cases are where they should be', () => {
  for (const { results } of CASES) expect(existsSync(results)).toBe(true);
});

function near(ours: number, theirs: number, what: string): void {
  if (ours === theirs) return;
  expect(Math.abs(ours - theirs), `${what}: ${ours} against ${theirs}`).toBeLessThanOrEqual(
    1e-9 * Math.max(1, Math.abs(theirs)),
  );
}
