import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { z } from 'zod';
import { networkPolicy } from '../../../server/src/sandboxes/kubernetes/networkPolicy.ts';
import { LABEL, podManifest } from '../../../server/src/sandboxes/kubernetes/podManifest.ts';
import { neededRights } from '../../../server/src/sandboxes/kubernetes/rights.ts';
import { openApiCheck } from '../../support/vendors/openApiCheck.ts';

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
const roleSchema = z.object({
  rules: z.array(
    z.object({ apiGroups: z.array(z.string()), resources: z.array(z.string()), verbs: z.array(z.string()) }),
  ),
});
const quotaSchema = z.object({ spec: z.object({ hard: z.record(z.string(), z.string()) }) });
const policySchema = z.object({
  spec: z.looseObject({ podSelector: z.unknown(), egress: z.unknown().optional(), ingress: z.unknown().optional() }),
});

const text = readFileSync(join(import.meta.dirname, '../../../docs/kubernetes.yaml'), 'utf8');
const objects = loadAll(text).map(object => objectSchema.parse(object));
const ofKind = (kind: string): unknown => objects.find(object => object.kind === kind);
const pod = podManifest({
  name: 'sandpiper-a',
  labels: { [LABEL.relay]: 'r', [LABEL.session]: 's' },
  image: 'base',
  limits: { cpus: 0.5, memoryMb: 511, diskMb: 1 },
  maxSeconds: 60,
  runtimeClass: undefined,
  pullSecret: undefined,
  hosts: [],
});

describe('the manifests for Kubernetes', () => {
  const check = openApiCheck('kubernetes/api.json');
  const plural = (kind: string): string => `${kind.toLowerCase().replace(/y$/, 'ie')}s`;
  const problems = (object: z.infer<typeof objectSchema>): string[] => {
    const root = object.apiVersion === 'v1' ? '/api/v1' : `/apis/${object.apiVersion}`;
    const path = object.kind === 'Namespace' ? '' : '/namespaces/sandpiper';
    const answer = undefined;
    return check({
      method: 'POST',
      path: `${root}${path}/${plural(object.kind)}`,
      request: object,
      status: 201,
      answer,
    });
  };

  it('in the documentation are what the API describes', () => {
    assert.equal(objects.length, 6);
    for (const object of objects) {
      assert.deepEqual(problems(object), [], object.kind);
    }
    assert.notDeepEqual(problems(objectSchema.parse({ ...objects[1], spek: {} })), [], 'a field that is none is seen');
  });

  it('in the documentation give a relay the rights that it asks for, and no others', () => {
    const { rules } = roleSchema.parse(ofKind('Role'));
    const given = rules.flatMap(({ apiGroups, resources, verbs }) =>
      verbs.map(verb => `${verb} ${apiGroups.join()}/${resources.join()}`),
    );
    const needed = neededRights('make').map(
      ({ verb, group, resource, subresource }) =>
        `${verb} ${group}/${resource}${subresource === undefined ? '' : `/${subresource}`}`,
    );
    // What newer clusters ask for to open a WebSocket.
    assert.deepEqual(given.sort(), [...needed, 'create /pods/exec'].sort());
  });

  it('in the documentation count what every pod says that it needs', () => {
    const { hard } = quotaSchema.parse(ofKind('ResourceQuota')).spec;
    const resources = pod.spec?.containers[0]?.resources;
    const said = Object.entries({ requests: resources?.requests, limits: resources?.limits }).flatMap(
      ([kind, amounts]) => Object.keys(amounts ?? {}).map(name => `${kind}.${name}`),
    );
    assert.deepEqual(Object.keys(hard).sort(), ['pods', ...said].sort());
  });

  it('in the documentation shut the network of every pod of a relay', () => {
    const { podSelector, egress, ingress } = policySchema.parse(ofKind('NetworkPolicy')).spec;
    assert.deepEqual(podSelector, { matchExpressions: [{ key: LABEL.relay, operator: 'Exists' }] });
    assert.deepEqual([egress, ingress], [undefined, undefined]);
  });

  it('that a relay makes are what the API describes', () => {
    const peers = [
      { kind: 'addresses', addresses: ['192.0.2.1', '2001:db8::1'], port: 443 },
      { kind: 'pods', labels: { app: 'relay' }, port: 80 },
    ] as const;
    for (const object of [
      pod,
      networkPolicy('a', 'r', peers),
      networkPolicy('a', 'r', 'open'),
      networkPolicy('a', 'r', []),
    ]) {
      assert.deepEqual(problems(objectSchema.parse(object)), []);
    }
  });
});
