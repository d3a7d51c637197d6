/** `report.html`: one file that needs neither network nor script, for a screen, a telephone and paper. */

import { html, Markup } from '../../../text/html.ts';
import type { ReportData } from '../../model/data.ts';
import { factsLine } from '../../model/sections/index.ts';
import { reportSections } from './sections.ts';
import { STYLE } from './style.ts';

export function renderPage(data: ReportData): string {
  const sections = reportSections(data);
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
<p class="faint">${factsLine(data)}</p>
<nav aria-label="Sections"><ul>${sections.map(({ id, name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
</header>
<main>
${sections.map(({ content }) => content)}</main>
<footer><p>Made by cje from cached replies: the same data give this same page, byte for byte. The numbers at full precision are in estimates.csv and estimates.json beside it.</p></footer>
</body>
</html>
`;
  return page.html;
}
