/** What a script call sees of the server that runs it. */
export interface ScriptHost {
  get(key: string): string | undefined;
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

interface ScriptClaim {
  readonly key: string;
  readonly ms: number;
  readonly counter: string | undefined;
  readonly channel: string;
}

type Raw = readonly (number | string)[];
const COUNTER_MS = 30 * 24 * 3600 * 1000;

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
    marker = found ?? String(args[keyCount + 2]);
    if (found === undefined) host.set(key, marker, Infinity);
    forgotten = expected !== '' && expected !== marker;
  }

  const replies: unknown[] = [marker];
  while (a < args.length) {
    const [op, token, owner, fence, grantedFence, count] = args.slice(a, a + 6);
    const claims: ScriptClaim[] = [];
    a += 6;
    for (let i = 0; i < Number(count); i++, a += 3) {
      const key = String(args[k++]);
      const counter = Number(args[a + 1]) === 1 ? String(args[k++]) : undefined;
      claims.push({ key, ms: Number(args[a]), counter, channel: String(args[a + 2]) });
    }
    const may = !forgotten || (op !== 'A' && op !== 'C');
    replies.push(
      may ? carryOut(host, String(op), String(token), String(owner), Number(fence), Number(grantedFence), claims) : [3],
    );
  }
  return replies;
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
    const removed = claims.filter(({ key }) => {
      const value = host.get(key);
      return (value === token || value?.startsWith(`${token} `)) && host.del(key) > 0;
    });
    return removed.length === 0 ? [2] : [1, Math.max(...removed.map((claim) => tell(host, claim)))];
  }
  const mine = `${token} `;
  const numbers: (number | undefined)[] = [];
  for (const [index, { key }] of claims.entries()) {
    const value = host.get(key);
    const ours = value?.startsWith(mine) === true;
    numbers.push(ours ? parseInt(value.slice(mine.length), 10) : undefined);
    if (value !== undefined && !ours && ['A', 'E', 'H', 'I'].includes(op)) {
      return [0, index + 1, value, host.pttl(key)];
    }
    if (op === 'C' && numbers[index] !== grantedFence) return [2];
  }
  if (op === 'I') return [1];

  const all = !numbers.includes(undefined);
  let number = fence;
  if (op === 'A') number = all ? Math.max(0, ...numbers.map((each) => each ?? 0)) : countOn(host, claims);
  let heard = 0;
  claims.forEach((claim, index) => {
    const has = numbers[index] !== undefined;
    if (op === 'C') catchUp(host, claim, fence);
    else if ((op === 'E' || op === 'H') && has) {
      host.expire(claim.key, claim.ms);
      tell(host, claim);
    } else if (op === 'A' || op === 'H') {
      host.set(claim.key, `${mine}${number} ${owner}`, claim.ms);
      if (op === 'H') catchUp(host, claim, fence);
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

function countOn(host: ScriptHost, claims: readonly ScriptClaim[]): number {
  let highest: number | undefined;
  for (const { counter } of claims) {
    if (counter === undefined) continue;
    highest = Math.max(highest ?? 0, Number(host.get(counter) ?? host.timeUs()));
  }
  if (highest === undefined) return 0;
  for (const claim of claims) if (claim.counter !== undefined) raise(host, claim, highest + 1);
  return highest + 1;
}

function catchUp(host: ScriptHost, claim: ScriptClaim, number: number): void {
  if (claim.counter !== undefined && Number(host.get(claim.counter) ?? 0) < number) raise(host, claim, number);
}

function raise(host: ScriptHost, { counter = '', ms }: ScriptClaim, number: number): void {
  host.set(counter, String(number), Math.max(COUNTER_MS, 2 * ms));
}
