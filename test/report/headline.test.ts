import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EstimateRow } from '../../src/datasets/results.ts';
import { assumptionOf } from '../../src/report/model/assumptions.ts';
import type { ReportData } from '../../src/report/model/data.ts';
import { headlineOf } from '../../src/report/model/headline.ts';
import { renderHeadline } from '../../src/report/render/terminal/headline.ts';
import { columnsOf } from '../../src/text/width.ts';
import { fakeData, POLICIES } from './fake-data.ts';

const data = fakeData();
const screen = { color: false, width: 80, report: 'out/report/report.html' } as const;
const refusedRow = data.estimates.find(({ status }) => status === 'refused')!;

/** The same rows, those that `which` chooses refused by a gate. */
function refusing(gate: string, which: (row: EstimateRow) => boolean): ReportData {
  const estimates = data.estimates.map((row): EstimateRow => {
    const { scorer, ablation, estimator, policy } = row;
    return which(row) ? ({ ...refusedRow, gate, scorer, ablation, estimator, policy } as EstimateRow) : row;
  });
  return { ...data, estimates };
}

describe('a headline', () => {
  it('names the pair that matters, and who is missing and why', () => {
    const { ranking, pair, unranked, remedy } = headlineOf(refusing('low-label-support', isOf('dr-cpo', 'pi_cot')))!;
    expect(ranking.ranked.map(({ row }) => row.policy)).not.toContain('pi_cot');
    expect([pair?.better, pair?.worse]).toEqual(ranking.ranked.slice(0, 2).map(({ row }) => row.policy));
    expect(unranked).toEqual([
      { policy: 'pi_cot', why: 'few answers with scores like its own have a label' },
      { policy: 'p0', why: 'the others are measured on what it answered' },
    ]);
    // Another estimator that is trusted has it.
    expect(remedy).toMatchObject({
      policies: ['pi_cot'],
      text: expect.stringMatching(/^read its estimate by mrdr, 0\./),
    });
  });

  it('says what mends most policies, the leading ablation’s refusal among them', () => {
    const headline = headlineOf(refusing('no-oracle-labels', ({ ablation }) => !ablation.endsWith('-uncalibrated')))!;
    expect(headline.ranking.ablation).toBe('dr-cpo-uncalibrated');
    expect(headline.insteadOf).toBe('dr-cpo is refused: no label yet, so the judge is taken at its word');
    expect(headline.remedy).toMatchObject({ gate: 'no-oracle-labels', policies: [...POLICIES] });
    expect(headlineOf(refusing('none', () => false))!.remedy).toBeUndefined();
    expect(headlineOf({ ...data, estimates: [] })).toBeUndefined();
  });

  it('mends what is refused of the judge that is shown, not of another', () => {
    // Two refusals each by two gates under the first judge; all four of the other judge by a third gate.
    const { ranking } = headlineOf(data)!;
    const names: readonly string[] = POLICIES;
    const gateOf = ({ scorer, policy }: EstimateRow) =>
      scorer !== ranking.scorer ? 'too-few-rows' : names.indexOf(policy) % 2 === 0 ? 'heavy-tail' : 'low-label-support';
    const estimates = data.estimates.map((row): EstimateRow => {
      const { scorer, ablation, estimator, policy } = row;
      if (ablation !== ranking.ablation) return row;
      return { ...refusedRow, gate: gateOf(row), scorer, ablation, estimator, policy } as EstimateRow;
    });
    const headline = headlineOf({ ...data, estimates })!;
    expect(headline.ranking.insteadOf).toBe(ranking.ablation);
    expect(headline.remedy?.gate).toBe('heavy-tail');
  });

  it('takes the words of a gate that it does not know', () => {
    const { unranked, remedy } = headlineOf(refusing('my-gate', ({ policy }) => policy === 'pi_cot'))!;
    expect(unranked.find(({ policy }) => policy === 'pi_cot')?.why).toBe(
      refusedRow.status === 'refused' && refusedRow.reason,
    );
    expect(remedy?.text).toBe(refusedRow.status === 'refused' && refusedRow.collect);
  });
});

const isOf = (ablation: string, policy: string) => (row: EstimateRow) =>
  row.ablation === ablation && row.policy === policy && row.scorer === 'deterministic';

describe('what a ranking takes for granted', () => {
  const open = {
    gate: 'transport',
    open: true,
    text: 'its own labels leave open that it is off: by up to 0.1 (transport)',
  };
  const { ranking, pair } = headlineOf(data)!;
  const resting = (policies: readonly string[]) => ({
    ...ranking,
    ranked: ranking.ranked.map((of) => ({
      ...of,
      row: { ...of.row, warnings: policies.includes(of.row.policy) ? [open] : [] },
    })),
  });
  const audited = (lower: number | null, upper: number | null) => ({
    ...data,
    quality: data.quality.map((quality) => ({
      ...quality,
      transport: [{ ...quality.transport[0]!, policy: pair!.better, lower, upper }],
    })),
  });

  it('is told with the error that own labels leave open, and warns where that would turn the headline', () => {
    expect(assumptionOf(data, resting([]), pair)).toBeUndefined();
    const small = assumptionOf(audited(-0.001, 0.0005), resting([pair!.better]), pair)!;
    expect(small.quiet).toMatch(
      /: the judge means the same on every policy; own labels leave open errors of up to 0\.001 /,
    );
    expect(small.warning).toBeUndefined();
    const apart = { ...pair!, separated: true, lower: 0.02, difference: 0.05 };
    expect(assumptionOf(audited(-0.03, 0.01), resting([pair!.better]), apart)!.warning).toBe(
      `own labels leave open that ${pair!.better} is off by up to 0.030, and the difference may be no more than 0.020 (transport)`,
    );
    expect(assumptionOf(audited(-0.03, 0.01), resting([pair!.better]), { ...apart, separated: false })!.warning).toBe(
      undefined,
    );
    // Each alone is off by 0.015 at most; the two by |−0.005 − 0.005| + √(0.010² + 0.006²) from each other.
    const both = {
      ...data,
      quality: data.quality.map((quality) => ({
        ...quality,
        transport: [
          { ...quality.transport[0]!, policy: pair!.better, lower: -0.015, upper: 0.005 },
          { ...quality.transport[0]!, policy: pair!.worse, lower: -0.001, upper: 0.011 },
        ],
      })),
    };
    const rests = resting([pair!.better, pair!.worse]);
    const error = 0.01 + Math.hypot(0.01, 0.006);
    expect(assumptionOf(both, rests, { ...apart, lower: error - 0.001 })!.warning).toBe(
      `own labels leave open that ${pair!.better} and ${pair!.worse} are off by up to 0.022 from each other, and the difference may be no more than 0.021 (transport)`,
    );
    expect(assumptionOf(both, rests, { ...apart, lower: error + 0.001 })!.warning).toBeUndefined();
    const none = assumptionOf(audited(null, null), resting([pair!.better, pair!.worse]), apart)!;
    expect(none).toEqual({
      quiet: undefined,
      warning: `too few own labels check the judge on ${pair!.better}, ${pair!.worse} (transport)`,
    });
    // Own labels of one policy do not check the other.
    const half = assumptionOf(audited(-0.001, 0.001), resting([pair!.better, pair!.worse]), apart)!;
    expect(half.warning).toBe(`too few own labels check the judge on ${pair!.worse} (transport)`);
    const unclaimed = { ...apart, separated: false };
    const quiet = assumptionOf(audited(null, null), resting([pair!.better, pair!.worse]), unclaimed)!;
    expect(quiet.quiet).toContain(`; no own labels, or too few, of ${pair!.better}, ${pair!.worse} (transport).`);
    expect(quiet.warning).toBeUndefined();
  });
});

describe('renderHeadline', () => {
  it('is as recorded at 80 columns', async () => {
    await expect(renderHeadline(data, screen)).toMatchFileSnapshot('golden/headline-80.txt');
  });

  it('names the dataset that power is to read where there are several', () => {
    const datasetOf = (scorer: string) => `dataset/${scorer}`;
    const command = '`cje power dataset/deterministic --estimator dr-cpo`';
    expect(renderHeadline(data, { ...screen, width: 100, datasetOf })).toContain(
      `To do: ${command} plans what tells them apart.\n`,
    );
    expect(renderHeadline(data, { ...screen, width: 60, datasetOf })).toContain('Plan a study: `cje power dataset/');
  });

  it('tells how to label where people do', () => {
    const unlabelled = refusing('no-oracle-labels', ({ ablation }) => !ablation.endsWith('-uncalibrated'));
    const text = renderHeadline(unlabelled, { ...screen, labelCommand: 'cje export --format labels -o l.csv' });
    expect(text).toContain('To do: label some answers: `cje export --format labels -o l.csv`, fill in the\ncolumn');
    expect(renderHeadline(unlabelled, screen)).toContain('To do: label some answers.\n');
    // What another estimator says is there already: labels are the other way, not how to read it.
    const few = refusing('too-few-own-labels', isOf('dr-cpo', 'pi_cot'));
    expect(renderHeadline(few, { ...screen, labelCommand: 'cje export' }).replaceAll('\n', ' ')).toMatch(
      /read its estimate by mrdr, \S+ \[\S+ \S+\]; or `cje export`, fill in `label`, build again\./,
    );
  });

  it('says that the order turned, whichever estimator led before, and nothing where it did not', () => {
    const { ranking } = headlineOf(data)!;
    const told = (previous: ReportData) =>
      renderHeadline(data, { ...screen, width: 200, previous })
        .split('\n')
        .find((line) => line.includes('turned'));
    const upsideDown = data.estimates.map(
      (row): EstimateRow => (row.status === 'ok' ? { ...row, estimate: -row.estimate } : row),
    );
    const before = ranking.ranked.map(({ row }) => row.policy).reverse();
    expect(told({ ...data, estimates: upsideDown })).toBe(
      `! The order turned: the last build had ${before.join(', ')} (by ${ranking.ablation}, ${ranking.scorer} scorer)`,
    );
    const others = upsideDown.filter(({ ablation }) => ablation !== ranking.ablation);
    expect(told({ ...data, estimates: others })).toContain('The order turned');
    expect(told(data)).toBeUndefined();
    expect(told({ ...data, estimates: [] })).toBeUndefined();
  });

  it('names the first of the warnings, those of the leading estimator before others, and counts them', () => {
    const { ranking } = headlineOf(data)!;
    const warning = (text: string) => ({
      gate: /\(([a-z-]+)\)$/.exec(text)![1]!,
      open: text.includes('leave open'),
      text,
    });
    const warned = (mine: string[], others: string[]): ReportData => ({
      ...data,
      estimates: data.estimates.map((row): EstimateRow => {
        if (row.status !== 'ok') return row;
        if (row.scorer !== ranking.scorer || row.policy !== 'pi_cot') return { ...row, warnings: [] };
        return { ...row, warnings: (row.ablation === ranking.ablation ? mine : others).map(warning) };
      }),
    });
    const told = (report: ReportData) =>
      renderHeadline(report, { ...screen, width: 200 })
        .split('\n')
        .filter((line) => line.startsWith('!'));
    expect(told(warned([], []))).toEqual([]);
    expect(told(warned(['its tail is heavy (tail-index)'], ['few labels (label-support)']))).toEqual([
      '! 2 warnings in the report, such as pi_cot: its tail is heavy (tail-index)',
    ]);
    expect(told(warned(['its tail is heavy (tail-index)'], []))).toEqual(['! pi_cot: its tail is heavy (tail-index)']);
    // Of one gate in several ablations: in the words of the one that is shown, whichever stands first.
    expect(told(warned(['overlap 0.7 (score-overlap)'], ['overlap 0.6 (score-overlap)']))).toContain(
      '! pi_cot: overlap 0.7 (score-overlap)',
    );
    // What is taken for granted and nothing contradicts is no warning; what labels say is one.
    const says =
      'no label of its own, and the log’s, weighted for it, say that the calibration is off: by up to 0.1 (transport)';
    expect(told(warned([says], []))).toEqual([`! pi_cot: ${says}`]);
    expect(told(warned(['its own labels leave open that it is off: by up to 0.01 (transport)'], []))).toEqual([]);
    // The ranking itself stands without a warning.
    expect(told(warned([], ['few labels (label-support)']))).toEqual([
      '! 1 warning on another estimate: pi_cot: few labels (label-support)',
    ]);
    expect(told(warned([], ['few labels (label-support)', 'its tail is heavy (tail-index)']))).toEqual([
      '! 2 warnings on other estimates, such as pi_cot: few labels (label-support)',
    ]);
    expect(told(warned(['labels are rare (rare-labels)'], ['few labels (label-support)']))).toEqual([
      '! pi_cot: labels are rare (rare-labels)',
      '! and 1 more warning in the report',
    ]);
  });

  it('holds to 19 lines of the width, whatever the names, and shows the best', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter((text) => text.trim() !== '');
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 30 }), fc.nat(29), (names, refused) => {
        const base = data.estimates.find(({ status, ablation }) => status === 'ok' && ablation === 'dr-cpo')!;
        const rows = names.map(
          (policy, index): EstimateRow =>
            index > refused
              ? ({ ...refusedRow, ablation: 'dr-cpo', scorer: 'judge', policy } as EstimateRow)
              : ({ ...base, scorer: 'judge', policy } as EstimateRow),
        );
        const many: ReportData = {
          ...data,
          experiment: names.join(' '),
          policies: names,
          estimates: rows,
          comparisons: [],
        };
        const lines = renderHeadline(many, { ...screen, previous: data, labelCommand: 'cje export' }).split('\n');
        expect(lines.length).toBeLessThanOrEqual(20);
        for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(80);
        expect(lines.find((line) => line.startsWith('  1  '))).toBeDefined();
        expect(lines.join('\n').replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
      }),
      { numRuns: 60 },
    );
  });
});
