import { Contest } from '../test/e2e/waiting/contest.js';
import { start } from '../test/support/fleet.js';

/*
 * How soon a free lock is taken, and how long waiters wait: `npm run bench:waiting`. The numbers mean something only on a
 * machine that does nothing else.
 */

const ROUNDS = 20;

const quantile = (values: readonly number[], part: number): string =>
  (values.toSorted((one, other) => one - other)[Math.floor(values.length * part)] ?? NaN).toFixed(2).padStart(9);

const row = (name: string, values: readonly number[]): void => {
  console.log(
    `${name.padEnd(28)}${quantile(values, 0.5)}${quantile(values, 0.99)}${Math.max(...values)
      .toFixed(2)
      .padStart(9)}`,
  );
};

await using fleet = await start(3);
const contest = await Contest.begin(fleet);
try {
  for (const slowMs of [0, 20]) {
    await Promise.all(fleet.servers.map((server) => server.slow(slowMs)));
    const spells = await contest.work(ROUNDS);
    const alone = await contest.alone(ROUNDS);
    console.log(`\n4 processes of 5 waiters, ${slowMs} ms to the servers; in ms:     p50      p99      max`);
    row(
      'a grant that none contests',
      alone.map(({ askedAtMs, grantedAtMs }) => grantedAtMs - askedAtMs),
    );
    row(
      'free until taken',
      spells.slice(1).map(({ grantedAtMs }, index) => grantedAtMs - spells[index]!.releasedAtMs),
    );
    row(
      'wait of a waiter',
      spells.map(({ askedAtMs, grantedAtMs }) => grantedAtMs - askedAtMs),
    );
  }
} finally {
  await contest.end();
}
