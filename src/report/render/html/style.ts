/** The page's style sheet. */

export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #faf9f6; --panel: #ffffff; --ink: #1c2126; --ink-faint: #5b6570; --rule: #e4e2dc; --wash: #f2f0ea;
  --blue: #0072b2; --vermillion: #c24f00; --purple: #a8508a; --orange: #b87a00; --truth: #00805c;
  --serif: 'Iowan Old Style', 'Palatino Linotype', Palatino, 'Source Serif 4', Charter, 'Noto Serif', Georgia, serif;
  --sans: Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #13161a; --panel: #1a1e23; --ink: #e9e6df; --ink-faint: #9da7b1; --rule: #30363d; --wash: #20252b;
    --blue: #56b4e9; --vermillion: #ee8434; --purple: #dd9cc4; --orange: #e6a91f; --truth: #2fbf93;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 var(--sans); font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
main, header, footer { max-width: 1128px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 56px; }
h1, h2, h3 { font-family: var(--serif); font-weight: 600; line-height: 1.2; text-wrap: balance; }
h1 { font-size: 2.5rem; letter-spacing: -0.012em; margin: 0 0 6px; }
h2 { font-size: 1.6rem; letter-spacing: -0.006em; margin: 0 0 8px; }
h3 { font: 600 1.05rem/1.3 var(--sans); margin: 0 0 4px; }
p { margin: 0 0 12px; max-width: 72ch; text-wrap: pretty; }
a { color: inherit; text-decoration-color: var(--ink-faint); text-underline-offset: 3px; }
a:hover { text-decoration-color: currentColor; }
:focus-visible { outline: 2px solid var(--blue); outline-offset: 3px; border-radius: 2px; }
.overline { font-size: 0.78rem; letter-spacing: 0.09em; text-transform: uppercase; color: var(--ink-faint); margin: 0 0 10px; }
.faint { color: var(--ink-faint); }
code { font: 0.88em/1 ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
.small { font-size: 0.875rem; }
nav { margin: 22px 0 0; padding: 12px 0; border-block: 1px solid var(--rule); font-size: 0.9rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 24px; list-style: none; margin: 0; padding: 0; }
nav a { color: var(--ink-faint); text-decoration: none; }
nav a:hover { color: var(--ink); text-decoration: underline; }
section { margin: 52px 0 0; scroll-margin-top: 16px; }
.lead { font: 600 1.5rem/1.35 var(--sans); letter-spacing: -0.012em; margin: 6px 0 14px; max-width: none; }
.lead .sign { color: var(--ink-faint); font-weight: 400; padding: 0 0.12em; }
figure { margin: 18px 0; padding: 20px 22px 14px; background: var(--panel); border: 1px solid var(--rule); border-radius: 8px; min-width: 0; }
figcaption { font-size: 0.9rem; color: var(--ink-faint); margin-bottom: 10px; max-width: 96ch; text-wrap: pretty; }
figcaption h3 { color: var(--ink); }
figure svg { display: block; width: 100%; height: auto; margin: 0 auto; font-family: var(--sans); overflow: visible; }
.narrow { display: none; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 20px; margin: 18px 0; align-items: start; }
.pair > figure { margin: 0; }
.pair svg { max-width: 620px; }
.facts { display: flex; flex-wrap: wrap; gap: 2px 20px; margin: 4px 0 0; padding: 0; font-size: 0.875rem; color: var(--ink-faint); }
.facts div { display: flex; gap: 0.45em; }
.facts dt { font-weight: 400; }
.facts dd { margin: 0; color: var(--ink); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 22px; list-style: none; margin: 0 0 4px; padding: 0; font-size: 0.875rem; color: var(--ink-faint); }
.legend li { display: flex; align-items: center; gap: 8px; }
.legend svg { width: 30px; height: 14px; flex: none; }
.scroll { overflow-x: auto; margin: 22px 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; line-height: 1.4; }
caption { text-align: left; color: var(--ink-faint); font-size: 0.9rem; padding: 0 0 8px; text-wrap: pretty; }
caption b, figcaption b { color: var(--ink); font-weight: 600; }
th, td { padding: 7px 14px 7px 0; text-align: left; vertical-align: baseline; overflow-wrap: normal; }
th:last-child, td:last-child { padding-right: 2px; }
thead th { font-weight: 500; color: var(--ink-faint); font-size: 0.82rem; border-bottom: 1.5px solid var(--ink); vertical-align: bottom; }
tbody th { font-weight: 500; }
tbody tr + tr > * { border-top: 1px solid var(--rule); }
tbody tr:last-child > * { border-bottom: 1.5px solid var(--ink); }
tfoot > tr > * { font-weight: 600; border-bottom: 1.5px solid var(--ink); }
th.num + :not(.num), td.num + :not(.num) { padding-left: 14px; }
.num { text-align: right; white-space: nowrap; }
.pm { color: var(--ink-faint); }
.refused { font-style: italic; color: var(--ink-faint); white-space: nowrap; }
.truth > * { color: var(--truth); font-weight: 600; }
.misses { text-decoration: underline dotted var(--vermillion) 1.5px; text-underline-offset: 4px; }
.failed { color: var(--vermillion); font-weight: 600; white-space: nowrap; }
.passed { color: var(--truth); white-space: nowrap; }
.refusals { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 20px; margin: 16px 0; padding: 0; list-style: none; }
.refusals li { padding: 16px 20px; background: var(--panel); border: 1px solid var(--rule); border-left: 3px solid var(--vermillion); border-radius: 8px; }
.refusals p { margin: 6px 0 0; font-size: 0.92rem; }
.note { font-size: 0.9rem; padding: 12px 18px; background: var(--wash); border-radius: 8px; max-width: 84ch; }
.note.opening { margin-top: 28px; }
.unseen { visibility: hidden; }
details { margin: 14px 0; }
summary { cursor: pointer; font-size: 0.92rem; color: var(--ink-faint); padding: 4px 0; width: fit-content; }
summary:hover { color: var(--ink); }
.glossary { columns: 2 420px; column-gap: 44px; margin: 14px 0 0; }
.glossary div { break-inside: avoid; padding-bottom: 14px; }
.glossary dt { font-weight: 600; }
.glossary dd { margin: 2px 0 0; font-size: 0.92rem; color: var(--ink-faint); }
footer { padding-top: 40px; padding-bottom: 56px; font-size: 0.85rem; color: var(--ink-faint); }
@media screen and (max-width: 760px) {
  main, header, footer { padding-left: 16px; padding-right: 16px; }
  header { padding-top: 32px; }
  h1 { font-size: 1.9rem; } h2 { font-size: 1.4rem; } .lead { font-size: 1.3rem; }
  section { margin-top: 40px; }
  figure { padding: 14px 12px 10px; }
  table { width: max-content; min-width: 100%; } td { max-width: 36ch; } caption { max-width: calc(100vw - 32px); }
  .wide { display: none; } .narrow { display: block; } .narrow svg { max-width: 520px; }
}
@media print {
  :root {
    --paper: #fff; --panel: #fff; --ink: #000; --ink-faint: #444; --rule: #ccc; --wash: #fff;
    --blue: #0072b2; --vermillion: #c24f00; --purple: #a8508a; --orange: #b87a00; --truth: #00805c;
  }
  @page { margin: 16mm; }
  body { font-size: 10.5pt; }
  nav { display: none; }
  main, header, footer { max-width: none; padding: 0; }
  section { margin-top: 28px; }
  figure, .refusals li, tr { break-inside: avoid; }
  h2, h3, caption, figcaption { break-after: avoid; }
  .scroll { overflow: visible; }
  .pair, .refusals { grid-template-columns: 1fr 1fr; gap: 10px; }
  .pair > figure { padding: 10px 12px; }
  .glossary { columns: 2; }
}
`;
