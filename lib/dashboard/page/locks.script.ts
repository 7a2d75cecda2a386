export const LOCKS_SCRIPT = String.raw`
import { make, makeCell, makeTableRow, setAttribute, setText } from './dom.js';
import { countdown, relative } from './format.js';

/**
 * @typedef {object} Lock
 * @property {string} key
 * @property {boolean} held
 * @property {string} [instance]
 * @property {number} [shard]
 * @property {string} [owner]
 * @property {number} [until]
 * @property {number} [fencingToken]
 * @property {number} servers
 * @property {number} of
 * @property {number} [unanswered] How many have not answered, where it may be held with them.
 */

/** Where it is, in applications with several instances or shards. @param {{ instance?: string, shard?: number }} place */
function placeOf({ instance, shard }) {
  return [instance, shard === undefined ? undefined : 'shard ' + (shard + 1)].filter(Boolean).join(' · ');
}

/** On how many servers it is, and what that means. @param {Lock} lock */
function shareOf({ servers, of, held, unanswered }) {
  if (unanswered !== undefined) return servers + ' of ' + of + ', and ' + unanswered + (unanswered === 1 ? ' has' : ' have') + ' not answered: it may be held';
  return servers + ' of ' + of + (held ? '' : ': no majority, so it is not held');
}

export function makeLockView() {
  /** @type {Lock} */
  let lock;
  const key = make('span', { class: 'name' });
  const place = make('span', { class: 'about' });
  const owner = makeCell('Holder');
  const left = makeCell('Time left');
  const token = makeCell('Fencing token');
  const servers = makeCell('Servers');
  const element = makeTableRow(make('th', { scope: 'row' }, key, place), owner, left, token, servers);

  /** @param {number} now */
  function tick(now) {
    setText(left, lock.until === undefined ? 'no end' : countdown(lock.until - now));
  }

  return {
    element,
    tick,
    words: () => [lock.key, lock.owner, lock.instance].join(' '),
    /** @param {Lock} data @param {number} now */
    update(data, now) {
      lock = data;
      setText(key, lock.key);
      setText(place, placeOf(lock));
      setText(owner, lock.owner ?? '-');
      setText(token, lock.fencingToken === undefined ? '-' : String(lock.fencingToken));
      setText(servers, shareOf(lock));
      tick(now);
    },
  };
}

/**
 * @typedef {object} Server
 * @property {string} server
 * @property {string} state
 * @property {number} since
 * @property {string[]} warnings
 * @property {string} [instance]
 * @property {number} [shard]
 * @property {string} [reason]
 * @property {number} [latencyMs]
 * @property {string} [version]
 */

export function makeServerView() {
  /** @type {Server} */
  let server;
  const name = make('span', { class: 'name' });
  const state = make('span', { class: 'badge' });
  const about = make('span', { class: 'about' });
  const reason = make('span', { class: 'reason' });
  const warnings = make('ul', { class: 'warnings' });
  const element = make('li', {}, name, ' ', state, about, reason, warnings);

  /** @param {number} now */
  function tick(now) {
    const latency = server.latencyMs === undefined ? '' : ' · ' + server.latencyMs + ' ms';
    const version = server.version === undefined ? '' : ' · ' + server.version;
    const place = placeOf(server);
    setText(about, (place === '' ? '' : place + ' · ') + 'since ' + relative(server.since, now).replace(' ago', '') + latency + version);
  }

  return {
    element,
    tick,
    words: () => '',
    /** @param {Server} data @param {number} now */
    update(data, now) {
      server = data;
      setText(name, server.server);
      setText(state, server.state);
      setAttribute(state, 'class', 'badge ' + server.state);
      setText(reason, server.reason ?? '');
      if (warnings.textContent !== server.warnings.join('')) {
        warnings.replaceChildren(...server.warnings.map((text) => make('li', {}, text)));
      }
      tick(now);
    },
  };
}

/** Whether locks can be granted. */
export function makeInstanceView() {
  const element = make('li');
  return {
    element,
    tick() {},
    words: () => '',
    /** @param {{ instance?: string, quorum: boolean, voting: number, needed: number }} data */
    update({ instance, quorum, voting, needed }) {
      const count = voting + (voting === 1 ? ' server votes, ' : ' servers vote, ') + needed + (needed === 1 ? ' is needed.' : ' are needed.');
      const name = instance === undefined ? '' : instance + ': ';
      setText(element, name + (quorum ? 'Locks can be granted: ' : 'No lock can be granted: ') + count);
      setAttribute(element, 'class', quorum ? 'quorum' : 'quorum lost');
    },
  };
}

export function makeNoteView() {
  const element = make('li');
  return {
    element,
    tick() {},
    words: () => '',
    /** @param {{ text: string }} data */
    update({ text }) {
      setText(element, text);
    },
  };
}
`;
