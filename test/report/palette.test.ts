/** Scorers are told apart by a colour and a marker each, here of a chart's own palette. */

import { expect, it } from 'vitest';
import { seriesColor, seriesMarker } from '../../src/report/charts/palette.ts';

it('four scorers have four colours and four markers, and the fifth begins again', () => {
  const look = [0, 1, 2, 3, 4].map((index) => [seriesColor(index), seriesMarker(index)] as const);
  expect(new Set(look.map(([color]) => color)).size).toBe(4);
  expect(new Set(look.map(([, marker]) => marker)).size).toBe(4);
  expect(look[4]).toEqual(look[0]);
});
