/** The widget's styles. A shop changes them with the variables that docs/widget.md lists. */

const CSS = `
:host { display: block; }
:host([hidden]) { display: none; }
.root {
  all: initial;
  --accent: var(--lookalike-accent, light-dark(#98402a, #f0a98f));
  --ink: var(--lookalike-ink, light-dark(#1e1a17, #f4f0ea));
  --muted: var(--lookalike-muted, light-dark(#655d56, #aca39a));
  --surface: var(--lookalike-surface, light-dark(#ffffff, #1e1c1b));
  --line: var(--lookalike-line, light-dark(#ddd5ca, #3d3834));
  --edge: light-dark(#8b8178, #7d756e);
  --radius: var(--lookalike-radius, 14px);
  color-scheme: var(--lookalike-scheme, light);
  display: block; box-sizing: border-box; container-type: inline-size;
  padding: var(--lookalike-padding, 20px);
  font: var(--lookalike-font-size, 16px) / 1.5 var(--lookalike-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
  color: var(--ink); background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius);
  overflow-wrap: anywhere; text-align: start;
}
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
h2, h3, p, ul { margin: 0; padding: 0; }
ul { list-style: none; }
h2 { font-size: 1.2em; font-weight: 650; line-height: 1.3; }
h3, .results h2 { font-size: 1em; font-weight: 650; }
.results :is(h2, h3):focus { outline: none; }
button, input { font: inherit; color: inherit; }
.control { display: inline-block; padding: 0; border: 0; background: none; }
.similar { padding-inline: 0; border: 0; background: none; }
.icon-button { display: inline-grid; place-items: center; width: 40px; height: 40px; padding: 0; border: 0; border-radius: 50%; background: transparent; cursor: pointer; }
.icon-button:hover { background: rgb(128 128 128 / 18%); }
.sheet { width: min(46em, 100vw); max-width: none; max-height: 90vh; margin: auto; padding: 20px; overflow: auto; container-type: inline-size; color: var(--ink); background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); }
.sheet::backdrop { background: rgb(0 0 0 / 50%); }
@media (max-width: 40em) { .sheet { width: 100vw; margin-bottom: 0; border-radius: var(--radius) var(--radius) 0 0; } }
:focus-visible { outline: 3px solid light-dark(#1d57c4, #93bbff); outline-offset: 2px; border-radius: 6px; }
.head { display: flex; flex-wrap: wrap; gap: 12px 20px; align-items: center; justify-content: space-between; }
.intro { flex: 1 1 14em; }
.lead, .muted { color: var(--muted); font-size: 0.92em; }
.row { display: flex; flex-wrap: wrap; gap: 10px; }
.root.over { outline: 3px dashed var(--accent); outline-offset: -6px; }
.button { display: inline-flex; align-items: center; gap: 8px; min-height: 44px; padding: 6px 18px; border: 1px solid var(--edge); border-radius: 99px; background: transparent; color: inherit; font: inherit; font-weight: 550; cursor: pointer; }
.button.primary { background: var(--lookalike-button, var(--ink)); border-color: transparent; color: var(--lookalike-button-ink, var(--surface)); }
.button:hover { box-shadow: inset 0 0 0 99px rgb(128 128 128 / 18%); }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.results { margin-top: 18px; padding-top: 18px; border-top: 1px solid var(--line); display: grid; gap: 14px; }
.query { display: flex; align-items: center; gap: 12px; }
.query img { width: 56px; height: 56px; object-fit: cover; border-radius: 10px; border: 1px solid var(--line); }
.query { flex-wrap: wrap; }
.tool { display: inline-flex; align-items: center; gap: 6px; min-height: 38px; padding: 4px 12px; border: 1px solid var(--line); border-radius: 99px; background: transparent; cursor: pointer; font-size: 0.9em; white-space: nowrap; }
.tool[aria-pressed="true"], .chip[aria-pressed="true"] { background: var(--ink); border-color: var(--ink); color: var(--surface); }
.garments:empty { display: none; }
.garments { min-width: 0; }
.results { grid-template-columns: minmax(0, 1fr); scroll-margin-top: 8px; }
.similar .results { margin-top: 12px; padding-top: 0; border: 0; }
.chips { display: flex; gap: 8px; overflow-x: auto; padding: 4px; margin: -4px; }
.chip { display: inline-flex; flex: none; align-items: center; gap: 8px; min-height: 46px; padding: 2px 14px 2px 3px; border: 1px solid var(--edge); border-radius: 99px; background: transparent; cursor: pointer; font-size: 0.9em; white-space: nowrap; }
.chip img { width: 40px; height: 40px; object-fit: cover; border-radius: 50%; background: #fff; }
.stage-holder { display: grid; justify-items: center; }
.stage { position: relative; overflow: hidden; touch-action: none; }
.stage canvas { display: block; max-width: 100%; max-height: 22em; }
.crop-box { position: absolute; left: var(--x); top: var(--y); width: var(--w); height: var(--h); box-shadow: 0 0 0 100vmax rgb(0 0 0 / 50%), inset 0 0 0 2px #fff; outline: 1px solid #1e1a17; outline-offset: -1px; cursor: move; }
.crop-edge { position: absolute; }
.crop-edge.left, .crop-edge.right { width: 24px; top: 0; bottom: 0; cursor: ew-resize; }
.crop-edge.top, .crop-edge.bottom { height: 24px; left: 0; right: 0; cursor: ns-resize; }
.crop-edge.left { left: 0; } .crop-edge.right { right: 0; } .crop-edge.top { top: 0; } .crop-edge.bottom { bottom: 0; }
.crop-edge:focus-visible { outline-offset: -4px; }
.filters-body { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(12em, 100%), 1fr)); gap: 12px 20px; }
.filters-head { grid-column: 1 / -1; display: flex; gap: 16px; }
.facet { min-width: 0; margin: 0; padding: 0; border: 0; }
.facet legend { padding: 0; font-weight: 650; font-size: 0.92em; }
.option { display: flex; align-items: center; gap: 8px; min-height: 32px; cursor: pointer; font-size: 0.92em; }
.option-name { flex: 1; }
.option-count { color: var(--muted); font-size: 0.85em; }
.range { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; }
.range-field input { width: 100%; }
.link { min-height: 24px; padding: 0; border: 0; background: none; color: var(--accent); text-decoration: underline; cursor: pointer; font-size: 0.92em; }
.look { position: relative; }
.look img { display: block; width: 100%; height: auto; border-radius: var(--radius); }
.spots li { position: absolute; left: calc(var(--x) + var(--w) / 2); top: calc(var(--y) + var(--h) / 2); }
.spot { width: 36px; height: 36px; margin: -18px; padding: 0; border: 9px solid rgb(30 26 23 / 65%); border-radius: 50%; background: #fff; box-shadow: 0 0 0 2px #fff; cursor: pointer; }
.spot:hover { border-width: 7px; }
.grid { display: grid; gap: 18px 14px; grid-template-columns: var(--lookalike-columns, repeat(2, minmax(0, 1fr))); }
@container (min-width: 34em) { .grid { grid-template-columns: var(--lookalike-columns, repeat(4, minmax(0, 1fr))); } }
@container (min-width: 84em) { .grid { grid-template-columns: var(--lookalike-columns, repeat(8, minmax(0, 1fr))); } }
.card { position: relative; min-width: 0; }
.completion { display: grid; gap: 12px; }
.kind { margin-bottom: 6px; }
.kind ~ .like { top: 36px; }
.like { position: absolute; inset-inline-end: 6px; top: 6px; display: grid; place-items: center; width: 34px; height: 34px; padding: 0; border: 1px solid #d8d0c6; border-radius: 50%; background: #fff; color: #1e1a17; cursor: pointer; }
.card > a, .card > div { display: grid; gap: 8px; }
.card a { color: inherit; text-decoration: none; border-radius: var(--radius); }
.card a:hover .title { text-decoration: underline; }
.frame { display: grid; place-items: center; aspect-ratio: 3 / 4; overflow: hidden; background: #fff; border: 1px solid var(--line); border-radius: var(--radius); }
.frame img { width: 100%; height: 100%; object-fit: contain; display: block; }
.title { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; line-clamp: 2; overflow: hidden; font-size: 0.92em; line-height: 1.35; }
.price { font-weight: 650; font-size: 0.9em; }
.dots { display: flex; flex-wrap: wrap; gap: 2px; align-items: center; margin: 4px 0 0 -5px; }
.dots a, .dots span { border-radius: 50%; color: inherit; }
.card .dot { display: grid; place-items: center; width: 26px; height: 26px; }
.dot::before { content: ""; width: 17px; height: 17px; border-radius: 50%; background: var(--dot); border: 1px solid var(--edge); forced-color-adjust: none; }
.card .dot-name { display: inline-block; min-height: 26px; padding: 0 5px; font-size: 0.82em; line-height: 26px; }
.offers { margin-top: 4px; font-size: 0.85em; }
.offers summary { min-height: 26px; cursor: pointer; }
.card .offers a { display: inline-block; min-height: 26px; padding: 3px 0; text-decoration: underline; }
.missing { display: grid; justify-items: center; gap: 6px; padding: 10px; text-align: center; font-size: 0.8em; color: #655d56; }
.notice { padding: 14px 16px; border: 1px solid var(--line); border-radius: var(--radius); display: grid; gap: 6px; }
.notice .row { margin-top: 6px; }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.85em; }
.skeleton .frame { background: rgb(128 128 128 / 14%); animation: breathe 1.2s ease-in-out infinite alternate; }
@keyframes breathe { to { opacity: 0.4; } }
@media (forced-colors: active) { .chip[aria-pressed="true"], .tool[aria-pressed="true"] { forced-color-adjust: none; background: Highlight; color: HighlightText; } }
@media (prefers-reduced-motion: reduce) { .skeleton .frame { animation: none; } }
`;

/** Return the styles as a constructed sheet: a shop's Content-Security-Policy needs no 'unsafe-inline' for it. */
export function sheet() {
  const styles = new CSSStyleSheet();
  styles.replaceSync(CSS);
  return styles;
}
