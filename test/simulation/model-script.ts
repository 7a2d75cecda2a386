import { createHash } from 'node:crypto';

/** What a script call sees of the server that runs it. */
export interface ScriptHost {
  /** OTHER_TYPE where there is something else than a string. */
  get(key: string): string | typeof OTHER_TYPE | undefined;
  /** Milliseconds until it expires, or -1 for never. Of a key that is there. */
  pttl(key: string): number;
  set(key: string, value: string, ttlMs: number): void;
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

interface ScriptClaim {
  readonly key: string;
  readonly ms: number;
  readonly counter: string | undefined;
  readonly lifeMs: number;
  readonly channel: string;
}

type Raw = readonly (number | string)[];
const MOST = 9e15;

/** Ends a request with this reply. */
class Ended extends Error {
  constructor(readonly reply: Raw) {
    super();
  }
}

/** The lock script in another language: what the contract suite finds alike in both may be believed of the simulation. */
export function runLockScript(host: ScriptHost, args: readonly (string | number)[]): unknown[] {
  const keyCount = Number(args[0]);
  let k = 1;
  let a = keyCount + 3;
  const expected = String(args[keyCount + 1]);
  let marker = expected;
  let forgotten = false;
  if (expected !== '-') {
    const key = String(args[k++]);
    const found = host.get(key);
    marker = typeof found === 'string' ? found.slice(0, 100) : '';
    if (marker === '') {
      marker = String(args[keyCount + 2]);
      host.set(key, marker, Infinity);
    }
    forgotten = expected !== '' && expected !== marker;
  }

  const replies: unknown[] = [marker];
  while (a < args.length) {
    const [op, token, owner, fence, grantedFence, count] = args.slice(a, a + 6);
    const claims: ScriptClaim[] = [];
    a += 6;
    for (let i = 0; i < Number(count); i++, a += 3) {
      const key = String(args[k++]);
      const lifeMs = Number(args[a + 1]);
      const counter = lifeMs > 0 ? String(args[k++]) : undefined;
      claims.push({ key, ms: Number(args[a]), counter, lifeMs, channel: String(args[a + 2]) });
    }
    const may = !forgotten || (op !== 'A' && op !== 'C');
    const run = (): Raw =>
      carryOut(host, String(op), String(token), String(owner), Number(fence), Number(grantedFence), claims);
    replies.push(may ? orEnded(run) : [3]);
  }
  return replies;
}

function orEnded(run: () => Raw): Raw {
  try {
    return run();
  } catch (error) {
    if (error instanceof Ended) return error.reply;
    throw error;
  }
}

function carryOut(
  host: ScriptHost,
  op: string,
  token: string,
  owner: string,
  fence: number,
  grantedFence: number,
  claims: readonly ScriptClaim[],
): Raw {
  if (op === 'T') {
    for (const claim of claims) tell(host, claim);
    return [1];
  }
  if (op === 'D') {
    const removed = claims.filter(({ key }) => holderOf(host, key)?.token === token && host.del(key) > 0);
    return removed.length === 0 ? [2] : [1, Math.max(...removed.map((claim) => tell(host, claim)))];
  }
  const numbers: (number | undefined)[] = [];
  for (const [index, { key }] of claims.entries()) {
    const holder = holderOf(host, key);
    const ours = holder?.token === token;
    numbers.push(ours ? holder.number : undefined);
    if (holder !== undefined && !ours && ['A', 'E', 'H', 'I'].includes(op)) {
      return [0, index + 1, host.pttl(key), holder.token, holder.number, holder.owner];
    }
    if (op === 'C' && numbers[index] !== grantedFence) return [2];
  }
  if (op === 'I') return [1];

  const all = !numbers.includes(undefined);
  const counts = op === 'C' || op === 'H' || (op === 'A' && !all) ? readCounters(host, claims) : [];
  let number = fence;
  if (op === 'A')
    number = all ? Math.max(0, ...numbers.map((each) => each ?? 0)) : countOn(host, claims, counts, fence);
  let heard = 0;
  claims.forEach((claim, index) => {
    const has = numbers[index] !== undefined;
    if (op === 'C') catchUp(host, claim, counts[index], fence);
    else if ((op === 'E' || op === 'H') && has) {
      host.expire(claim.key, claim.ms);
      if (claim.counter !== undefined) host.expire(claim.counter, claim.lifeMs);
      tell(host, claim);
    } else if (op === 'A' || op === 'H') {
      host.set(claim.key, `${token} ${number} ${owner}`, claim.ms);
      if (op === 'H') catchUp(host, claim, counts[index], fence);
    } else if (op === 'R' && has) {
      if (claim.ms > 0) host.expire(claim.key, claim.ms);
      else host.del(claim.key);
      heard = Math.max(heard, tell(host, claim));
    }
  });
  if (op === 'A') return [1, number];
  if (op === 'R') return [1, heard, all ? 0 : 1];
  return op !== 'C' && !all ? [2] : [1];
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
}

function holderOf(host: ScriptHost, key: string): ScriptHolder | undefined {
  const value = host.get(key);
  if (value === undefined) return undefined;
  if (value === OTHER_TYPE) return { token: 'foreign:type', number: 0, owner: '' };
  const [, token, digits, owner] = /^([!-~]+) (\d+) (.*)$/s.exec(value.slice(0, 800)) ?? [];
  const number = numberOf(digits ?? '');
  if (token !== undefined && owner !== undefined && number !== undefined) return { token, number, owner };
  const digest = createHash('sha1').update(value.slice(0, 800), 'latin1').digest('hex');
  return { token: `foreign:${digest}`, number: 0, owner: '' };
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
