// The page's style sheet: one accent colour, light and dark, print.

#include "page.hpp"

namespace osteon::report {

const char* const kStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f5f6f7; --line: #dfe3e6; --text: #1d2327; --quiet: #5d6870;
  --accent: #1f6f8b; --second: #b45f06; --third: #6a4c93; --warning: #fdf3dc;
  /* Okabe and Ito's colours, which differ to colour-blind eyes too; those that are too pale on white are darkened. */
  --k0: #0072b2; --k1: #d55e00; --k2: #009e73; --k3: #b2598c; --k4: #d08c00; --k5: #4aa3d8; --k6: #6b7178; --k7: #51409a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15181b; --panel: #1f2428; --line: #363d43; --text: #e4e8ea; --quiet: #9aa5ad;
    --accent: #6fc0dc; --second: #f0a94e; --third: #b9a1e0; --warning: #3a3220;
    --k0: #4fa8e0; --k1: #f08040; --k2: #2dbe94; --k3: #e0a0c4; --k4: #e8b840; --k5: #9ad4f5; --k6: #a3abb2; --k7: #a796ea;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 40px 28px 60px; }
h1, h2, h3, h4 { line-height: 1.25; font-weight: 600; margin: 0; }
h1 { font-size: 2rem; letter-spacing: -0.015em; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; }
h3 { font-size: 1rem; }
h4 { font-size: .8rem; color: var(--quiet); }
p { margin: .5em 0; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.quiet, .note, figcaption, small { color: var(--quiet); }
.quiet, .note { font-size: .875rem; }
.brand { margin: 0 0 .6em; color: var(--accent); font-weight: 600; font-size: .875rem; letter-spacing: .02em; }
.point { font-size: 1.1rem; color: var(--quiet); }
.answer { font-size: 1.25rem; line-height: 1.5; margin: 1.1em 0 1.2em; max-width: 46em; }
.answer::first-letter { text-transform: uppercase; }
.answer strong { font-weight: 600; color: var(--accent); }
.status { background: var(--warning); border-radius: 6px; padding: .7em 1em; overflow-wrap: anywhere; }

.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(215px, 1fr)); gap: 14px; margin: 1.4em 0; }
.card { background: var(--panel); border-radius: 8px; padding: 16px 18px 14px; }
.card h3 { font-size: .875rem; }
.card h3 span { display: block; font-weight: 400; color: var(--quiet); }
.card p { margin: 0; font-size: .875rem; }
.card .figure { font-size: 1.9rem; line-height: 1.2; font-weight: 600; margin: .3em 0 .2em; font-variant-numeric: tabular-nums; }
.card .quiet { margin-top: .25em; }

nav { display: flex; flex-wrap: wrap; gap: 4px 20px; padding: 12px 0; margin-top: 1.6em; font-size: .9375rem;
      border-top: 1px solid var(--line); }
nav a::first-letter, h2::first-letter { text-transform: uppercase; }
nav a { display: inline-block; }

.section { border-top: 1px solid var(--line); padding: 16px 0 20px; scroll-margin-top: 8px; }
.section > summary { cursor: pointer; list-style: none; display: flex; align-items: baseline; gap: 12px; }
.section > summary::-webkit-details-marker { display: none; }
.section > summary::before { content: "›"; color: var(--quiet); width: .6em; font-size: 1.25rem; transition: transform .15s; }
.section[open] > summary::before { transform: rotate(90deg); }
.section[open] > summary { margin-bottom: 14px; }
.aside { color: var(--quiet); font-size: .875rem; }
.anchor { opacity: 0; margin-left: auto; color: var(--quiet); }
summary:hover .anchor, .anchor:focus { opacity: 1; }

.results { display: flex; flex-wrap: wrap; gap: 26px 48px; }
.result { min-width: 0; max-width: 100%; }
.result h3 { margin-bottom: .45em; }
.result h3::first-letter { text-transform: uppercase; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9375rem; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 18px 6px 0; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
thead th { font-size: .8125rem; font-weight: 500; color: var(--quiet); vertical-align: bottom; }
thead small, td small { display: block; font-size: .8125rem; font-weight: 400; }
.result td, .result thead th + th { text-align: right; white-space: nowrap; }
.result thead small { white-space: normal; max-width: 8.5em; margin-left: auto; }
tbody th { font-weight: 400; min-width: 7em; overflow-wrap: break-word; }
tr.own th { font-weight: 600; }
td.own { font-weight: 600; }
.baseline, td.baseline, tr.baseline th, td.none { color: var(--quiet); }
.arrow { color: var(--accent); }
sup { font-size: .7em; line-height: 0; color: var(--accent); margin-left: .15em; }
.note { margin: .5em 0 0; max-width: 34em; }
.prose { max-width: 46em; overflow-wrap: anywhere; }
.stages { width: 100%; }
.stages th, .stages td:nth-child(-n+5) { white-space: nowrap; }
.pairs th { white-space: nowrap; color: var(--quiet); }
.stages th { min-width: 0; }

figure { margin: 0; }
figcaption { font-size: .8125rem; line-height: 1.4; overflow-wrap: anywhere; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 18px 16px; }
.pictures img { width: 100%; height: auto; background: #000; border-radius: 4px; }
.pictures figcaption { margin-top: 6px; }
.zoom { display: block; cursor: zoom-in; position: relative; }
.zoom input { position: absolute; opacity: 0; width: 1px; height: 1px; }
.zoom img { display: block; }
.zoom .over { position: absolute; inset: 0; }
.layers { display: flex; gap: 14px; align-items: center; font-size: .875rem; } input { accent-color: var(--accent); }
.zoom input:focus-visible ~ img { outline: 2px solid var(--accent); outline-offset: 2px; }
.zoom input:checked ~ img {
  position: fixed; inset: 0; z-index: 10; width: 100vw; height: 100vh; object-fit: contain; padding: 3vmin;
  background: var(--page); cursor: zoom-out; border-radius: 0;
}

.legend { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 14px; font-size: .875rem; }
.legend .bar { margin-right: 18px; }
.swatch i { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin-right: 6px; vertical-align: -1px; }
.shape { margin: 22px 0 8px; }
.shape h3 { overflow-wrap: anywhere; }
.views { display: flex; flex-wrap: wrap; gap: 16px; margin-top: 10px; }
.view { background: var(--panel); border-radius: 8px; padding: 12px 18px; flex: 1 1 auto; overflow-x: auto; }
.view .row { display: flex; gap: 18px; justify-content: space-around; margin-top: 8px; }
.view figcaption { text-align: center; margin-top: 6px; }
.scale { display: flex; align-items: center; gap: 8px; font-size: .75rem; color: var(--quiet); margin: 10px 0 0; }
.scale span { display: inline-block; height: 5px; border: 1px solid var(--quiet); border-top: 0; }

/* The view that turns. */
.solid { display: flex; flex-wrap: wrap; gap: 0 24px; background: var(--panel); border-radius: 8px; padding: 12px; margin-bottom: 20px; }
.solid[hidden] { display: none; }
.solid canvas { flex: 1 1 320px; min-width: 0; height: 520px; touch-action: pan-y; cursor: grab; border-radius: 6px; }
.solid canvas:active { cursor: grabbing; }
.solid .panel { flex: 0 1 280px; min-width: 0; display: flex; flex-direction: column; justify-content: center; gap: 12px; font-size: .875rem; }
.solid .panel p { margin: 0; }
.solid select { width: 100%; }
.fade { display: flex; align-items: center; gap: 8px; } .fade input { flex: 1; min-width: 0; }
.buttons { display: flex; flex-wrap: wrap; gap: 6px; }
.buttons button, .turn { padding: 3px 10px; } .shape .turn { float: right; }
.solid .scale span { height: 6px; } .solid .scale b { font-weight: 400; }

/* A sweep. */
.effects .k1 { --k: var(--k0); } .effects .k2 { --k: var(--k6); } .effects .baseline .line { stroke-width: 1.6; }
.parallel .name { fill: var(--text); font-weight: 600; }
.parallel .axis line { stroke: var(--quiet); } .parallel .axis text { stroke: var(--page); stroke-width: 3; paint-order: stroke; }
.parallel path { fill: none; stroke: var(--k0); stroke-width: 1.4; stroke-opacity: .55; stroke-linejoin: round; }
.parallel .faint path { stroke-opacity: .08; } .parallel a:focus { outline: none; }
.parallel .raised path { stroke: var(--k1); stroke-width: 2.6; stroke-opacity: 1; }
.parallel .axis { pointer-events: none; } .brush { fill: var(--accent); fill-opacity: .22; pointer-events: none; }
.parallel .stage > svg { touch-action: pan-x pan-y; cursor: crosshair; }
.more { margin: 18px 0; } .more > summary { cursor: pointer; color: var(--accent); margin-bottom: 14px; }
.settings th { font-weight: 400; } .points th { min-width: 15em; }

button, select { font: inherit; font-size: .8125rem; color: var(--text); background: var(--page); border: 1px solid var(--line); border-radius: 5px; }
button { cursor: pointer; }
button:hover, select:hover { border-color: var(--quiet); }
.sort { all: unset; cursor: pointer; display: inline; } .sort:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.sort:hover { color: var(--text); }
[aria-sort=ascending] .sort::after { content: " ▴"; color: var(--accent); } [aria-sort=descending] .sort::after { content: " ▾"; color: var(--accent); }

.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 24px 32px; }
.chart figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 14px; color: var(--text);
                    font-weight: 600; font-size: .875rem; margin-bottom: 4px; }
.chart figcaption::first-letter { text-transform: uppercase; }
.keys { display: flex; flex-wrap: wrap; gap: 0 14px; font-weight: 400; color: var(--quiet); font-variant-numeric: tabular-nums; }
.key svg { vertical-align: 1px; margin-right: 6px; overflow: visible; }
svg text { font-size: 11px; fill: var(--quiet); font-variant-numeric: tabular-nums; }
.chart > svg { width: 100%; height: auto; display: block; }
.grid { stroke: var(--line); stroke-width: 1; }
.series path, .key path { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.series-0 path { stroke: var(--accent); } .series-0 circle { fill: var(--accent); }
.series-1 path { stroke: var(--second); stroke-dasharray: 5 4; } .series-1 circle { fill: var(--second); }
.series-2 path { stroke: var(--third); stroke-dasharray: 2 4; } .series-2 circle { fill: var(--third); }
.series-3 path { stroke: var(--quiet); stroke-dasharray: 9 4; } .series-3 circle { fill: var(--quiet); }

/* Charts of metrics, and maps. */
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); gap: 26px 32px; }
.plot { min-width: 0; }
.plot figcaption { color: var(--text); font-weight: 600; font-size: .875rem; margin-bottom: 4px; }
.plot figcaption::first-letter { text-transform: uppercase; }
.plot .keys { margin: 0 0 6px; font-size: .8125rem; overflow-wrap: anywhere; }
.plot .note { margin: 2px 0; font-size: .8125rem; }
.stage { position: relative; }
.stage > svg { width: 100%; height: auto; display: block; }
.k0 { --k: var(--k0); } .k1 { --k: var(--k1); } .k2 { --k: var(--k2); } .k3 { --k: var(--k3); }
.k4 { --k: var(--k4); } .k5 { --k: var(--k5); } .k6 { --k: var(--k6); } .k7 { --k: var(--k7); }
.plot .line { fill: none; stroke: var(--k); stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.plot .dash-1 .line { stroke-dasharray: 6 4; } .plot .dash-2 .line { stroke-dasharray: 2 3; }
.plot .series circle { fill: var(--k); } .plot .points circle { fill-opacity: .6; }
.plot .series rect { fill: var(--k); fill-opacity: .5; stroke: var(--k); stroke-width: .5; }
.plot .baseline .line, .plot .baseline.series .line { stroke-width: 1.2; stroke-opacity: .75; }
.plot .baseline circle { fill-opacity: .35; } .plot .baseline rect { fill-opacity: .25; }
.plot svg.series { opacity: 1; vertical-align: -1px; margin-right: 6px; } .plot svg.baseline .line { stroke-width: 1.2; }
.guide { stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 3 3; } text.guide { stroke: var(--page); stroke-width: 3; stroke-dasharray: none; paint-order: stroke; }
.ring { fill: none; stroke: var(--text); stroke-width: 1.6; pointer-events: none; }
.tip { position: absolute; z-index: 5; pointer-events: none; max-width: 210px; padding: 7px 10px; border-radius: 6px;
       border: 1px solid var(--line); background: var(--page); font-size: .75rem; line-height: 1.45; overflow-wrap: anywhere;
       font-variant-numeric: tabular-nums; box-shadow: 0 2px 10px rgb(0 0 0 / .12); }
.tip .head { font-weight: 600; }
.tip canvas { display: block; margin-bottom: 5px; background: #000; border-radius: 3px; }
.marks { position: absolute; }
.map .stage { background: var(--panel); border-radius: 8px; overflow: hidden; margin-bottom: 8px; }
.map .stage > svg { touch-action: pan-y; cursor: crosshair; } .map .zoomed > svg { touch-action: none; cursor: grab; }
use { fill: var(--k); } .map .stage use { fill-opacity: .8; }
use.held { stroke: var(--text); stroke-width: 1; } use.faint { opacity: .1; }
.map .keys { align-items: center; max-height: 9.5em; overflow-y: auto; } .map .key { cursor: default; }
.map .key svg { vertical-align: -2px; margin-right: 4px; }
.dot { display: inline-block; width: 9px; height: 9px; border-radius: 50%; background: var(--k); margin-right: 5px; }
.ramp { width: 140px; height: 10px; border-radius: 2px; }
.colours { float: right; font-size: .8125rem; color: var(--quiet); margin-top: -22px; }
.colours select { font: inherit; color: var(--text); background: var(--page); border: 1px solid var(--line); border-radius: 4px; }
.zooms { position: absolute; right: 8px; bottom: 8px; display: flex; gap: 4px; }
.zooms button { width: 30px; height: 30px; padding: 0; font: inherit; line-height: 1; color: var(--quiet); cursor: pointer;
                background: var(--page); border: 1px solid var(--line); border-radius: 5px; }

pre { background: var(--panel); border-radius: 6px; padding: 14px 16px; overflow-x: auto; font-size: .8125rem; line-height: 1.5; margin: .6em 0; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; font-size: .92em; }
pre code { font-size: inherit; }
ul { padding-left: 1.2em; margin: .4em 0; }
footer { border-top: 1px solid var(--line); padding-top: 18px; color: var(--quiet); font-size: .875rem; }

@media (max-width: 560px) { .solid canvas { flex-basis: 100%; height: 380px; } .solid .panel { flex-basis: 100%; } .colours { float: none; display: block; margin: 0 0 6px; } main { padding: 24px 16px 40px; } h1 { font-size: 1.6rem; } .answer { font-size: 1.1rem; } }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; scroll-behavior: auto !important; } }
@media print {
  :root { --page: #fff; --panel: #f5f6f7; --line: #ccc; --text: #000; --quiet: #444; --accent: #1f6f8b; --second: #b45f06; --third: #6a4c93; --warning: #fdf3dc;
    --k0: #0072b2; --k1: #d55e00; --k2: #009e73; --k3: #b2598c; --k4: #d08c00; --k5: #4aa3d8; --k6: #6b7178; --k7: #51409a; }
  body { font-size: 10pt; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  nav, .anchor, .section > summary::before { display: none; }
  .section { break-inside: auto; } .section > summary { break-after: avoid; }
  figure, .card, .view, tr, .result { break-inside: avoid; }
  pre { white-space: pre-wrap; }
  .pictures { grid-template-columns: repeat(4, 1fr); } .plots { grid-template-columns: repeat(2, 1fr); }
  .colours, .zooms, .tip, .solid, .turn, .layers, .sort::after { display: none !important; } .map .keys { max-height: none; }
  .views { gap: 8px; } .view { padding: 8px; } .view .row { gap: 6px; } .view img { width: 100%; height: auto; } .scale { display: none; }
}
)css";

}  // namespace osteon::report
