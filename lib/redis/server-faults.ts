/** What is wrong with a server, as its own words or those of the network say it. */
export type FaultCode = (typeof FAULTS)[number][1] | 'unreachable' | 'refuses';

/** In this order: the words of a later line may stand in an error of an earlier one. */
const FAULTS = [
  [/counter of its fencing tokens/, 'fencing-counter'],
  [/listed twice/, 'duplicate'],
  [/cannot be selected/, 'database'],
  [/\bNOAUTH\b/, 'needs-password'],
  [/\bWRONGPASS\b|invalid (username-)?password/i, 'wrong-password'],
  [/\bDENIED\b/, 'protected-mode'],
  [/max number of clients/, 'too-many-clients'],
  [/\bLOADING\b/, 'loading'],
  [/is a Sentinel/, 'sentinel'],
  [/\bREADONLY\b|\bMASTERDOWN\b|is a replica/, 'replica'],
  [/\bOOM\b/, 'full'],
  [/\bNOREPLICAS\b/, 'few-replicas'],
  [/\bMISCONF\b/, 'disk'],
  [/\b(CLUSTERDOWN|MOVED|ASK|CROSSSLOT)\b/, 'cluster'],
  [/\b(BUSY|UNKILLABLE)\b/, 'busy'],
  [/unknown (redis )?command|compile|lock script|of the lock/i, 'no-scripts'],
  [/\bNOPERM\b|no permission|user executing the script|ACL failure/i, 'no-permission'],
  [/may speak no TLS|TLS handshake|wrong version number/, 'no-tls'],
  [/it needs a rediss/, 'needs-tls'],
  [/certificate|altnames|self[- ]signed|signature|unable to verify/i, 'certificate'],
  [/\b(ENOTFOUND|EAI_AGAIN)\b/, 'unknown-host'],
  [/no answer|not ready within/, 'silent'],
] as const;

/** The fault that these words tell of. `otherwise` is for words of no known fault. */
export function faultIn(message: string, otherwise: 'unreachable' | 'refuses'): FaultCode {
  return FAULTS.find(([words]) => words.test(message))?.[1] ?? otherwise;
}

/** A refusal of one of these kinds concerns no key but those of the request. */
const OF_SOME_KEYS: readonly FaultCode[] = ['fencing-counter', 'refuses'];

/** Whether a server that refuses a request with this error may refuse all others, too. */
export function mayRefuseAll(message: string): boolean {
  return !OF_SOME_KEYS.includes(faultIn(message, 'refuses'));
}

/** Whether a server refuses because it is a replica. It may take over later, without all the data that there were: it must be noticed before. */
export function isOfReplica(message: string): boolean {
  return faultIn(message, 'refuses') === 'replica';
}
