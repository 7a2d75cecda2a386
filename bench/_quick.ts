import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { RedlockModule, RedlockService } from 'redlock-nestjs';
import { start } from '../test/support/fleet.js';

const N = Number(process.argv[2] ?? 5);
const fleet = await start(N, { direct: true });
@Module({ imports: [RedlockModule.forRoot(fleet.urls)] })
class App {}
const app = await NestFactory.createApplicationContext(App, { logger: false });
const service = app.get(RedlockService);
const clients = fleet.urls.map((url) => new Redis(String(url), { enableAutoPipelining: true }));
const del = 'if redis.call("get",KEYS[1])==ARGV[1] then return redis.call("del",KEYS[1]) else return 0 end';
const sha = (await Promise.all(clients.map((c) => c.script('LOAD', del))))[0] as string;
function majority(promises: Promise<unknown>[]): Promise<void> {
  return new Promise((resolve) => {
    let n = 0;
    for (const p of promises) void p.then(() => { if (++n === (promises.length >> 1) + 1) resolve(); });
  });
}
let seq = 0;
async function raw(key: string): Promise<void> {
  const token = 't' + seq++;
  await majority(clients.map((c) => c.set('raw:' + key, token, 'PX', 30000, 'NX')));
  await majority(clients.map((c) => c.evalsha(sha, 1, 'raw:' + key, token)));
}
async function ours(key: string): Promise<void> {
  const lock = await service.acquire(key, '30s');
  await lock.release();
}
const nothing = (): Promise<void> => Promise.resolve();
async function withLock(key: string): Promise<void> { await service.withLock(key, '30s', nothing); }
async function measure(run: (key: string) => Promise<void>, c: number, ms: number): Promise<{ p50: number; p99: number; rate: number; cpu: number }> {
  const lat: number[] = [];
  const end = performance.now() + ms;
  const cpu = process.cpuUsage();
  const t0 = performance.now();
  await Promise.all(Array.from({ length: c }, async (_, i) => {
    while (performance.now() < end) { const t = performance.now(); await run('k' + i); lat.push(performance.now() - t); }
  }));
  const u = process.cpuUsage(cpu);
  lat.sort((a, b) => a - b);
  return { p50: lat[lat.length >> 1]! * 1000, p99: lat[Math.floor(lat.length * 0.99)]! * 1000, rate: lat.length / (performance.now() - t0) * 1000, cpu: (u.user + u.system) / lat.length };
}
const only = process.argv[3];
for (const c of [1, 64, 512]) {
  const sums = new Map<string, { p50: number[]; p99: number[]; rate: number[]; cpu: number[] }>();
  for (let r = 0; r < 4; r++) for (const [name, run] of [['raw', raw], ['acquire', ours], ['withLock', withLock]] as const) {
    if (only && name !== only) continue;
    const m = await measure(run, c, r === 0 ? 400 : 1200);
    if (r === 0) continue;
    const s = sums.get(name) ?? { p50: [], p99: [], rate: [], cpu: [] };
    for (const k of ['p50', 'p99', 'rate', 'cpu'] as const) s[k].push(m[k]);
    sums.set(name, s);
  }
  const med = (a: number[]): number => a.sort((x, y) => x - y)[a.length >> 1]!;
  const base = sums.get('raw');
  for (const [name, s] of sums) console.log(`c=${c} ${name.padEnd(8)} p50 ${med(s.p50).toFixed(0)}us (${base ? (med(s.p50) / med(base.p50)).toFixed(2) : ''}) p99 ${med(s.p99).toFixed(0)} rate ${med(s.rate).toFixed(0)} (${base ? (med(s.rate) / med(base.rate)).toFixed(2) : ''}) cpu ${med(s.cpu).toFixed(0)}us`);
}
for (const c of clients) c.disconnect();
await app.close();
await fleet.stop();
