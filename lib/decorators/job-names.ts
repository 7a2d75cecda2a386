import { InvalidOptionsError } from '../core/errors/index.js';
import { SAME_JOB } from '../redlock.messages.js';
import type { LockedMethod } from './locked-method.js';

/** The scheduled method of one host that has a name. */
interface Owner {
  readonly host: object;
  readonly propertyKey: string | symbol;
  /** Under which Nest provides the host; unknown of one that was not there at boot. */
  readonly token: unknown;
  /** `Class.method`, with the class of the host. */
  readonly label: string;
  /** Of a name that a key function has made: for which second. Another second's is no name any more. */
  readonly forSecond: number | undefined;
  readonly isMade: boolean;
}

/** The jobs of one lock service, and of those that share its locks. */
class JobNames {
  readonly #owners = new Map<string, Owner>();
  /** The name that a host's method has now: that of a key function may change from run to run. */
  readonly #names = new WeakMap<object, Map<string | symbol, string>>();

  claim(name: string, owner: Owner): Owner | undefined {
    const other = this.#owners.get(name);
    const isOld = other?.isMade === true && owner.forSecond !== undefined && other.forSecond !== owner.forSecond;
    if (other !== undefined && !isOld && !isSameJob(other, owner)) return other;
    let names = this.#names.get(owner.host);
    if (names === undefined) this.#names.set(owner.host, (names = new Map<string | symbol, string>()));
    const before = names.get(owner.propertyKey);
    if (
      before !== undefined &&
      before !== name &&
      this.#owners.get(before)?.host === owner.host &&
      this.#owners.get(before)?.propertyKey === owner.propertyKey
    )
      this.#owners.delete(before);
    names.set(owner.propertyKey, name);
    if (other === undefined || owner.isMade) this.#owners.set(name, owner);
    return undefined;
  }

  release(host: object): void {
    for (const name of this.#names.get(host)?.values() ?? [])
      if (this.#owners.get(name)?.host === host) this.#owners.delete(name);
    this.#names.delete(host);
  }
}

const known = new WeakMap<object, JobNames>();

/** Under which Nest provides a host, as it was at boot: the call of a host does not say so. */
const tokens = new WeakMap<object, unknown>();

export function noteToken(host: object, token: unknown): void {
  tokens.set(host, token);
}

/** Two instances of one application that lock on the same servers under the same prefix have their names in common. */
export function shareJobNames(service: object, other: object): void {
  known.set(service, namesOf(other));
}

function namesOf(service: object): JobNames {
  let names = known.get(service);
  if (names === undefined) known.set(service, (names = new JobNames()));
  return names;
}

/**
 * Notes the name under which a job claims its ticks.
 *
 * @param jobOrKey the name; where it has none, its key or keys
 * @throws InvalidOptionsError where another job has that name: only one of them would run
 */
export function claimJobName(
  service: object,
  method: LockedMethod,
  { host }: Pick<Owner, 'host'>,
  jobOrKey: string | string[],
  firedAtMs?: number,
): void {
  const names = [...new Set([jobOrKey].flat())].toSorted();
  const owner = {
    host,
    token: tokens.get(host),
    propertyKey: method.propertyKey,
    label: labelOf(method, host),
    forSecond: firedAtMs === undefined ? undefined : Math.round(firedAtMs / 1000),
    isMade: method.options.job === undefined && typeof method.key === 'function',
  };
  const other = namesOf(service).claim(names.join(', '), owner);
  if (other !== undefined) throw new InvalidOptionsError('job', SAME_JOB(names.join('", "'), other.label, owner.label));
}

/** The jobs of this host are no more: others may have their names. */
export function releaseJobNames(service: object, host: object): void {
  namesOf(service).release(host);
}

/** The same class provided in two modules, or made for two consumers, is one job. */
function isSameJob(one: Owner, other: Owner): boolean {
  if (one.propertyKey !== other.propertyKey) return false;
  if (one.host === other.host) return true;
  const sameToken = one.token === undefined || other.token === undefined || one.token === other.token;
  return one.host.constructor === other.host.constructor && sameToken;
}

function labelOf({ label, propertyKey }: LockedMethod, host: object): string {
  if (host.constructor === Object) return label; // It was added by hand, and has no class.
  const own = `${host.constructor.name}.${String(propertyKey)}`;
  return own === label ? label : `${own} (${label})`;
}
