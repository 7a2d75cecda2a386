export const STREAM_SCRIPT = String.raw`
/** Where the files are, as seen from this page. */
const BASE = document.documentElement.dataset.base ?? './';

/** The server sends something every ten seconds: after so long the connection is dead. */
const SILENT_MS = 25000;

/** A page that is not seen any more keeps no replica busy. */
const HIDDEN_MS = 30000;

const RETRY_MS = 3000;

/**
 * The events of the server, again and again when the connection ends.
 * @param {{ change: (data: any) => void, state: (state: 'live' | 'lost' | 'refused') => void }} on
 */
export function listen(on) {
  /** @type {EventSource | undefined} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let hiding;
  let heardAt = 0;

  function close() {
    clearTimeout(retry);
    source?.close();
    source = undefined;
  }

  function open() {
    close();
    heardAt = Date.now();
    const own = new EventSource(BASE + 'events');
    source = own;
    own.addEventListener('change', ({ data }) => {
      heardAt = Date.now();
      on.change(JSON.parse(data));
      on.state('live');
    });
    own.addEventListener('beat', () => {
      heardAt = Date.now();
    });
    own.addEventListener('error', () => {
      // After an interruption the browser connects again, but not where it was refused: a deploy, or a session that has ended.
      if (own.readyState === EventSource.CLOSED && own === source) void reopen();
      else if (own === source) on.state('lost');
    });
  }

  async function reopen() {
    close();
    const answer = await fetch(BASE + 'page.css', { method: 'HEAD', cache: 'no-store' }).catch(() => undefined);
    const isRefused = answer !== undefined && (answer.status === 401 || answer.status === 403);
    on.state(isRefused ? 'refused' : 'lost');
    if (!isRefused && source === undefined && !document.hidden) retry = setTimeout(open, RETRY_MS);
  }

  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(close, HIDDEN_MS);
    else if (source === undefined) open();
  });
  setInterval(() => {
    if (source === undefined || Date.now() - heardAt < SILENT_MS) return;
    on.state('lost');
    open();
  }, 1000);
  open();
}

/**
 * Sends what a button says.
 * @param {object} body
 * @returns {Promise<{ done?: string, outcome?: string, error?: string }>}
 */
export async function post(body) {
  // The cookie that came with the events, once more in a header: only this page can do that.
  const token = /(?:^|; *)redlock-dashboard=([0-9a-f]{32})/.exec(document.cookie)?.[1] ?? '';
  try {
    const response = await fetch(BASE + 'act', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-redlock-dashboard': token },
      body: JSON.stringify(body),
      redirect: 'error',
    });
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    return { error: answer.error ?? answer.message ?? 'The server answered ' + response.status + '.' };
  } catch {
    return { error: 'The server could not be reached. Whether it has done it, the rows will show.' };
  }
}
`;
