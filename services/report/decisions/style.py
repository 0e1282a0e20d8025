"""How a report's page looks: on paper-like and on dark ground, on a desk and on a phone."""

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --ground: #fbfaf7; --card: #ffffff; --ink: #1c1e21; --soft: #63676e; --line: #e3dfd6; --track: #eeebe4;
  --completed: #2f7f6c; --failed: #c4472f; --cancelled: #d79a2b; --open: #b4b6ba; --value: #3f6fa8; --mark: #c4472f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14161a; --card: #1b1e24; --ink: #e9e7e2; --soft: #9aa0a9; --line: #2d3139; --track: #262a31;
    --completed: #58b69f; --failed: #ee7b64; --cancelled: #e3b458; --open: #5c636e; --value: #7fabe0; --mark: #ee7b64;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 48px 28px 80px; }
h1, h2, .lede { font-family: Charter, "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, serif; }
h1 { font-size: 2.5rem; line-height: 1.1; letter-spacing: -0.015em; margin: 0 0 6px; font-weight: 600; }
h2 { font-size: 1.5rem; line-height: 1.2; letter-spacing: -0.01em; margin: 64px 0 6px; font-weight: 600; }
h3 { font-size: 0.95rem; margin: 30px 0 8px; font-weight: 600; }
p { margin: 0 0 12px; max-width: 68ch; }
.when, .note, small { color: var(--soft); }
.when { font-size: 0.95rem; font-variant-numeric: tabular-nums; }
.note { font-size: 0.92rem; }
.lede { font-size: 1.28rem; line-height: 1.5; margin: 26px 0 34px; max-width: 60ch; text-wrap: pretty; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1px; background: var(--line);
  border: 1px solid var(--line); border-radius: 10px; overflow: hidden; margin: 0; }
.tiles div { background: var(--card); padding: 16px 18px 14px; min-width: 0; }
.tiles dt { font-size: 0.86rem; color: var(--soft); }
.tiles dd { margin: 2px 0 0; font-size: 1.65rem; line-height: 1.2; letter-spacing: -0.02em; font-weight: 600;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
.tiles dd small { display: block; font-size: 0.84rem; font-weight: 400; letter-spacing: 0; white-space: normal; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 8px 0 10px; padding: 0; list-style: none;
  font-size: 0.88rem; color: var(--soft); }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 7px; }
.completed { fill: var(--completed); background: var(--completed); }
.failed { fill: var(--failed); background: var(--failed); }
.cancelled { fill: var(--cancelled); background: var(--cancelled); }
.open { fill: var(--open); background: var(--open); }
rect.value { fill: var(--value); }
rect.track { fill: var(--track); }
svg { display: block; overflow: visible; }
svg.plot { margin: 6px 0 4px; }
svg.stack { border-radius: 3px; overflow: hidden; min-width: 90px; }
svg text { fill: var(--soft); font: 12.5px/1 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif;
  font-variant-numeric: tabular-nums; }
svg text.name { fill: var(--ink); font-size: 14px; }
svg text.number { fill: var(--ink); font-size: 13.5px; }
.grid { stroke: var(--line); stroke-width: 1; }
.axis { stroke: var(--soft); stroke-width: 1; opacity: 0.55; }
.thick { stroke: var(--value); stroke-width: 7; opacity: 0.45; }
.thin { stroke: var(--value); stroke-width: 2; opacity: 0.7; }
.tick { stroke: var(--value); stroke-width: 2; }
.dot { fill: var(--value); stroke: var(--ground); stroke-width: 2; }
.mark { stroke: var(--mark); stroke-width: 1.5; stroke-dasharray: 4 3; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 0 44px; }
.two > div { min-width: 0; }
.two .scroll { margin: 0; padding: 0; }
.bars { list-style: none; margin: 0; padding: 0; font-size: 0.94rem; }
.bars li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 2px 12px; padding: 6px 0; }
.bars svg { grid-column: 1 / -1; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.bars small { display: inline-block; min-width: 4.4em; text-align: right; }
.scroll { overflow-x: auto; margin: 0 -28px; padding: 0 28px; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 8px 0 8px 18px; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { font-weight: 500; color: var(--soft); font-size: 0.82rem; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td:first-child { font-weight: 500; }
td.bar { width: 16%; min-width: 108px; }
code { font: 0.92em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
details { margin-top: 14px; border-top: 1px solid var(--line); }
details + details { margin-top: 0; }
summary { cursor: pointer; padding: 11px 0; font-weight: 600; font-size: 0.95rem; }
summary small { font-weight: 400; margin-left: 8px; }
details > .scroll { padding-bottom: 18px; }
details tr:last-child td { border-bottom: 0; }
ul.plain { padding-left: 1.1em; margin: 8px 0; max-width: 74ch; }
ul.plain li { margin: 5px 0; }
footer { margin-top: 64px; padding-top: 14px; border-top: 1px solid var(--line); color: var(--soft);
  font-size: 0.88rem; }
@media (max-width: 760px) {
  main { padding: 28px 18px 56px; }
  h1 { font-size: 2rem; }
  h2 { margin-top: 48px; font-size: 1.35rem; }
  .lede { font-size: 1.14rem; margin: 18px 0 24px; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tiles div { padding: 12px 14px; }
  .tiles dd { font-size: 1.4rem; }
  .two { grid-template-columns: minmax(0, 1fr); }
  .scroll { margin: 0 -18px; padding: 0 18px; }
  th, td { padding-left: 14px; }
}
@media print { .scroll { overflow: visible; } details > * { display: block; } }
"""
