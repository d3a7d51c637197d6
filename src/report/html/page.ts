/** `report.html`: one file that needs neither network nor script, for a screen, a telephone and paper. */

import { cellsOf } from '../cells.ts';
import type { ReportData } from '../data.ts';
import { estimatorNote } from '../estimator-note.ts';
import { GLOSSARY } from '../glossary.ts';
import { experimentLine, isTempered, plural, TEMPERED_MARK, TEMPERED_NOTE } from '../words.ts';
import { costSection } from './cost-section.ts';
import { estimatesSection } from './estimates-section.ts';
import { Figures } from './figures.ts';
import { html, Markup } from './markup.ts';
import { calibrationSection, gatesSection, qualitySection, weightsSection } from './quality-section.ts';
import { rankingSection } from './ranking-section.ts';
import { refusalsSection } from './refusals-section.ts';
import { STYLE } from './style.ts';

export function renderPage(data: ReportData): string {
  const figures = new Figures();
  // In reading order: figures are numbered as they are made.
  const sections = [
    ['ranking', 'Ranking', rankingSection(data, figures)],
    ['estimates', 'Estimates', estimatesSection(data, figures)],
    ['refusals', 'Refused', refusalsSection(data)],
    ['weights', 'Weights', weightsSection(data, figures)],
    ['calibration', 'Calibration', calibrationSection(data, figures)],
    ['quality', 'Data quality', qualitySection(data, figures)],
    ['gates', 'Gates', gatesSection(data, figures)],
    ['cost', 'Cost', costSection(data, figures)],
    ['glossary', 'How to read this', glossarySection(data)],
  ] as const;
  const present = sections.filter(([, , section]) => section !== null);
  const { ablations, scorers } = cellsOf(data.estimates);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${data.experiment}: policy evaluation</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<header>
<p class="overline">Policy evaluation</p>
<h1>${data.experiment}</h1>
<p class="faint">${experimentLine(data)}${ablations.length > 0 && html` · ${plural(ablations.length, 'ablation')} × ${plural(scorers.length, 'scorer')}`}</p>
<nav aria-label="Sections"><ul>${present.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
</header>
<main>
${isTempered(data) && html`<p class="note" style="margin-top:28px"><b>${TEMPERED_MARK}</b> ${TEMPERED_NOTE}</p>`}
${present.map(([, , section]) => section)}</main>
<footer><p>Made by cje from cached replies: the same data give this same page, byte for byte. The numbers at full precision are in estimates.csv and estimates.json beside it.</p></footer>
</body>
</html>
`;
  return page.html;
}

function glossarySection(data: ReportData): Markup {
  const estimators = [...new Set(data.estimates.map((row) => row.estimator))].flatMap((estimator) => {
    const note = estimatorNote(estimator);
    return note === null ? [] : [[estimator, `${note.charAt(0).toUpperCase()}${note.slice(1)}.`] as const];
  });
  const entries = [...GLOSSARY, ...estimators];
  return html`<section id="glossary">
<h2>How to read this</h2>
<dl class="glossary">${entries.map(([term, meaning]) => html`<div><dt>${term}</dt><dd>${meaning}</dd></div>\n`)}</dl>
</section>\n`;
}
