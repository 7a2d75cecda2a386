/**
 * Any servers that speak Redis' protocol: `npm run test:servers -- redis://host:port ...`. Each passes the contract of the lock nodes in
 * an empty database of its own, and then jobs of two replicas run on all of them together.
 */
import { fromUrl } from '../../lib/client/options/server-url.js';
import { lockNodeContract, RedisContractServer } from '../../lib/contract/index.js';
import { smoke } from './smoke.js';

const HELP = `npm run test:servers -- [--database N] URL...

URL          a server: redis://[user:password@]host:port, or rediss://
--database N the database that the contract flushes, and that must be empty; default: that of the URL`;

async function contract(url: string, name: string): Promise<number> {
  const server = new RedisContractServer(url);
  let failed = 0;
  try {
    for (const { name: title, run } of lockNodeContract(() => server.empty())) {
      try {
        await run();
      } catch (error) {
        failed++;
        console.log(`  FAILED ${title}\n    ${String(error)}`);
        if (failed === 1 && /not ready within|would flush/.test(String(error))) return failed;
      }
    }
  } finally {
    await server.close();
  }
  console.log(`${name}: ${failed === 0 ? 'passes the contract' : `${failed} cases of the contract fail`}`);
  return failed;
}

function inDatabase(url: string, database: string | undefined): string {
  if (database === undefined) return url;
  const parsed = new URL(url);
  parsed.pathname = `/${database}`;
  return parsed.href;
}

async function main(args: string[]): Promise<number> {
  const at = args.indexOf('--database');
  const [, database] = at < 0 ? [] : args.splice(at, 2);
  if (args.length === 0 || args.some((arg) => arg.startsWith('-'))) {
    console.log(HELP);
    return args.includes('--help') ? 0 : 2;
  }
  let failed = 0;
  for (const url of args) {
    const { host, port } = fromUrl(url, 'url', 'a redis:// or rediss:// URL');
    failed += await contract(inDatabase(url, database), `${host}:${port}`);
  }
  const { ticks, counted, wrong } = await smoke(args);
  console.log(`Two replicas on ${args.length} server(s) ran ${ticks} ticks and ${counted} calls.`);
  for (const line of wrong) console.log(`  WRONG: ${line}`);
  return failed === 0 && wrong.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
