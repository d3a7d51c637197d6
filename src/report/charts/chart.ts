/** A chart before it is drawn, and the drawing of it as SVG text. */

import { CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { escapeHtml } from '../../text/escape.ts';
import { Markup } from '../../text/html.ts';

export interface Chart {
  readonly option: EChartsCoreOption;
  /** Units of the drawing; the page scales it to the room there is. */
  readonly width: number;
  readonly height: number;
  /** What the chart shows, in words, for those who do not see it. */
  readonly description: string;
}

use([CustomChart, LineChart, ScatterChart, GridComponent, SVGRenderer]);

/** @param id unique in the page; opens every id inside the drawing */
export function drawChart(chart: Chart, id: string): Markup {
  const { width, height } = chart;
  const instance = init(null, null, { renderer: 'svg', ssr: true, width, height });
  instance.setOption({ animation: false, textStyle: { fontFamily: 'inherit' }, ...chart.option });
  const svg = instance.renderToSVGString();
  instance.dispose();
  return new Markup(tidySvg(svg, chart, id));
}

/**
 * The drawing without what the library adds for browsers, and with ids of our own: the library counts its drawings
 * since the process began, so its ids depend on what was drawn before.
 */
export function tidySvg(svg: string, chart: Pick<Chart, 'width' | 'height' | 'description'>, id: string): string {
  const body = svg
    .replace(/<style[^>]*>[\s\S]*?<\/style>/g, '')
    .replace(/<[a-zA-Z][^>]*>/g, (tag) =>
      tag
        .replace(/ (?:class|pointer-events|ecmeta_\w+)="[^"]*"/g, '')
        .replace(/( id="|url\(#|href="#)zr\d+-/g, `$1${id}-`)
        .replace('font-family:inherit;', '')
        .replace(/ style="([^"]*)"/, (_, style: string) => presentation(style)),
    )
    .replace(/^<svg[^>]*>\s*<rect[^>]*fill="none"[^>]*><\/rect>/, '')
    .replace(/^<svg[^>]*>/, '')
    .replace(/\n+/g, '\n')
    .trim();
  const label = escapeHtml(chart.description);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${chart.width} ${chart.height}" role="img" aria-label="${label}">\n${body}`;
}

/** A style attribute as attributes of their own, so that a page which admits no inline style shows the drawing as it is. */
function presentation(style: string): string {
  return style
    .split(';')
    .map((declaration) => declaration.split(':'))
    .map(([name = '', value = '']) => (name === '' ? '' : ` ${name.trim()}="${value.trim()}"`))
    .join('');
}
