/*
 * Which shard a key belongs to, by rendezvous hashing: for every key each shard has a weight, and the heaviest has the key. A
 * shard that is added takes only the keys for which it is the heaviest, about 1/n of them, and no other key moves.
 *
 * All replicas must come to the same answer, also those of the version before: what is computed here must never change.
 *
 * Source: Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous", 1996.
 */

const { imul } = Math;

/** What a shard is to everybody: the names of its servers, in whatever order they and the shards are listed. */
export function shardIdentity(servers: readonly string[]): string {
  return JSON.stringify(servers.toSorted());
}

/** The index of the shard that has the key. */
export function shardOf(key: string, identities: readonly string[]): number {
  const weights = identities.map((identity) => weightOf(identity, key));
  return weights.indexOf(Math.max(...weights));
}

/** 53 bits, as many as a number carries: two shards of the same weight are nothing to reckon with. */
function weightOf(identity: string, key: string): number {
  const text = `${identity}\n${key}`;
  return hash(text, 0x2545f491) * 2 ** 21 + (hash(text, 0x9e3779b9) >>> 11);
}

/** 32 bits. Each step can be undone, so no state is lost on the way, and the end lets every bit decide about every other. */
function hash(text: string, seed: number): number {
  let state = seed;
  for (let index = 0; index < text.length; index++) {
    state = imul(state ^ text.charCodeAt(index), 0x5bd1e995);
    state ^= state >>> 15;
  }
  state = imul(state ^ (state >>> 16), 0x85ebca6b);
  state = imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
