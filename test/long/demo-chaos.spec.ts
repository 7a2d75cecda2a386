import { describe, expect, it } from '@jest/globals';
import { compileDemo, Demo } from './demo/demo.js';

describe('npm start -- --chaos', () => {
  it('runs each tick exactly once while things break, and announces what does (P4, P8)', async () => {
    await using compiled = await compileDemo();
    const chaos = new Demo(compiled, '--chaos', '--ticks', '17', '--servers', '3');
    const code = await chaos.exit;
    expect([code, chaos.trouble]).toEqual([0, '']); // First, because it says why a tick had no run.
    expect(chaos.stdout).not.toMatch(/NO REPLICA| AND /);
    const announced = chaos.stdout.split('\n').filter((line) => /^[\d:]+ +(server|replica)-\d+ [a-z]/.test(line));
    expect(announced.map((line) => line.slice(10).replaceAll(/-\d+/g, ''))).toEqual([
      'server is killed',
      'server is up again, with its data',
      'server stalls: it takes connections and answers nothing',
      'server goes on',
      'replica has a clock that is 1.5 s ahead',
      'replica is killed in the middle of its run, replica starts',
      'replica is up',
    ]);
    expect(chaos.stdout).toMatch(/^17 ticks: each ran exactly once$/m);
  }, 90_000);
});
