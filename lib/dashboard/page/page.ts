import type { Answer } from '../answer.js';

const TYPE = 'text/html; charset=utf-8';

/** The page, with nothing in it yet. `base` is where its files are, as seen from it. */
export function page(base: string): Answer {
  return { status: 200, type: TYPE, body: PAGE.replaceAll('BASE', base) };
}

/** What is said to a request that may not see the page: nothing of the application. */
export function refusalPage(status: number, why: string): Answer {
  const text = why.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return { status, type: TYPE, body: REFUSAL.replace('WHY', () => text) };
}

const REFUSAL = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Not open</title>
<h1>Not open</h1>
<p>WHY</p>
</html>
`;

const HEAD = `<!doctype html>
<html lang="en" data-base="BASE">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Jobs and locks</title>
<link rel="icon" href="BASEicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="BASEpage.css">
<script type="module" src="BASEpage.js"></script>
</head>`;

const table = (id: string, columns: readonly string[]): string => `
<table role="table" id="${id}" aria-labelledby="${id}-title" hidden>
<thead role="rowgroup"><tr role="row">${columns.map((name) => `<th role="columnheader" scope="col">${name}</th>`).join('')}</tr></thead>
<tbody role="rowgroup"></tbody>
</table>`;

const PAGE = `${HEAD}
<body>
<a class="skip" href="#main">Skip to the jobs</a>
<header>
<h1>Jobs and locks</h1>
<p id="live" role="status">Connecting</p>
</header>
<noscript><p>This page needs JavaScript: it shows what happens now.</p></noscript>
<section aria-labelledby="servers-title">
<h2 id="servers-title">Servers</h2>
<ul id="instances"></ul>
<ul id="servers"></ul>
<ul id="notes" aria-label="What could not be read"></ul>
</section>
<main id="main" tabindex="-1">
<p class="filter"><label for="filter">Filter jobs and locks</label>
<input id="filter" type="search" autocomplete="off" spellcheck="false" placeholder="name, holder, failed, paused"></p>
<section>
<h2 id="jobs-title">Jobs</h2>
<p id="jobs-count">Reading</p>${table('jobs', ['Job', 'Last runs', 'Last run', 'Next run', 'Do'])}
</section>
<section>
<h2 id="locks-title">Locks</h2>
<p id="locks-count">Reading</p>${table('locks', ['Key', 'Holder', 'Time left', 'Fencing token', 'Servers'])}
</section>
</main>
<p id="said" role="status"></p>
<dialog id="ask" aria-labelledby="ask-title" aria-describedby="ask-text">
<form>
<h2 id="ask-title"></h2>
<p id="ask-text"></p>
<div id="ask-pause">
<label for="ask-for">For how long? Such as 30m, 2h or 1d; empty: until it is resumed</label>
<input id="ask-for" autocomplete="off" spellcheck="false" maxlength="20">
<label for="ask-reason">Why? Every reader of this page sees it</label>
<input id="ask-reason" autocomplete="off" maxlength="200">
</div>
<p class="buttons"><button type="button" id="ask-no">Cancel</button> <button id="ask-yes"></button></p>
</form>
</dialog>
<dialog id="runs" aria-labelledby="runs-title">
<h2 id="runs-title"></h2>
<p id="runs-about"></p>${table('runs-table', ['Started', 'Outcome', 'Took', 'Replica', 'Cause', 'Fencing token']).replace('runs-table-title', 'runs-title')}
<p class="buttons"><button type="button" id="runs-close">Close</button></p>
</dialog>
</body>
</html>
`;
