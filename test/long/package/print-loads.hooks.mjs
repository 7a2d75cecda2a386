import { writeSync } from 'node:fs';

export async function load(url, context, nextLoad) {
  writeSync(2, `${url}\n`);
  return await nextLoad(url, context);
}
