"""The look of the page: one style sheet for light and dark, phone, desktop and paper.

--c0 ... --c6 are the colours of the implementations (Okabe and Ito's palette, shifted for contrast
on each background).
"""

CSS = """
:root { color-scheme: light dark;
  --page: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --panel: #f6f8fa;
  --good: #0b5cad; --bad: #b3261e; --doubt: #8a5a00; --limit: #b3261e; --alarm: #ffe3e0;
  --c0: #0072b2; --c1: #c4520a; --c2: #00795a; --c3: #a8467f; --c4: #8a6a00; --c5: #2a86b8;
  --c6: #4a4f57; }
@media screen and (prefers-color-scheme: dark) {
  :root { --page: #0f1318; --ink: #e6eaef; --soft: #9aa5b1; --line: #343c46; --panel: #171c23;
    --good: #7db8f2; --bad: #ff8a80; --doubt: #e5b454; --limit: #ff8a80; --alarm: #4a1613;
    --c0: #56b4e9; --c1: #f0883e; --c2: #2fc296; --c3: #e58fc0; --c4: #e6c229; --c5: #9ad0f5;
    --c6: #b8c0ca; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: clamp(1.25rem, 4vw, 1.6rem); line-height: 1.25; margin: .2rem 0 .6rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .5rem; padding-top: .6rem;
  border-top: 1px solid var(--line); }
h3 { font-size: .95rem; margin: 0 0 .2rem; }
p, ul { margin: .4rem 0 .8rem; max-width: 48rem; }
a { color: var(--good); }
nav a { display: inline-block; margin: 0 .9rem .3rem 0; }
header p { max-width: none; }
header { border-left: .4rem solid var(--good); padding-left: 1rem; }
header.bad { border-color: var(--bad); }
header.bad h1, .alarm strong { color: var(--bad); }
.note, figcaption { color: var(--soft); font-size: .9rem; }
.alarm { background: var(--alarm); border: 2px solid var(--bad); padding: .6rem 1rem;
  max-width: none; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .88em; }
pre { background: var(--panel); padding: .6rem .8rem; overflow-x: auto; overflow-wrap: normal; }
.scroll { overflow-x: auto; border: 1px solid var(--line); margin: .6rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; overflow-wrap: normal;
  font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem;
  border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
thead th { background: var(--panel); vertical-align: bottom; }
th:first-child { position: sticky; left: 0; min-width: 11rem; max-width: 20rem; }
tbody th { font-weight: 600; background: var(--page); overflow-wrap: anywhere; }
tbody th small { font-weight: 400; color: var(--soft); }
td small, .wide small { display: block; color: var(--soft); }
td code { font-size: .8rem; }
td small.part, .duration { white-space: nowrap; }
.wide { min-width: 13rem; }
.claim { min-width: min(17rem, 45vw); }
tr.alarm > * { background: var(--alarm); }
.word { font-weight: 600; white-space: nowrap; }
.nearest, .within, .proved, .rejected, .holds { color: var(--good); }
.outside, .refused, .survived, .fails { color: var(--bad); }
.survived { font-weight: 800; text-transform: uppercase; }
.undecided, .holds-only-for-white-input { color: var(--doubt); }
.holds-only-for-white-input { white-space: normal; }
.not-run, .not-offered, .reference { color: var(--soft); font-weight: 400; }
figure { margin: 1rem 0; }
.panels { display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.2rem; }
.panels > * { max-width: 40rem; }
.panels svg { display: block; width: 100%; height: auto; }
svg text {
  font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif !important; }
svg * { stroke-linejoin: round; stroke-linecap: butt; }
ul.key { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem;
  max-width: none; }
.key b { display: inline-block; min-width: 2.2em; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .2rem 1rem; }
dt { color: var(--soft); } dd { margin: 0; }
@media print {
  body { max-width: none; padding: 0; font-size: 9pt; } nav { display: none; }
  table { font-size: 7pt; }
  .scroll { overflow: visible; border: 0; } .panels { grid-template-columns: repeat(3, 1fr); }
  th, td { padding: .15rem .3rem; } th:first-child, .wide { min-width: 0; position: static; }
  td small.part { white-space: normal; }
  tr, .panels > * { break-inside: avoid; } h2, figcaption { break-after: avoid; }
  @page { size: A4 landscape; margin: 12mm; } }
"""
