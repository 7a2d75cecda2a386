import { createHash } from 'node:crypto';
import { denyBy, noteIn, show, steer, type ScriptJob } from './model-register.js';

/** What a script call sees of the server that runs it. */
export interface ScriptHost {
  /** OTHER_TYPE where there is something else than a string. */
  get(key: string): string | typeof OTHER_TYPE | undefined;
  /** Milliseconds until it expires, or -1 for never. Of a key that is there. */
  pttl(key: string): number;
  set(key: string, value: string, ttlMs: number): void;
  /** Another value for a key that is there, which keeps its expiry. */
  replace(key: string, value: string): void;
  expire(key: string, ttlMs: number): void;
  /** How many were deleted. */
  del(key: string): number;
  /** How many listen to it. */
  subscribers(channel: string): number;
  /** How many were told. */
  publish(channel: string, message: string): number;
  /** Microseconds since 1970. */
  timeUs(): number;
}

export const OTHER_TYPE = Symbol('not a string');

export interface ScriptClaim {
  readonly key: string;
  readonly ms: number;
  readonly counter: string | undefined;
  readonly lifeMs: number;
  readonly channel: string;
}

export type Raw = readonly (number | string)[];
const MOST = 9e15;

/** Ends a request with this reply. */
export class Ended extends Error {
  constructor(readonly reply: Raw) {
    super();
  }
}

export interface ScriptRequest {
  readonly op: string;
  readonly owner: string;
  readonly flags: string;
  readonly token: string;
  readonly fence: number;
  readonly grantedFence: number;
  readonly claims: readonly ScriptClaim[];
  readonly job: ScriptJob | undefined;
}

/** Stands at the end of a value for which somebody waits. The script takes a byte that no UTF-8 has, and this is no text either. */
export const MARK = '\udcff';

/** The lock script in another language: what the contract suite finds alike in both may be believed of the simulation. */
export function runLockScript(host: ScriptHost, args: readonly (string | number)[]): unknown[] {
  const keyCount = Number(args[0]);
  const keys = args.slice(1, keyCount + 1).map(String);
  const [expected = '', proposal = '', ops = '', ...owners] = args.slice(keyCount + 1).map(String);
  let marker: unknown = expected;
  let forgotten = false;
  if (expected !== '-') ({ marker, forgotten } = readMarker(host, String(keys.shift()), expected, proposal));
  return [
    marker,
    ...requestsIn(ops, keys, owners).map((request) => {
      const may = !forgotten || (request.op !== 'A' && request.op !== 'C');
      return may
        ? shortened(
            request,
            orEnded(() => carryOut(host, request)),
          )
        : [3];
    }),
  ];
}

/** As lib/redis/scripts/marker.lua.ts. */
function readMarker(
  host: ScriptHost,
  key: string,
  expected: string,
  proposal: string,
): { marker: unknown; forgotten: boolean } {
  const value = host.get(key);
  const found = typeof value === 'string' ? value.slice(0, 100) : '';
  if (found !== '' && found === expected) return { marker: found, forgotten: false };
  const lost = expected.startsWith('!');
  const known = lost ? expected.slice(1) : expected;
  const forgotten = lost || (known !== '' && found !== known);
  const nowMs = Math.floor(host.timeUs() / 1000);
  const time = timeIn(found);
  const isOld = found === known || time === undefined || time < (timeIn(known) ?? 0);
  if (found === '' || (forgotten && isOld)) {
    const marker = forgotten ? `${proposal}@${nowMs}` : proposal;
    host.set(key, marker, Infinity);
    return { marker, forgotten };
  }
  const marker = known === '' && time !== undefined ? [found, Math.max(0, nowMs - time)] : found;
  return { marker, forgotten };
}

function timeIn(marker: string): number | undefined {
  const [, digits] = /@(\d{1,15})$/.exec(marker) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** Lengths are in bytes, so it is read as such. */
function requestsIn(ops: string, keys: string[], owners: readonly string[]): ScriptRequest[] {
  const bytes = Buffer.from(ops).toString('latin1');
  let at = 0;
  const read = (form: RegExp): string[] => {
    form.lastIndex = at;
    const found = form.exec(bytes);
    if (found === null) throw new Error(`not a request of the lock script: ${JSON.stringify(bytes.slice(at))}`);
    at = form.lastIndex;
    return found.slice(1);
  };
  const requests: ScriptRequest[] = [];
  while (at < bytes.length) {
    const [op = '', whose, flags = '', token = '', fence, grantedFence, n] = read(
      /([A-Z])(\d+)([a-z]*) (\S*) (\d+) (\d+) (\d+)/y,
    );
    const claims = Array.from({ length: Number(n) }, (): ScriptClaim => {
      const [ms, life, length] = read(/ (\d+) (\d+) (\d+):/y).map(Number) as [number, number, number];
      const channel = Buffer.from(bytes.slice(at, at + length), 'latin1').toString();
      at += length;
      const key = String(keys.shift());
      return { key, ms, counter: life > 0 ? String(keys.shift()) : undefined, lifeMs: life, channel };
    });
    let job: ScriptJob | undefined;
    if (n?.startsWith('0')) {
      const length = Number(read(/ (\d+):/y)[0]);
      job = { key: String(keys.shift()), text: bytes.slice(at, at + length) };
      at += length;
    }
    const owner = owners[Number(whose) - 1] ?? '';
    requests.push({ op, owner, flags, token, fence: Number(fence), grantedFence: Number(grantedFence), claims, job });
  }
  return requests;
}

/** The script answers so where one claim is free, released or extended, and nothing more is to be said. */
function shortened({ op, claims, job }: ScriptRequest, reply: Raw): Raw | string {
  const [done, number = 0, gone = 0] = reply;
  const isPlain = claims.length === 1 && job === undefined && done === 1 && gone === 0;
  return isPlain && ['A', 'R', 'E'].includes(op) ? `+${number}` : reply;
}

function orEnded(run: () => Raw): Raw {
  try {
    return run();
  } catch (error) {
    if (error instanceof Ended) return error.reply;
    throw error;
  }
}

function carryOut(host: ScriptHost, request: ScriptRequest): Raw {
  const { op, owner, flags, token, fence, grantedFence, claims, job } = request;
  if (op === 'T') {
    for (const claim of claims) tell(host, claim);
    return [1];
  }
  if (op === 'D') return remove(host, token, claims);
  if (op === 'P' && job) return steer(host, job);
  if (op === 'J' && job) return show(host, job, showHolder(host, claims[0]?.key ?? ''));
  const denial = op === 'A' && job ? denyBy(host, job, request) : undefined;
  if (denial) return denial;
  const held: (ScriptHolder | undefined)[] = [];
  for (const [index, { key }] of claims.entries()) {
    const holder = holderOf(host, key);
    const ours = holder?.token === token;
    held.push(ours ? holder : undefined);
    const yields = job?.text.startsWith('a ') && index > 0 && index === claims.length - 1;
    if (holder !== undefined && !ours && !yields && ['A', 'E', 'H', 'I'].includes(op)) {
      if (flags.includes('w')) markWaiting(host, key, holder);
      return [0, index + 1, host.pttl(key), holder.token, holder.number, holder.owner];
    }
    if (op === 'C' && held[index]?.number !== grantedFence) return [2];
  }
  if (op === 'I') return [1];

  const all = !held.includes(undefined);
  const counts = op === 'C' || op === 'H' || (op === 'A' && !all) ? readCounters(host, claims) : [];
  let number = fence;
  if (op === 'A')
    number = all ? Math.max(0, ...held.map((each) => each?.number ?? 0)) : countOn(host, claims, counts, fence);
  const version = op === 'A' && job ? noteIn(host, job, request, number) : 0;
  let heard = 0;
  claims.forEach((claim, index) => {
    const holder = held[index];
    if (op === 'C') catchUp(host, claim, counts[index], fence);
    else if ((op === 'E' || op === 'H') && holder !== undefined) {
      host.expire(claim.key, claim.ms);
      if (claim.counter !== undefined) host.expire(claim.counter, claim.lifeMs);
      if (holder.waits) tell(host, claim);
    } else if (op === 'A' || op === 'H') {
      const waits = op === 'H' || flags.includes('g') || holder?.waits === true;
      const value = `${token} ${number} ${owner}${waits ? MARK : ''}`;
      host.set(claim.key, value, claim.ms);
      if (op === 'H') catchUp(host, claim, counts[index], fence);
    } else if (op === 'R' && holder !== undefined) {
      if (claim.ms > 0) host.expire(claim.key, claim.ms);
      else host.del(claim.key);
      if (holder.waits) heard = Math.max(heard, tell(host, claim));
    }
  });
  if (op === 'A') return job ? [1, number, version] : [1, number];
  if (op === 'R' && job) orEnded(() => [noteIn(host, job, request, fence)]);
  if (op === 'R') return [1, heard, all ? 0 : 1];
  return op !== 'C' && !all ? [2] : [1];
}

function remove(host: ScriptHost, token: string, claims: readonly ScriptClaim[]): Raw {
  let removed = false;
  let heard = 0;
  for (const claim of claims) {
    const holder = holderOf(host, claim.key);
    if (holder?.token !== token || host.del(claim.key) === 0) continue;
    removed = true;
    if (holder.waits || holder.value === undefined) heard = Math.max(heard, tell(host, claim));
  }
  return removed ? [1, heard] : [2];
}

/** One that never expires is not ours, and nobody listens for its end. */
function markWaiting(host: ScriptHost, key: string, { value, waits }: ScriptHolder): void {
  if (value !== undefined && !waits && host.pttl(key) > 0 && value.length < 800) host.replace(key, value + MARK);
}

function tell(host: ScriptHost, { channel }: ScriptClaim): number {
  if (channel === '') return 0;
  const listeners = host.subscribers(channel);
  host.publish(channel, String(listeners));
  return listeners;
}

interface ScriptHolder {
  readonly token: string;
  readonly number: number;
  readonly owner: string;
  /** Whether the value has the mark of those who wait. */
  readonly waits: boolean;
  /** Of a lock of ours, with the mark. */
  readonly value: string | undefined;
}

const FOREIGN = { number: 0, owner: '', waits: false, value: undefined };

export function holderOf(host: ScriptHost, key: string): ScriptHolder | undefined {
  const found = host.get(key);
  if (found === undefined) return undefined;
  if (found === OTHER_TYPE) return { token: 'foreign:type', ...FOREIGN };
  const value = found.slice(0, 800);
  const [, token, digits, rest] = /^([!-~]+) (\d+) (.*)$/s.exec(value) ?? [];
  const number = numberOf(digits ?? '');
  if (token !== undefined && rest !== undefined && number !== undefined) {
    const waits = rest.endsWith(MARK);
    return { token, number, owner: waits ? rest.slice(0, -MARK.length) : rest, waits, value };
  }
  const digest = createHash('sha1').update(value, 'latin1').digest('hex');
  return { token: `foreign:${digest}`, ...FOREIGN };
}

function showHolder(host: ScriptHost, key: string): Raw {
  const holder = holderOf(host, key);
  return holder ? [host.pttl(key), holder.token, holder.number, holder.owner] : [];
}

function numberOf(text: string): number | undefined {
  return /^\d{1,16}$/.test(text) && Number(text) < MOST ? Number(text) : undefined;
}

function readCounters(host: ScriptHost, claims: readonly ScriptClaim[]): readonly (number | undefined)[] {
  return claims.map(({ counter }, index) => {
    const value = counter === undefined ? undefined : host.get(counter);
    if (value === undefined) return undefined;
    const number = value === OTHER_TYPE ? undefined : numberOf(value);
    if (number !== undefined && number + 1 < MOST) return number;
    throw new Ended([4, index + 1, value === OTHER_TYPE ? 'something else than a string' : `"${value.slice(0, 40)}"`]);
  });
}

type Counts = readonly (number | undefined)[];

function countOn(host: ScriptHost, claims: readonly ScriptClaim[], counts: Counts, leastStart: number): number {
  let highest: number | undefined;
  claims.forEach((claim, index) => {
    if (claim.counter === undefined) return;
    highest = Math.max(highest ?? 0, counts[index] ?? startOfCount(host, claim, leastStart));
  });
  if (highest === undefined) return 0;
  for (const claim of claims) if (claim.counter !== undefined) raise(host, claim, highest + 1);
  return highest + 1;
}

function startOfCount(host: ScriptHost, { lifeMs }: ScriptClaim, leastStart: number): number {
  const nowMs = Math.floor(host.timeUs() / 1000);
  return Math.max(leastStart, (nowMs - (nowMs % Math.min(60_000, lifeMs))) * 1000);
}

function catchUp(host: ScriptHost, claim: ScriptClaim, count: number | undefined, number: number): void {
  if (claim.counter !== undefined && (count ?? 0) < number) raise(host, claim, number);
}

function raise(host: ScriptHost, { counter = '', lifeMs }: ScriptClaim, number: number): void {
  host.set(counter, String(number), lifeMs);
}
