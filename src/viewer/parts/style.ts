/** The viewer's style sheet: the report's, and what a page with tabs, forms and texts needs beside it. */

import { STYLE } from '../../report/render/html/style.ts';

export const VIEW_STYLE = `${STYLE}
:root { --good: #00805c; --bad: #b3420a; --box: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --good: #2fbf93; --bad: #ee8434; --box: #1a1e23; } }
html { scroll-padding-top: 16px; }
.wide-page main, .wide-page header { max-width: 1560px; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 16px; top: 8px; background: var(--panel); padding: 6px 12px; z-index: 2; }
main { padding-bottom: 72px; }
main:focus { outline: none; }
header.top { padding-top: 18px; }
header.top .where { display: flex; flex-wrap: wrap; gap: 2px 14px; align-items: baseline; margin: 0; max-width: none; font-size: 0.9rem; }
.brand { font: 600 1.15rem/1 var(--serif); text-decoration: none; }
.run { margin-left: auto; color: var(--ink-faint); }
.id { color: var(--ink); }
.tag { font-size: 0.78rem; padding: 1px 8px; border: 1px solid var(--rule); border-radius: 10px; color: var(--ink-faint); font-weight: 400; white-space: nowrap; }
nav.tabs { margin: 12px 0 0; padding: 0; border-block: none; border-bottom: 1px solid var(--rule); }
nav.tabs ul { gap: 0 26px; }
nav.tabs a { display: inline-block; padding: 7px 0 8px; border-bottom: 2px solid transparent; margin-bottom: -1px; }
nav.tabs a:hover { text-decoration: none; border-bottom-color: var(--rule); }
nav.tabs a[aria-current] { color: var(--ink); font-weight: 600; border-bottom-color: var(--blue); }
nav.sections { margin: 14px 0 0; }
main > h1 { font-size: 2rem; margin: 30px 0 10px; }
main > section, main > section.stage { margin-top: 34px; }
main > nav + h1 { margin-top: 18px; }
h2 { font-size: 1.3rem; } h4 { margin: 18px 0 6px; font: 600 0.82rem/1.3 var(--sans); color: var(--ink-faint); }
#ranking h2, #estimates h2, #refusals h2, #weights h2, #calibration h2, #quality h2, #gates h2, #cost h2, #glossary h2 { font-size: 1.45rem; }
.facts { margin: 8px 0 14px; }
.facts div { flex-wrap: wrap; }
.note.running, .note.mistaken { margin: 18px 0 0; border-left: 3px solid var(--blue); max-width: none; }
.note.mistaken { border-color: var(--bad); }
.note.running p { margin: 0; max-width: none; }
.note.running .progress { margin: 6px 0 0; display: flex; flex-wrap: wrap; gap: 2px 14px; align-items: baseline; }
.note.running .facts { margin: 0; }
.note.running progress { width: 180px; }
code, kbd, pre { font-family: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: 0.86em; }
kbd { padding: 0 5px; border: 1px solid var(--rule); border-radius: 4px; background: var(--panel); }
.keys { margin-top: 18px; }
.state { white-space: nowrap; }
.state::before { content: ''; display: inline-block; width: 8px; height: 8px; border-radius: 50%; margin-right: 7px; background: var(--rule); }
.state.done::before { background: var(--good); }
.state.refused::before { background: none; border: 2px solid var(--ink-faint); }
.state.failed::before, .state.incomplete::before { background: var(--bad); border-radius: 1px; }
.state.building::before { background: var(--blue); }
.state.failed, .state.incomplete { color: var(--bad); font-weight: 600; }
.state.stale, .state.skipped { color: var(--ink-faint); }
.warn { color: var(--bad); }
.label { color: var(--truth); }
progress { accent-color: var(--blue); width: 90px; vertical-align: -1px; }
.standing { margin: 8px 0 0; font-size: 0.9rem; }
.standing div { display: flex; gap: 0.6em; margin-bottom: 4px; }
.standing dt { color: var(--ink-faint); flex: none; width: 6.2em; }
.standing dd { margin: 0; }
svg.stages { display: block; font-family: var(--sans); max-width: max(100%, 900px); height: auto; }
tr.group th { padding-top: 22px; font: 600 1.02rem/1.3 var(--serif); }
tr.group .faint { font: 400 0.85rem/1 var(--sans); }
tbody + tbody tr.group th { border-top: none; }
svg.stages .box { fill: var(--box); stroke: var(--rule); stroke-width: 1.2; }
svg.stages .box.done { stroke: var(--good); }
svg.stages .box.failed, svg.stages .box.incomplete { stroke: var(--bad); stroke-width: 2; }
svg.stages .box.stale, svg.stages .box.skipped { stroke-dasharray: 4 3; stroke: var(--ink-faint); }
svg.stages .name { font-size: 13px; font-weight: 600; fill: var(--ink); }
svg.stages .words { font-size: 11px; fill: var(--ink-faint); }
svg.stages .edge { fill: none; stroke: var(--ink-faint); stroke-opacity: 0.45; stroke-width: 1.2; }
svg.stages .tip { fill: var(--ink-faint); fill-opacity: 0.7; }
svg.stages a:hover .box { stroke: var(--blue); }
.stage .scroll, .scroll { margin: 10px 0 14px; }
figure.spread { max-width: 700px; }
.sign { color: var(--ink-faint); font-weight: 400; }
.head-to-head { display: grid; grid-template-columns: minmax(0, 560px) minmax(0, 1fr); gap: 12px 40px; align-items: start; }
.head-to-head figure { margin-top: 8px; }
.head-to-head figcaption { margin: 8px 0 0; }
.head-to-head h2:first-child { margin-top: 8px; }
ul.plain { list-style: none; padding: 0; margin: 10px 0 26px; }
ul.plain li { margin: 6px 0; }
svg.scatter .grid { stroke: var(--rule); stroke-width: 1; }
svg.scatter .tick, svg.scatter .axis { font-size: 12px; fill: var(--ink-faint); }
svg.scatter .axis { fill: var(--ink); font-weight: 600; }
svg.scatter .diagonal { stroke: var(--ink-faint); stroke-width: 1.25; stroke-dasharray: 4 4; }
svg.scatter .band { fill: var(--ink); fill-opacity: 0.09; }
svg.scatter .mean { fill: none; stroke: var(--ink); stroke-width: 1.5; }
svg.scatter circle { fill-opacity: 0.55; stroke: var(--panel); stroke-width: 0.5; }
svg.scatter circle.a { fill: var(--blue); }
svg.scatter circle.b { fill: var(--vermillion); }
svg.scatter circle.tie { fill: var(--ink-faint); }
svg.scatter a:hover circle { fill-opacity: 1; stroke: var(--ink); stroke-width: 1.5; }
form.filter { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: end; margin: 14px 0; font-size: 0.85rem; color: var(--ink-faint); }
form.filter label { display: flex; flex-direction: column; gap: 3px; max-width: 100%; }
select { max-width: 100%; }
input[type=search], select, button { font: inherit; font-size: 0.9rem; color: var(--ink); background: var(--panel); border: 1px solid var(--control, #8b949d); border-radius: 6px; padding: 5px 10px; height: 34px; }
input[type=search] { width: 260px; max-width: 100%; }
button { cursor: pointer; padding: 5px 16px; }
button:hover { border-color: var(--ink); }
input[type=radio] { accent-color: var(--blue); width: 16px; height: 16px; margin: 0; vertical-align: -2px; }
nav.pager { display: flex; flex-wrap: wrap; gap: 4px 20px; align-items: baseline; margin: 16px 0 0; padding: 0; border: none; font-size: 0.9rem; }
nav.pager a { color: var(--ink); text-decoration: underline; text-decoration-color: var(--rule); }
nav.pager .off { color: var(--ink-faint); }
td .prompt { display: block; min-width: 260px; max-width: 62ch; overflow-wrap: anywhere; }
pre.text { margin: 6px 0 8px; padding: 12px 14px; background: var(--panel); border: 1px solid var(--rule); border-radius: 8px; white-space: pre-wrap; overflow-wrap: anywhere; overflow: auto; max-height: 32rem; contain: content; unicode-bidi: isolate; line-height: 1.5; tab-size: 4; }
.prompt-text pre.text, .responses pre.text { font: 0.95rem/1.55 var(--sans); }
.prompt-text pre.text { max-width: 92ch; background: var(--wash); border-color: transparent; font-size: 1rem; }
.cut { font-size: 0.85rem; color: var(--ink-faint); }
.mark { font: 600 0.72em/1 ui-monospace, Menlo, Consolas, monospace; color: var(--bad); border: 1px solid currentColor; border-radius: 3px; padding: 0 3px; margin: 0 1px; white-space: nowrap; user-select: none; }
.responses { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 28px 24px; align-items: start; }
.responses article { min-width: 0; scroll-margin-top: 16px; }
.responses article > .small { margin: 0; min-height: 1.4em; }
.glance table { width: auto; min-width: min(100%, 560px); }
.glance td, .glance thead th + th { padding-left: 20px; }
.verdict { margin: 14px 0 0; padding-left: 12px; border-left: 3px solid var(--rule); }
.verdict h4 { margin: 0 0 2px; font-weight: 400; }
.verdict h4 b { font-weight: 600; color: var(--ink); font-size: 1.05rem; }
.verdict h4 b.label { color: var(--truth); }
.verdict .facts { margin: 2px 0 4px; }
.responses .verdict pre.text { background: none; border: none; padding: 0; margin: 2px 0 0; font-size: 0.9rem; color: var(--ink-faint); max-height: 18rem; }
.responses details, .calls details { margin: 4px 0; }
.responses details > summary { font-size: 0.85rem; }
details > .small > a { display: inline-block; padding: 3px 0; }
.responses details[open] { padding: 0 0 8px 12px; border-left: 2px solid var(--rule); }
.call + .call { margin-top: 26px; border-top: 1px solid var(--rule); padding-top: 8px; }
.calls section { margin: 14px 0 0; }
.role { margin: 8px 0 0; font-size: 0.8rem; color: var(--ink-faint); }
pre.diff span, pre.diff ins, pre.diff del { text-decoration: none; }
pre.diff ins { color: var(--good); }
pre.diff del { color: var(--bad); }
.edit h3 { margin-bottom: 2px; }
.edit figure { padding: 0; background: none; border: none; margin: 8px 0; }
.problem h2 { color: var(--bad); }
@media screen and (max-width: 900px) { .head-to-head { grid-template-columns: minmax(0, 1fr); } }
@media screen and (max-width: 760px) {
  .run { margin-left: 0; flex-basis: 100%; }
  nav.tabs ul { gap: 0 20px; }
  main > h1 { font-size: 1.6rem; margin-top: 22px; }
  input[type=search] { width: 100%; }
  form.filter label:first-child { flex-basis: 100%; }
  .standing div { flex-direction: column; gap: 0; }
  td .prompt { min-width: 200px; }
  tbody th { min-width: 96px; max-width: 42vw; overflow-wrap: anywhere; }
}
@media print { header.top, form.filter, nav.pager, .keys { display: none; } pre.text { max-height: none; } }
`;
