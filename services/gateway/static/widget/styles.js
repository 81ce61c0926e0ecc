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
h3 { font-size: 1em; font-weight: 650; }
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
.query .button { margin-inline-start: auto; min-height: 38px; padding: 4px 14px; }
.grid { display: grid; gap: 18px 14px; grid-template-columns: repeat(auto-fill, minmax(min(9.5em, 44cqw), 1fr)); grid-template-columns: var(--lookalike-columns, repeat(auto-fill, minmax(min(9.5em, 44cqw), 1fr))); }
.card { min-width: 0; }
.card a, .card div.card-link { display: grid; gap: 8px; color: inherit; text-decoration: none; border-radius: var(--radius); }
.card a:hover .title { text-decoration: underline; }
.frame { display: grid; place-items: center; aspect-ratio: 3 / 4; overflow: hidden; background: #fff; border: 1px solid var(--line); border-radius: var(--radius); }
.frame img { width: 100%; height: 100%; object-fit: contain; display: block; }
.title { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; line-clamp: 2; overflow: hidden; font-size: 0.92em; line-height: 1.35; }
.facts { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 8px; font-size: 0.88em; }
.price { font-weight: 650; }
.missing { display: grid; justify-items: center; gap: 6px; padding: 10px; text-align: center; font-size: 0.8em; color: #655d56; }
.notice { padding: 14px 16px; border: 1px solid var(--line); border-radius: var(--radius); display: grid; gap: 6px; }
.notice .row { margin-top: 6px; }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.85em; }
.skeleton .frame { background: rgb(128 128 128 / 14%); animation: breathe 1.2s ease-in-out infinite alternate; }
@keyframes breathe { to { opacity: 0.4; } }
@media (prefers-reduced-motion: reduce) { .skeleton .frame { animation: none; } }
`;

/** Return the styles as a constructed sheet: a shop's Content-Security-Policy needs no 'unsafe-inline' for it. */
export function sheet() {
  const styles = new CSSStyleSheet();
  styles.replaceSync(CSS);
  return styles;
}
