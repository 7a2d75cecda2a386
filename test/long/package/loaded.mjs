// Loads the parts of the package by import and by require, and prints the files that were loaded, as JSON.
import { createRequire, register } from 'node:module';
import { MessageChannel } from 'node:worker_threads';
import 'reflect-metadata';

const HOOKS = `
  let port;
  export const initialize = (data) => { port = data.port; };
  export const load = async (url, context, next) => {
    port.postMessage(url);
    return await next(url, context);
  };`;

const { port1, port2 } = new MessageChannel();
const urls = new Set();
port1.on('message', (url) => urls.add(url));
register(`data:text/javascript,${encodeURIComponent(HOOKS)}`, { data: { port: port2 }, transferList: [port2] });

const require = createRequire(import.meta.url);
for (const name of process.argv.slice(2)) {
  await import(name);
  require(name);
}
// What was sent by now is delivered with the next turn.
await new Promise((resolve) => setImmediate(resolve));
port1.close();
console.log(JSON.stringify([...urls, ...Object.keys(require.cache)]));
