import { expectMatch } from './expect-match.js';
import { counted } from './requests.js';
import type { Cancel } from '../core/ports/clock.js';
import type { LockNode, NodeReply, NodeRequest } from '../core/ports/lock-node.js';

/**
 * A lock node, and what a case must be able to do to it from outside.
 *
 * @publicApi
 */
export interface ContractNode {
  /** It is ready, and nothing is stored in it that was not stored by a case. */
  readonly node: LockNode;

  /** Lets this many milliseconds pass for the node: a timer, or a virtual clock. */
  pass(ms: number): Promise<void>;

  /** Makes the node forget everything, as a server that loses its data. */
  flush(): Promise<void>;

  /** Settles with the replies. Default: `node.execute` as a promise. A node on a virtual clock lets its time pass here. */
  ask?(requests: readonly NodeRequest[]): Promise<readonly NodeReply[]>;

  /** Called after each case. */
  close?(): Promise<void> | void;
}

/** What a case is written with. */
export interface Probe {
  readonly ask: (...requests: NodeRequest[]) => Promise<readonly NodeReply[]>;
  readonly pass: (ms: number) => Promise<void>;
  readonly flush: () => Promise<void>;
  /** Acquires the keys with their counters, and returns the number of the grant. */
  readonly grant: (token: string, ...keys: string[]) => Promise<number>;
  /** Listens on the channel, and resolves when the node publishes everything from now on. */
  readonly listen: (channel: string) => Promise<Ear>;
}

/** A listener, and what it has received. */
export interface Ear {
  readonly told: readonly number[];
  /** Waits until it has received this many messages, and makes sure that no more come. */
  hears(times: number): Promise<void>;
  cancel(): void;
}

export type Cases = Readonly<Record<string, (probe: Probe) => Promise<void>>>;

const MOST_PAUSES = 500;
const PAUSE_MS = 10;

/** Runs one case against a node, and cancels what it has left behind. */
export async function runCase(subject: ContractNode, run: (probe: Probe) => Promise<void>): Promise<void> {
  const cancels: Cancel[] = [];
  try {
    await run(toProbe(subject, cancels));
  } finally {
    for (const cancel of cancels) cancel();
    await subject.close?.();
  }
}

function toProbe(subject: ContractNode, cancels: Cancel[]): Probe {
  const ask = (...requests: NodeRequest[]): Promise<readonly NodeReply[]> =>
    subject.ask?.(requests) ?? execute(subject.node, requests);
  return {
    ask,
    pass: (ms) => subject.pass(ms),
    flush: () => subject.flush(),
    grant: async (token, ...keys) => {
      const replies = await ask(counted('acquire', token, ...keys));
      expectMatch(replies, [{ outcome: 'granted' }]);
      return (replies[0] as { fence: number }).fence;
    },
    listen: (channel) => listen(subject, channel, cancels),
  };
}

function execute(node: LockNode, requests: readonly NodeRequest[]): Promise<readonly NodeReply[]> {
  return new Promise((resolve, reject) => {
    node.execute(requests, resolve, reject);
  });
}

async function listen(subject: ContractNode, channel: string, cancels: Cancel[]): Promise<Ear> {
  const told: number[] = [];
  let isHearing = false;
  const cancel = subject.node.listen(channel, {
    onHearing: (hears) => (isHearing = hears),
    onReleased: (count) => told.push(count),
  });
  cancels.push(cancel);
  await until(subject, () => isHearing, `the node to listen on channel ${channel}`);
  const hears = async (times: number): Promise<void> => {
    await until(subject, () => told.length >= times, `${times} messages on channel ${channel}`);
    await subject.pass(2 * PAUSE_MS);
    expectMatch({ messages: told.length }, { messages: times });
  };
  return { told, cancel, hears };
}

async function until(subject: ContractNode, condition: () => boolean, what: string): Promise<void> {
  for (let pauses = 0; !condition(); pauses++) {
    if (pauses > MOST_PAUSES) throw new Error(`Waited ${MOST_PAUSES * PAUSE_MS} ms in vain for ${what}.`);
    await subject.pass(PAUSE_MS);
  }
}
