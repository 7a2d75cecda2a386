import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RedlockService, type RedlockHealth } from 'redlock-nestjs';
import { Telemetry } from '../../support/telemetry.js';
import { DEGRADED, recordAll, telemetryApp } from '../../support/telemetry-app.js';

const DASHBOARD = 'docs/operations/grafana-dashboard.json';
const ALERTS = 'docs/operations/prometheus-alerts.yml';

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly query?: string }[] };
}

/** What the Prometheus of a user would scrape. */
async function scrape(exporter: PrometheusExporter): Promise<string> {
  const server = createServer((request, response) => exporter.getMetricsRequestHandler(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
    return await answer.text();
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** As with `shards`, so that each label is there. */
function inOneShard({ servers, ...rest }: RedlockHealth): RedlockHealth {
  const { quorum, voting, needed } = rest;
  const shards = [{ quorum, voting, needed, servers: servers.map(({ server }) => server) }];
  return { ...rest, servers: servers.map((each) => ({ ...each, shard: 0 })), shards };
}

describe('what Prometheus sees', () => {
  let text: string;
  beforeAll(async () => {
    const exporter = new PrometheusExporter({ preventServerStart: true });
    const telemetry = new Telemetry(exporter);
    const app = await telemetryApp(telemetry);
    await recordAll(app);
    jest.spyOn(app.get(RedlockService), 'health').mockResolvedValue(inOneShard(DEGRADED));
    text = await scrape(exporter);
    await app.close();
    await telemetry.shutdown();
  });

  const samples = (): Set<string> => new Set([...text.matchAll(/^(\w+)(?:\{| )/gm)].map(([, name = '']) => name));
  const labels = (): Set<string> => new Set([...text.matchAll(/(\w+)="/g)].map(([, name = '']) => name));

  /** Names that the expression has of ours, and pairs such as `redlock_outcome="lost"`, which the scrape does not have. */
  function unknownIn(expression: string): string[] {
    const names = (expression.match(/\b(?:redlock|code)_\w+/g) ?? []).filter(
      (name) => !samples().has(name) && !labels().has(name),
    );
    const pairs = (expression.match(/\b(?:redlock|code)_\w+="[^"]*"/g) ?? []).filter((pair) => !text.includes(pair));
    return [...names, ...pairs];
  }

  it('is on the dashboard: each metric that a panel names, with each label and value', () => {
    const { panels, templating } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as Dashboard;
    const targets = panels.flatMap((panel) => panel.targets ?? []).map(({ expr }) => expr);
    expect(targets.length).toBeGreaterThanOrEqual(10);
    const expressions = [...targets, ...templating.list.flatMap(({ query }) => query ?? [])];
    for (const expression of expressions)
      expect({ expression, unknown: unknownIn(expression) }).toEqual({ expression, unknown: [] });
    // And each metric is on a panel, but for the parts of a histogram.
    const unseen = [...samples()].filter((name) => name.startsWith('redlock_') && !/_(?:sum|count)$/.test(name));
    expect(unseen.filter((name) => !targets.some((expr) => new RegExp(`\\b${name}\\b`).test(expr)))).toEqual([]);
  });

  it('is in the five alert rules', () => {
    const rules = readFileSync(ALERTS, 'utf8')
      .split(/^ +- alert: /m)
      .slice(1);
    expect(rules).toHaveLength(5);
    for (const rule of rules) {
      const [, expression = ''] = /^ +expr: (.+)$/m.exec(rule) ?? [];
      expect(expression).toContain('redlock_');
      expect({ rule, unknown: unknownIn(expression) }).toEqual({ rule, unknown: [] });
      expect(rule).toMatch(/severity: (?:page|ticket)/);
      expect(rule).toMatch(/summary: \S.+\n +description: \S/);
    }
  });

  it('has names of Prometheus, and no key', () => {
    expect(text).toContain('# TYPE redlock_grants_total counter');
    expect(text).toContain('# TYPE redlock_wait_duration histogram');
    expect(text).not.toContain('orders');
  });
});
