/** Colours first, for light and dark; each text has a contrast of at least 4.5 to what is behind it. */
const COLOURS = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --line: #d9dde3; --text: #17202b; --quiet: #55606e;
  --good: #166a37; --bad: #c0282d; --warn: #8f5b00; --busy: #1763c6; --press: #eef1f5;
  --good-soft: #e3f4e9; --bad-soft: #fde8e8; --warn-soft: #fdf1d8; --busy-soft: #e3eefc;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10151b; --card: #19212a; --line: #303b47; --text: #e6ebf1; --quiet: #a2aebb;
    --good: #57c785; --bad: #ff8a85; --warn: #eab54f; --busy: #7db4ff; --press: #25303c;
    --good-soft: #173524; --bad-soft: #43211f; --warn-soft: #3b2e13; --busy-soft: #1b314f;
  }
}
`;

const LAYOUT = `
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; max-width: 90rem; padding: 1rem 1.25rem 5rem; background: var(--page); color: var(--text);
  font: 0.9375rem/1.45 -apple-system, 'Segoe UI', Roboto, 'Noto Sans', Ubuntu, 'Liberation Sans', Arial, sans-serif; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 0.25rem; }
p { margin: 0.25rem 0; }
ul { list-style: none; margin: 0; padding: 0; }
.about, #jobs-count, #locks-count, #runs-about { color: var(--quiet); font-size: 0.8125rem; }
.name { font-weight: 600; overflow-wrap: anywhere; }
.about { display: block; font-weight: 400; overflow-wrap: anywhere; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 0.25rem; background: var(--card); padding: 0.25rem 0.5rem; }
#main:focus { outline: none; }
#live { margin: 0; color: var(--quiet); }
#live::before { content: ''; display: inline-block; width: 0.6em; height: 0.6em; border-radius: 50%; margin-right: 0.4em; background: var(--quiet); }
#live.live::before { background: var(--good); }
#live.lost, #live.refused { color: var(--bad); font-weight: 600; }
#live.lost::before, #live.refused::before { background: var(--bad); }
#servers { display: flex; flex-wrap: wrap; gap: 0.5rem; margin-top: 0.5rem; }
#servers > li { background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.5rem 0.75rem; flex: 1 1 13rem; max-width: 24rem; }
.reason { display: block; color: var(--bad); font-size: 0.8125rem; overflow-wrap: anywhere; }
.warnings li, #notes li { color: var(--warn); font-size: 0.8125rem; overflow-wrap: anywhere; }
.quorum.lost { color: var(--bad); font-weight: 600; }
.filter { margin-top: 1.25rem; display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; align-items: center; }
input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--quiet); border-radius: 0.375rem; padding: 0.4rem 0.6rem; width: 100%; }
::placeholder { color: var(--quiet); opacity: 1; }
#filter { flex: 1 1 14rem; max-width: 26rem; }
button { font: inherit; color: inherit; background: var(--press); border: 1px solid var(--line); border-radius: 0.375rem; padding: 0.3rem 0.7rem; cursor: pointer; white-space: nowrap; }
button:hover { border-color: var(--quiet); }
:focus-visible { outline: 2px solid var(--busy); outline-offset: 2px; }
body:not([data-may='act']) .action, body:not([data-may='act']) #jobs > * > tr > :last-child { display: none; }
`;

const TABLES = `
table { width: 100%; border-collapse: separate; border-spacing: 0; margin-top: 0.5rem; background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; font-variant-numeric: tabular-nums; }
thead th { text-align: left; font-size: 0.8125rem; color: var(--quiet); font-weight: 600; padding: 0.5rem 0.75rem; }
tbody th, td { text-align: left; vertical-align: top; font-weight: 400; padding: 0.5rem 0.75rem; border-top: 1px solid var(--line); }
td { overflow-wrap: anywhere; }
.action { margin: 0 0.4rem 0.25rem 0; }
#jobs td:last-child { white-space: nowrap; }
.badges { display: flex; flex-wrap: wrap; gap: 0.25rem; }
.badge { display: inline-block; border-radius: 1rem; padding: 0.05rem 0.55rem; margin-top: 0.15rem; font-size: 0.8125rem; font-weight: 600; overflow-wrap: anywhere; background: var(--press); }
.badge.succeeded, .badge.ready { color: var(--good); background: var(--good-soft); }
.badge.failed, .badge.lost, .badge.died, .badge.down, .badge.silent, .badge.refusing { color: var(--bad); background: var(--bad-soft); }
.badge.unknown, .badge.paused, .badge.overdue, .badge.quarantined, .badge.connecting { color: var(--warn); background: var(--warn-soft); }
.badge.running { color: var(--busy); background: var(--busy-soft); }
.strip { display: inline-flex; align-items: flex-end; gap: 2px; height: 2.25rem; padding: 3px 5px; background: none; }
.strip i { width: 4px; border-radius: 1px; background: var(--good); }
.strip i.none { height: 3px; background: var(--line); }
.strip i.failed, .strip i.lost, .strip i.died { background: var(--bad); border-top: 5px solid var(--text); }
.strip i.running { background: var(--busy); animation: run 1.2s ease-in-out infinite alternate; }
@keyframes run { to { opacity: 0.35; } }
@media (prefers-reduced-motion: reduce) { .strip i.running { animation: none; } }
dialog { border: 1px solid var(--line); border-radius: 0.75rem; padding: 1rem 1.25rem; background: var(--card); color: var(--text); width: min(32rem, calc(100vw - 2rem)); max-height: calc(100vh - 2rem); }
dialog#runs { width: min(60rem, calc(100vw - 2rem)); }
dialog::backdrop { background: rgb(0 0 0 / 45%); }
dialog h2 { margin-top: 0; overflow-wrap: anywhere; }
dialog label { display: block; margin: 0.75rem 0 0.2rem; }
.buttons { display: flex; justify-content: flex-end; gap: 0.5rem; margin-top: 1rem; }
#ask-yes { background: var(--busy); color: var(--card); border-color: var(--busy); font-weight: 600; }
#said { position: fixed; inset: auto 1rem 1rem; margin: 0 auto; width: fit-content; max-width: calc(100vw - 2rem); }
#said > span { display: block; background: var(--card); border: 1px solid var(--good); border-left-width: 6px; border-radius: 0.5rem; padding: 0.5rem 0.9rem; overflow-wrap: anywhere; box-shadow: 0 2px 10px rgb(0 0 0 / 20%); }
#said.error > span { border-color: var(--bad); }
`;

/** A row becomes a card, and each cell says the name of its column. */
const PHONE = `
@media (max-width: 50rem) {
  body { padding: 0.75rem 0.75rem 5rem; }
  #servers > li { flex-basis: 100%; max-width: none; }
  table, tbody, tr, tbody th, td { display: block; }
  table { background: none; border: 0; }
  thead { position: absolute; left: -100rem; }
  tr { background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; margin-bottom: 0.5rem; padding: 0.5rem 0.75rem; }
  tbody th, td { border: 0; padding: 0.15rem 0; }
  td::before { content: attr(data-label) ': '; color: var(--quiet); font-size: 0.8125rem; }
  td .about { display: inline; }
  td .about:not(:empty)::before { content: ' · '; }
  button { min-height: 2.75rem; }
  .strip { vertical-align: middle; }
}
`;

export const STYLE = [COLOURS, LAYOUT, TABLES, PHONE].join('');
