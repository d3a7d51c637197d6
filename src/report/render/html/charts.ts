/** The charts of figures: one drawing, or two of it for wide and narrow screens. */

import { calibrationChart } from '../../charts/calibration.ts';
import type { Chart } from '../../charts/chart.ts';
import { forestChart, rankingChart } from '../../charts/forest.ts';
import { seriesColor } from '../../charts/palette.ts';
import { scoresChart } from '../../charts/scores.ts';
import { weightsChart } from '../../charts/weights.ts';
import { cellsOf } from '../../model/cells.ts';
import type { ReportData } from '../../model/data.ts';
import type { ChartOf } from '../../model/section.ts';

export type Drawing = Chart | { readonly wide: Chart; readonly narrow: Chart };

export function chartsOf(data: ReportData): (chart: ChartOf) => Drawing {
  return (chart) => {
    switch (chart.type) {
      case 'ranking': {
        const { ranking } = chart;
        return { wide: rankingChart(data, ranking, 'wide'), narrow: rankingChart(data, ranking, 'narrow') };
      }
      case 'forest': {
        const { policy } = chart;
        return { wide: forestChart(data, policy, 'wide'), narrow: forestChart(data, policy, 'narrow') };
      }
      case 'weights':
        return weightsChart(chart.weights, 'var(--blue)');
      case 'calibration': {
        const { calibration, scorer, scale } = chart.quality;
        if (calibration === null) throw new Error(`Internal error: ${scorer} has no calibration to draw`);
        return calibrationChart(calibration, scorer, seriesColor(scorerIndex(data, scorer)), scale);
      }
      case 'scores':
        return scoresChart(chart.quality, seriesColor(scorerIndex(data, chart.quality.scorer)));
    }
  };
}

/** The scorers in the order that gives each its colour and marker. */
function scorerIndex(data: ReportData, scorer: string): number {
  const { scorers } = cellsOf(data.estimates);
  const all = [...new Set([...scorers, ...data.quality.map((quality) => quality.scorer)])];
  return Math.max(0, all.indexOf(scorer));
}
