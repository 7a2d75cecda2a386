import type { Member } from './server-group.js';

/** The servers of an instance by their run ids. A server that is listed under two names has one vote. */
export type Identities = Map<string, Member>;

/** Enters the run id of a server. Returns the name of a different server that has this run id already. */
export function duplicateOf(identities: Identities, server: Member, runId: string | undefined): string | undefined {
  forget(identities, server);
  if (runId === undefined) return undefined;
  const other = identities.get(runId);
  if (other === undefined) identities.set(runId, server);
  return other?.name;
}

/** A server that cannot be reached has no vote, so another name of it may have one. */
export function forget(identities: Identities, server: Member): void {
  for (const [id, owner] of identities) if (owner === server) identities.delete(id);
}
