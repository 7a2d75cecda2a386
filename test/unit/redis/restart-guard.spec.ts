import { describe, expect, it } from '@jest/globals';
import type { Claim, NodeRequest } from '../../../lib/core/ports/lock-node.js';
import { RestartGuard, type RestartGuardMode } from '../../../lib/redis/restart-guard.js';
import { parseInfo, warningsOn, type ServerInfo } from '../../../lib/redis/server-info.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const server = (runId: string, info: Partial<ServerInfo> = {}): ServerInfo => ({
  runId,
  uptimeMs: 0,
  version: '7.0.15',
  replica: false,
  promoted: false,
  history: `history of ${runId}`,
  cluster: false,
  sentinel: false,
  appendOnly: false,
  rewriting: false,
  evicts: undefined,
  loading: false,
  ...info,
});

const request = (kind: NodeRequest['kind'], ttlMs = 1000, quarantineMs?: number): NodeRequest => ({
  kind,
  token: 't',
  owner: 'o',
  claims: [{ key: 'k', ttlMs, ...(quarantineMs !== undefined && { quarantineMs }) }],
});

/** A request for a lock of one second on this key, with whatever else. */
const on = (key: string, more: Partial<Claim> = {}, ...others: Claim[]): NodeRequest => ({
  ...request('acquire'),
  claims: [{ key, ttlMs: 1000, ...more }, ...others],
});

const lose = (guard: RestartGuard): void => {
  guard.onMarker('m');
  guard.onMarker('n');
};

const waitOf = (guard: RestartGuard, asked: NodeRequest): number =>
  guard.reasonNotToVote(asked) === undefined ? 0 : guard.leftMs(asked.claims);

function setUp(mode: RestartGuardMode = 'witnessed'): { clock: VirtualClock; guard: RestartGuard } {
  const clock = new VirtualClock();
  return { clock, guard: new RestartGuard(mode, clock) };
}

describe('P12: the restart guard', () => {
  it('quarantines a server that came back with another run id, until the longest ttl is over since its start', () => {
    const { clock, guard } = setUp();
    guard.onInspected(server('a', { uptimeMs: 50 }));
    guard.onRequest(request('acquire', 30_000));
    expect(guard.reasonNotToVote(request('acquire'))).toBeUndefined();
    expect(guard.onInspected(server('b', { uptimeMs: 4000 }))).toBe(true);
    expect(guard.reasonNotToVote(request('acquire'))?.message).toMatch(
      /^quarantined, because it was restarted and may have forgotten locks: .* for 30000 ms after that/,
    );
    clock.stall(25_999);
    expect(guard.reasonNotToVote(request('acquire'))).toBeDefined();
    clock.stall(1);
    expect(guard.reasonNotToVote(request('acquire'))).toBeUndefined();
  });

  it('trusts no append-only file that is new with the restart, or that was off before it: it may be older than the locks', () => {
    const { clock, guard } = setUp();
    guard.onRequest(request('acquire', 30_000));
    guard.onInspected(server('a', { appendOnly: false }));
    expect(guard.onInspected(server('b', { appendOnly: true }))).toBe(true);
    clock.stall(30_000);
    guard.onInspected(server('b', { appendOnly: false }));
    expect(guard.onInspected(server('c', { appendOnly: true }))).toBe(true);
    expect(guard.onInspected(server('d', { appendOnly: true }))).toBe(false);
  });

  it('trusts no append-only file that was turned on, and had not been written yet when it was looked at last', () => {
    const { guard } = setUp();
    guard.onRequest(request('acquire', 30_000));
    guard.onInspected(server('a', { appendOnly: false }));
    guard.onInspected(server('a', { appendOnly: true, rewriting: true }));
    expect(guard.onInspected(server('b', { appendOnly: true }))).toBe(true);
    // One that was there before is written anew from time to time.
    guard.onInspected(server('b', { appendOnly: true, rewriting: true }));
    expect(guard.onInspected(server('c', { appendOnly: true }))).toBe(false);
  });

  it('judges a server that still loads its data by what it says afterwards: meanwhile it denies its append-only file', () => {
    for (const appendOnly of [true, false]) {
      const { guard } = setUp();
      guard.onRequest(request('acquire', 30_000));
      guard.onInspected(server('a', { appendOnly }));
      guard.onMarker('m');
      expect(guard.onInspected(server('b', { appendOnly: false, loading: true }))).toBe(false);
      expect([guard.leftMs(), guard.isMarkerOld]).toEqual([0, false]);
      expect(guard.onInspected(server('b', { appendOnly, uptimeMs: 4000 }))).toBe(!appendOnly);
      expect(guard.leftMs()).toBe(appendOnly ? 0 : 26_000);
    }
  });

  it('quarantines a replica that has taken over from now on, with an append-only file and however long it has been up', () => {
    const { clock, guard } = setUp();
    const details = { uptimeMs: 1e9, appendOnly: true };
    guard.onInspected(server('a', details));
    guard.onMarker('m');
    guard.onRequest(request('acquire', 30_000));
    // It may be seen before it takes over: that is not the server there was.
    expect(guard.onInspected(server('b', { ...details, replica: true, history: 'history of a' }))).toBe(false);
    expect(guard.onInspected(server('b', { ...details, promoted: true }))).toBe(true);
    expect(guard.onMarker('m')).toBe(false);
    expect(guard.reasonNotToVote(request('acquire'))?.message).toMatch(
      /^quarantined, because it was a replica until lately and .* for 30000 ms after that/,
    );
    clock.stall(30_000);
    expect(guard.reasonNotToVote(request('acquire'))).toBeUndefined();
    expect(guard.onInspected(server('b', { ...details, promoted: true }))).toBe(false);
  });

  it('quarantines a master that was one before, and a replica in between', () => {
    const { guard } = setUp();
    const details = { uptimeMs: 1e9, appendOnly: true };
    guard.onRequest(request('acquire', 30_000));
    guard.onInspected(server('a', details));
    expect(guard.onInspected(server('a', { ...details, promoted: true, history: 'another' }))).toBe(true);
    expect(guard.leftMs()).toBe(30_000);
  });

  it('says for how long, what to do in tests, and the same words each time', () => {
    const { clock, guard } = setUp();
    guard.onRequest(request('acquire', 5000));
    lose(guard);
    const message = guard.reasonNotToVote(request('acquire'))?.message;
    expect(message).toBe(
      'quarantined, because it has lost its data and may have forgotten locks: it does not vote on this key for 5000 ms ' +
        "after that (tests that flush their server, and only they: restartGuard: 'off')",
    );
    clock.stall(4000);
    expect(guard.reasonNotToVote(request('acquire'))?.message).toBe(message);
  });

  it('goes by the ttl of the request, too, when this process has not used one as long', () => {
    const { guard } = setUp();
    guard.onInspected(server('a'));
    guard.onInspected(server('b'));
    expect(guard.reasonNotToVote(request('acquire', 60_000))?.message).toContain('60000 ms');
    expect(guard.leftMs()).toBe(0);
  });

  it('lets extensions and releases through, and what concerns the register of a job', () => {
    const { guard } = setUp();
    guard.onInspected(server('a'));
    guard.onInspected(server('b'));
    expect(guard.reasonNotToVote(request('extend'))).toBeUndefined();
    expect(guard.reasonNotToVote(request('release'))).toBeUndefined();
    expect(guard.reasonNotToVote(request('steer'))).toBeUndefined();
    expect(guard.reasonNotToVote(request('read'))).toBeUndefined();
    expect(guard.reasonNotToVote(request('confirm'))).toBeDefined();
  });

  it('trusts a restart with an append-only file, as long as the marker is the same', () => {
    const { guard } = setUp();
    guard.onInspected(server('a', { appendOnly: true }));
    expect(guard.onMarker('m')).toBe(false);
    expect(guard.onInspected(server('b', { appendOnly: true }))).toBe(false);
    expect(guard.onMarker('m')).toBe(false);
    expect(guard.reasonNotToVote(request('acquire'))).toBeUndefined();
    expect(guard.onMarker('other')).toBe(true);
    expect(guard.reasonNotToVote(request('acquire'))?.message).toContain('has lost its data');
  });

  it('a tick that has run keeps a server from voting on that tick, and on nothing else', () => {
    const { clock, guard } = setUp();
    const tick = { key: 'tick', ttlMs: 86_400_000, quarantineMs: 60_000, staysBehind: true };
    guard.onRequest(on('job', {}, tick));
    lose(guard);
    expect(waitOf(guard, on('job', {}, tick))).toBe(60_000);
    expect(waitOf(guard, on('job'))).toBe(1000);
    expect(waitOf(guard, on('order:1'))).toBe(1000);
    clock.stall(1000);
    expect(guard.leftMs()).toBe(0);
    expect(guard.reasonNotToVote(on('order:1'))).toBeUndefined();
    expect(waitOf(guard, on('job', {}, tick))).toBe(59_000);
  });

  it('the hold of an interval of a day concerns its own key', () => {
    const { guard } = setUp();
    const hold = { key: 'hold', ttlMs: 86_400_000, staysBehind: true };
    guard.onRequest(on('stats', {}, hold));
    lose(guard);
    expect(waitOf(guard, on('stats', {}, hold))).toBe(86_400_000);
    expect(waitOf(guard, on('order:1'))).toBe(1000);
  });

  it('a minHold concerns its own key, also for those who ask for that key without one', () => {
    const { guard } = setUp();
    guard.onRequest(on('stats', { quarantineMs: 3_600_000 }));
    lose(guard);
    expect(waitOf(guard, on('stats'))).toBe(3_600_000);
    expect(waitOf(guard, on('order:1'))).toBe(1000);
  });

  it('what a release leaves behind concerns its own key', () => {
    const { guard } = setUp();
    guard.onRequest(on('stats'));
    guard.onRequest({ ...request('release'), claims: [{ key: 'stats', ttlMs: 500_000 }] });
    lose(guard);
    expect(waitOf(guard, on('stats'))).toBe(500_000);
    expect(waitOf(guard, on('order:1'))).toBe(1000);
  });

  it('a ttl that an extension makes longer counts for all keys', () => {
    const { guard } = setUp();
    guard.onRequest(on('k'));
    guard.onRequest({ ...request('extend', 30_000) });
    lose(guard);
    expect(waitOf(guard, on('other'))).toBe(30_000);
  });

  it('remembers a thousand long holds; one more that still runs counts for all keys, one that is over for none', () => {
    const { clock, guard } = setUp();
    guard.onRequest(on('long', { quarantineMs: 50_000 }));
    for (let i = 0; i < 1000; i++) guard.onRequest(on(`k${i}`, { quarantineMs: 5000 }));
    lose(guard);
    expect(waitOf(guard, on('order:1'))).toBe(50_000);

    const other = new RestartGuard('witnessed', clock);
    other.onRequest(on('long', { quarantineMs: 50_000 }));
    clock.stall(50_000);
    for (let i = 0; i < 1000; i++) other.onRequest(on(`k${i}`, { quarantineMs: 5000 }));
    lose(other);
    expect([waitOf(other, on('order:1')), waitOf(other, on('k0'))]).toEqual([1000, 5000]);
  });

  it('a process that has not seen the server before keeps it out for the rest of the time, where a witness noticed a loss', () => {
    const { clock, guard } = setUp();
    guard.onRequest(request('acquire', 10_000));
    expect(guard.onMarker('m@1', 4000)).toBe(true);
    expect(guard.reasonNotToVote(request('acquire'))?.message).toMatch(
      /^quarantined, because it has lost its data and .* for 10000 ms after that/,
    );
    clock.stall(5999);
    expect(guard.leftMs()).toBe(1);
    // Other requests may have left before the first one was answered.
    expect(guard.onMarker('m@1', 9999)).toBe(false);
    clock.stall(1);
    expect(guard.reasonNotToVote(request('acquire'))).toBeUndefined();
  });

  it('a loss that was noticed long ago, or never, keeps no newcomer waiting; one that it sees itself counts from then', () => {
    for (const lostForMs of [undefined, 86_400_000]) {
      const { guard } = setUp();
      guard.onRequest(request('acquire', 10_000));
      guard.onMarker('m@1', lostForMs);
      expect(guard.leftMs()).toBe(0);
      expect(guard.onMarker('n@2')).toBe(true);
      expect(guard.leftMs()).toBe(10_000);
    }
  });

  it('has the marker changed where it knows of a loss that the marker does not tell of, and of no other', () => {
    const { guard } = setUp();
    guard.onInspected(server('a'));
    guard.onMarker('m');
    expect(guard.isMarkerOld).toBe(false);
    // A snapshot brings the old marker back, and so does a replica that takes over.
    guard.onInspected(server('b'));
    expect(guard.isMarkerOld).toBe(true);
    guard.onMarker('m');
    expect(guard.isMarkerOld).toBe(true);
    guard.onMarker('n@1');
    expect(guard.isMarkerOld).toBe(false);
    guard.onInspected(server('b', { promoted: true, history: 'another' }));
    expect(guard.isMarkerOld).toBe(true);

    const strict = setUp('strict').guard;
    strict.onInspected(server('a'));
    expect(strict.isMarkerOld).toBe(false);
  });

  it('strict: also keeps a young server out that nobody has seen before, and trusts no restart', () => {
    const { guard } = setUp('strict');
    guard.onRequest(request('acquire', 10_000));
    expect(guard.onInspected(server('a', { uptimeMs: 3000, appendOnly: true }))).toBe(true);
    expect(guard.leftMs()).toBe(7000);
    expect(guard.onInspected(server('a', { uptimeMs: 20_000 }))).toBe(false);
    expect(guard.onInspected(server('b', { uptimeMs: 0, appendOnly: true }))).toBe(true);
    expect(guard.leftMs()).toBe(10_000);
  });

  it('off: trusts everything', () => {
    const { guard } = setUp('off');
    guard.onInspected(server('a'));
    guard.onInspected(server('b'));
    expect(guard.reasonNotToVote(request('acquire'))).toBeUndefined();
  });
});

describe('P13: what INFO says', () => {
  it('is read', () => {
    const text =
      '# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\nuptime_in_seconds:12\r\nrole:slave\r\nmaxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\naof_enabled:1\r\nredis_mode:standalone\r\n';
    expect(parseInfo(text)).toEqual({
      runId: 'abc',
      uptimeMs: 11_000,
      version: '7.0.15',
      loading: false,
      replica: true,
      promoted: false,
      history: undefined,
      cluster: false,
      sentinel: false,
      appendOnly: true,
      rewriting: false,
      evicts: 'allkeys-lru',
    });
  });

  it('tells a master that was a replica before', () => {
    const promoted = (id: string): boolean => parseInfo(`role:master\r\nmaster_replid2:${id}\r\n`).promoted;
    expect([promoted('c830c89d3d08'), promoted('000000000000')]).toEqual([true, false]);
  });

  it('is remarked on where it endangers locks', () => {
    expect(warningsOn(server('a', { appendOnly: true }))).toEqual([]);
    expect(warningsOn(server('a', { loading: true }))).toEqual([]);
    expect(warningsOn(server('a', { evicts: 'allkeys-lru', cluster: true, appendOnly: true }))).toEqual([
      { code: 'may-evict', message: expect.stringContaining('allkeys-lru') },
      { code: 'cluster-node', message: expect.stringContaining('Cluster client') },
    ]);
    expect(warningsOn(server('a'))).toEqual([
      { code: 'no-append-only-file', message: expect.stringContaining('append-only') },
    ]);
  });
});
