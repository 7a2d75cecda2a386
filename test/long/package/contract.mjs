// The published contract under Node's own test runner. The urls are arguments.
import { after, describe, it } from 'node:test';
import { lockNodeContract, RedisContractServer } from 'redlock-nestjs/contract';

for (const url of process.argv.slice(2)) {
  const server = new RedisContractServer(url);
  describe(new URL(url).host, () => {
    for (const { name, run } of lockNodeContract(() => server.empty())) it(name, run);
    after(() => server.close());
  });
}
