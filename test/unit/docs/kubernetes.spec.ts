import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { toSettings } from '../../../lib/client/options/module-options.js';
import { pagesOf } from '../../support/pages.js';

type Labels = Readonly<Record<string, string>>;

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas?: number;
    readonly serviceName?: string;
    readonly minAvailable?: number;
    readonly maxUnavailable?: number;
    readonly selector: { readonly matchLabels?: Labels } & Labels;
    readonly template?: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
  };
}

interface PodSpec {
  readonly terminationGracePeriodSeconds?: number;
  readonly containers: readonly {
    readonly args?: readonly string[];
    readonly env?: readonly { readonly name: string; readonly value: string }[];
    readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
    readonly readinessProbe: { readonly timeoutSeconds?: number };
    readonly livenessProbe?: { readonly httpGet: { readonly path: string } };
  }[];
}

const [page] = pagesOf('docs/operations/kubernetes.md');
const documents = (page?.blocks ?? [])
  .filter(({ language }) => language === 'yaml')
  .flatMap(({ code }) => parseAllDocuments(code));
const manifests = documents.map((document) => document.toJS() as Manifest);

const of = (kind: string, name: string): Manifest => {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`There is no ${kind} ${name}.`);
  return found;
};

describe('the manifests for Kubernetes', () => {
  const settings = toSettings({ servers: 'redis:6379' });
  const [app] = of('Deployment', 'shop').spec.template?.spec.containers ?? [];
  const [redis] = of('StatefulSet', 'locks').spec.template?.spec.containers ?? [];

  it('parse', () => {
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
    expect(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Deployment shop',
      'PodDisruptionBudget shop',
      'Service locks',
      'StatefulSet locks',
      'PodDisruptionBudget locks',
    ]);
  });

  it('select the pods that they make', () => {
    for (const [kind, name] of [
      ['Deployment', 'shop'],
      ['StatefulSet', 'locks'],
    ] as const) {
      const { selector, template } = of(kind, name).spec;
      expect(template?.metadata.labels).toEqual(selector.matchLabels);
      expect(of('PodDisruptionBudget', name).spec.selector.matchLabels).toEqual(selector.matchLabels);
    }
    expect(of('Service', 'locks').spec.selector).toEqual(of('StatefulSet', 'locks').spec.selector.matchLabels);
  });

  it('name each server in the application', () => {
    const { replicas = 0, serviceName = '' } = of('StatefulSet', 'locks').spec;
    const urls = Array.from({ length: replicas }, (_, index) => `redis://locks-${index}.${serviceName}:6379`);
    expect(app?.env).toEqual([{ name: 'REDIS_URLS', value: urls.join() }]);
  });

  it('keep a majority of the servers, and a replica', () => {
    const { replicas = 0 } = of('StatefulSet', 'locks').spec;
    const away = of('PodDisruptionBudget', 'locks').spec.maxUnavailable ?? replicas;
    expect(replicas - away).toBeGreaterThan(replicas / 2);
    expect(of('PodDisruptionBudget', 'shop').spec.minAvailable).toBeLessThan(
      of('Deployment', 'shop').spec.replicas ?? 0,
    );
    expect(redis?.args?.join(' ')).toContain('--appendonly yes');
    expect(redis?.args?.join(' ')).toContain('--maxmemory-policy noeviction');
  });

  it('give a pod more time than the module takes', () => {
    const pauseMs = 1000 * Number(app?.lifecycle?.preStop.exec.command[1]);
    const graceMs = 1000 * (of('Deployment', 'shop').spec.template?.spec.terminationGracePeriodSeconds ?? 0);
    expect(graceMs).toBeGreaterThan(pauseMs + settings.shutdownTimeoutMs + 5000);
    expect(1000 * (app?.readinessProbe.timeoutSeconds ?? 0)).toBeGreaterThan(settings.nodeTimeoutMs);
    expect(app?.livenessProbe?.httpGet.path).toBe('/health/live');
  });
});
