import { expect, it } from '@jest/globals';
import type { Connection } from '../../../lib/redis/connection.js';
import { inspectServer } from '../../../lib/redis/server-inspection.js';

/** As Redis 7 says it. */
const SENTINEL =
  '# Server\r\nredis_version:7.2.4\r\nredis_mode:sentinel\r\nrun_id:abc\r\nuptime_in_seconds:90000\r\n' +
  '# Sentinel\r\nsentinel_masters:1\r\nmaster0:name=locks,status=ok,address=10.0.0.1:6379,slaves=2,sentinels=3\r\n';

it('the address of a Sentinel among the servers is called what it is, and does not vote', async () => {
  const connection: Pick<Connection, 'database' | 'clustered' | 'send'> = {
    ...{ database: 0, clustered: false },
    send: (_command, _args, onReply) => {
      onReply(SENTINEL);
    },
  };
  const { verdict, warnings } = await inspectServer(connection as Connection, () => undefined);
  const message = 'is a Sentinel, which keeps no locks: give { sentinels, name } instead';
  expect(verdict).toMatchObject({ state: 'refusing', text: message, cause: { message } });
  // Nothing that is asked of a server with data.
  expect(warnings).toEqual([]);
});
