import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyOf, fieldsOf, sendJson } from '../inside/httpParts.ts';
import { openApiCheck } from '../openApiCheck.ts';
import { refuse, VendorEmulator, type Upgrade } from '../vendorEmulator.ts';
import { ExecStreams } from './execStream.ts';
import { KubernetesPod } from './kubernetesPod.ts';
import { insecureIn, invalidIn, podRequestSchema } from './podRequest.ts';
import { statusObject } from './statusObject.ts';

/*
 * A cluster played on loopback for the real SDK: the API server here, each pod a box of real processes. Its namespace enforces
 * the pod security standard `restricted`.
 */

interface Answer {
  status: number;
  answer: unknown;
}

const NAMESPACE = 'sandboxes';
const POLICIES = '/apis/networking.k8s.io/v1/namespaces/sandboxes/networkpolicies';
const PODS = '/api/v1/namespaces/sandboxes/pods';

export class KubernetesEmulator extends VendorEmulator {
  readonly machines = new Map<string, KubernetesPod>();
  readonly policies = new Map<string, unknown>();
  readonly images = new Set(['base']);
  /** `verb resource` that the account may not. */
  readonly denied = new Set<string>();
  /** Pods that are made from now on wait for it. */
  slowStart: Promise<void> = Promise.resolve();
  /** Why pods find no node meanwhile. */
  waitReason = '0/3 nodes are available: 3 Insufficient cpu.';
  /** So many pods are given to a node that has no room. */
  crowded = 0;
  readonly #check = openApiCheck('kubernetes/api.json');
  readonly #exec: ExecStreams;
  #configs = 0;

  constructor(protocols: readonly string[]) {
    super('kubernetes-test-token');
    this.#exec = new ExecStreams(protocols, text => this.violations.push(text));
  }

  static async start(protocols: readonly string[] = ['v4.channel.k8s.io']): Promise<KubernetesEmulator> {
    const emulator = new KubernetesEmulator(protocols);
    await emulator.listen('kubernetes');
    return emulator;
  }

  override get env(): Record<string, string> {
    return { SANDPIPER_KUBECONFIG: this.kubeconfig(), SANDPIPER_KUBERNETES_IMAGE: 'base' };
  }

  /** A file with the way here. The SDK speaks no plain HTTP to a server that is to be verified. */
  kubeconfig(
    token = this.apiKey,
    cluster: Record<string, unknown> = { server: this.url, 'insecure-skip-tls-verify': true },
  ): string {
    const path = join(this.folder, `config-${this.#configs++}`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'here',
      clusters: [{ name: 'played', cluster }],
      users: [{ name: 'relay', user: { token } }],
      contexts: [{ name: 'here', context: { cluster: 'played', user: 'relay', namespace: NAMESPACE } }],
    };
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
    return path;
  }

  protected override async endMachines(): Promise<void> {
    await Promise.all([...this.machines.values()].map(async pod => pod.destroy()));
  }

  protected override errorBody(status: number): unknown {
    return statusObject(status, 'a fault', { kind: 'pods' });
  }

  /** Programs are told apart by what the command calls itself. */
  protected override nameOf(request: IncomingMessage, url: URL): string {
    return url.pathname.endsWith('/exec')
      ? `EXEC ${url.pathname} ${url.searchParams.getAll('command')[3] ?? ''}`
      : super.nameOf(request, url);
  }

  protected override async serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const body = await bodyOf(request);
    const input: unknown = body.length === 0 ? undefined : JSON.parse(body.toString());
    const method = request.method ?? '';
    const { status, answer } = this.#isKnown(request)
      ? await this.#answer(method, url, input)
      : refusal(401, 'Unauthorized');
    this.violations.push(...this.#check({ method, path: url.pathname, request: input, status, answer }));
    sendJson(response, status, answer);
  }

  protected override async upgrade(upgrade: Upgrade): Promise<void> {
    const { request, socket, url } = upgrade;
    const name = new RegExp(`^${PODS}/([^/]+)/exec$`).exec(url.pathname)?.[1];
    const pod = [...this.machines.values()].find(machine => machine.name === name);
    const known = ['container', 'stdin', 'stdout', 'stderr', 'tty', 'command'];
    const strange = [...url.searchParams.keys()].filter(key => !known.includes(key));
    this.violations.push(...strange.map(key => `exec has no parameter ${key}`));
    if (url.search.length > 4000) {
      this.violations.push('exec has an address that is too long for proxies, and is logged by the cluster');
    }
    if (!this.#isKnown(request)) {
      refuse(socket, 401, statusObject(401, 'Unauthorized', { kind: '' }));
    } else if (this.denied.has('get pods/exec')) {
      refuse(socket, 403, statusObject(403, this.#forbidden('get', 'pods/exec'), { kind: 'pods' }));
    } else if (!pod) {
      refuse(socket, 404, statusObject(404, `pods "${name}" not found`, { kind: 'pods', name: name ?? '' }));
    } else if (!pod.isReady) {
      refuse(socket, 400, statusObject(400, `pod ${name} does not have a host assigned`, { kind: '' }));
    } else {
      this.#exec.serve(upgrade, pod, url.searchParams);
    }
  }

  #isKnown(request: IncomingMessage): boolean {
    return request.headers.authorization === `Bearer ${this.apiKey}`;
  }

  async #answer(method: string, url: URL, input: unknown): Promise<Answer> {
    const { pathname } = url;
    if (pathname === '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews') {
      return { status: 201, answer: this.#review(input) };
    }
    const [, found, name] = /^(.*\/(?:pods|networkpolicies))(?:\/([^/]+))?$/.exec(pathname) ?? [];
    const verb =
      method === 'POST'
        ? 'create'
        : method === 'PUT'
          ? 'update'
          : method === 'DELETE'
            ? 'delete'
            : name === undefined
              ? 'list'
              : 'get';
    const kind = found === POLICIES ? 'networkpolicies' : 'pods';
    if (this.denied.has(`${verb} ${kind}`)) {
      return refusal(403, this.#forbidden(verb, kind), { kind });
    }
    if (found !== POLICIES && found !== PODS) {
      // Lists of a namespace that does not exist are empty.
      return verb === 'list'
        ? { status: 200, answer: { apiVersion: 'v1', kind: 'PodList', metadata: {}, items: [] } }
        : refusal(404, 'namespaces "nowhere" not found', { kind: 'namespaces', name: 'nowhere' });
    }
    return kind === 'pods' ? this.#pods(verb, name, url, input) : this.#policies(verb, name, input);
  }

  #pods(verb: string, name: string | undefined, url: URL, input: unknown): Answer {
    const pod = [...this.machines.values()].find(machine => machine.name === name);
    if (verb === 'create') {
      return this.#create(input);
    }
    if (verb === 'list') {
      return { status: 200, answer: this.#list(url) };
    }
    if (!pod) {
      return refusal(404, `pods "${name}" not found`, { kind: 'pods', name: name ?? '' });
    }
    if (verb === 'delete') {
      const uid = fieldsOf(fieldsOf(input)['preconditions'])['uid'];
      if (uid !== undefined && uid !== pod.uid) {
        return refusal(409, `Precondition failed: UID in precondition: ${JSON.stringify(uid)}`, {
          kind: 'pods',
          name: pod.name,
        });
      }
      // The kubelet kills what runs in it, and only then the object goes.
      void pod.remove().catch((error: unknown) => this.violations.push(`removing a pod: ${String(error)}`));
    }
    return { status: 200, answer: pod.object() };
  }

  #create(input: unknown): Answer {
    const { data: asked, error } = podRequestSchema.safeParse(input);
    if (!asked) {
      this.violations.push(`a pod that is not played: ${error.message}`);
      return refusal(422, error.message, { kind: 'Pod' });
    }
    const { name } = asked.metadata;
    const details = { kind: 'pods', name };
    const [invalid] = invalidIn(asked);
    if (invalid !== undefined) {
      return refusal(422, `Pod "${name}" is invalid: ${invalid}`, details);
    }
    if ([...this.machines.values()].some(machine => machine.name === name)) {
      return refusal(409, `pods "${name}" already exists`, details);
    }
    const insecure = insecureIn(asked);
    if (insecure.length > 0) {
      const text = `pods "${name}" is forbidden: violates PodSecurity "restricted:latest": ${insecure.join(', ')}`;
      return refusal(403, text, details);
    }
    const used = this.machines.size;
    if (used >= this.quota) {
      const text = `pods "${name}" is forbidden: exceeded quota: sandboxes, requested: pods=1, used: pods=${used}, limited: pods=${this.quota}`;
      return refusal(403, text, details);
    }
    const pod: KubernetesPod = new KubernetesPod(this.folder, asked, () => this.machines.delete(pod.id));
    this.machines.set(pod.id, pod);
    const object = pod.object();
    this.#schedule(pod).catch((why: unknown) => this.violations.push(`starting a pod: ${String(why)}`));
    return { status: 201, answer: object };
  }

  async #schedule(pod: KubernetesPod): Promise<void> {
    pod.unscheduled(this.waitReason);
    await this.slowStart;
    if (this.crowded > 0) {
      this.crowded--;
      await pod.fail(
        'OutOfcpu',
        "Pod Node didn't have enough resource: cpu, requested: 500, used: 1900, capacity: 2000",
      );
    } else if (!this.images.has(pod.image)) {
      pod.waits('ImagePullBackOff', `Back-off pulling image "${pod.image}"`);
    } else if (this.machines.has(pod.id)) {
      await pod.start();
    }
  }

  #list(url: URL): unknown {
    const wanted = (url.searchParams.get('labelSelector') ?? '').split(',').filter(part => part !== '');
    const found = [...this.machines.values()].filter(({ labels }) =>
      wanted.every(part => {
        const [name = '', value] = part.split('=');
        return labels[name] === value;
      }),
    );
    const first = Number(url.searchParams.get('continue') ?? 0);
    const next = first + Math.min(this.pageSize, Number(url.searchParams.get('limit') ?? Infinity));
    return {
      apiVersion: 'v1',
      kind: 'PodList',
      metadata: { resourceVersion: '1', ...(next < found.length ? { continue: String(next) } : {}) },
      items: found.slice(first, next).map(pod => pod.object()),
    };
  }

  #policies(verb: string, name: string | undefined, input: unknown): Answer {
    if (verb === 'create') {
      const created = String(fieldsOf(fieldsOf(input)['metadata'])['name']);
      if (this.policies.has(created)) {
        return refusal(409, `networkpolicies "${created}" already exists`, { kind: 'networkpolicies', name: created });
      }
      this.policies.set(created, input);
      return { status: 201, answer: input };
    }
    const known = name === undefined ? undefined : this.policies.get(name);
    if (name === undefined || known === undefined) {
      return refusal(404, `networkpolicies "${name}" not found`, { kind: 'networkpolicies', name: name ?? '' });
    }
    if (verb === 'update') {
      this.policies.set(name, input);
    }
    return { status: 200, answer: this.policies.get(name) };
  }

  #review(input: unknown): unknown {
    const spec = fieldsOf(fieldsOf(input)['spec']);
    const { verb, resource, subresource } = fieldsOf(spec['resourceAttributes']);
    const right = `${String(verb)} ${String(resource)}${typeof subresource === 'string' ? `/${subresource}` : ''}`;
    const status = { allowed: !this.denied.has(right) };
    return { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', metadata: {}, spec, status };
  }

  #forbidden(verb: string, kind: string): string {
    return `${kind} is forbidden: User "relay" cannot ${verb} resource "${kind}" in API group "" in the namespace "${NAMESPACE}"`;
  }
}

function refusal(status: number, message: string, details: { kind: string; name?: string } = { kind: '' }): Answer {
  return { status, answer: statusObject(status, message, details) };
}
