import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { VendorFailure } from '../vendors/vendorFailure.ts';
import { openAccess, type AccessSettings, type KubernetesAccess } from './kubernetesAccess.ts';
import { kubernetesFailure, requireTaken } from './kubernetesFailure.ts';
import { podExec, type PodOutcome } from './podExec.ts';
import { CONTAINER, LABEL, podManifest, type PodLimits, type PodPlan } from './podManifest.ts';
import { POD_EXIT, READ_SCRIPT, RUN_SCRIPT, WHOLE, WRITE_SCRIPT } from './podScripts.ts';
import { podState, type PodState } from './podState.ts';

export interface PodSettings {
  image: string;
  limits: PodLimits;
  maxSeconds: number;
  /** How long a pod may take until it runs; pulling its image and a node that is started for it are in it. */
  startTimeoutMs: number;
  runtimeClass: string | undefined;
  pullSecret: string | undefined;
}

export interface PodLabels {
  relay: string;
  key: string;
}

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const RUN_TIMEOUT_MS = 60_000;
const FILE_TIMEOUT_MS = 120_000;
const REMOVE_TIMEOUT_MS = 30_000;
const LOOK_MS = { first: 30, last: 1000 };
const PAGE = 200;

/** Pods as sandboxes, by the calls of Kubernetes, with its errors as VendorFailures. An id is a pod's name and its uid. */
export class KubernetesClient {
  readonly #settings: AccessSettings & PodSettings;
  readonly #onToken: (token: string) => void;
  /** Pods that were seen running. */
  readonly #ready = new Set<string>();
  readonly #waits = new Map<string, Promise<void>>();
  #access: Promise<KubernetesAccess> | undefined;

  constructor(settings: AccessSettings & PodSettings, onToken: (token: string) => void) {
    this.#settings = settings;
    this.#onToken = onToken;
  }

  /** The pod of a key, running. Its name follows from the labels, so that there are never two. */
  async create(labels: PodLabels, hosts: PodPlan['hosts']): Promise<string> {
    const { image, limits, maxSeconds, runtimeClass, pullSecret } = this.#settings;
    const name = nameOf(labels);
    const own = { [LABEL.relay]: labels.relay, [LABEL.session]: labelOf(labels.key) };
    const plan = { name, labels: own, image, limits, maxSeconds, runtimeClass, pullSecret, hosts };
    const body = podManifest(plan);
    const pod = await this.call(async ({ core, namespace, sdk }) => {
      try {
        return await core.createNamespacedPod({ namespace, body });
      } catch (error) {
        requireTaken(sdk, error, namespace);
        return this.#takeOver(name, labels.relay);
      }
    });
    const id = idOf(pod);
    await this.requireReady(id, podState(pod));
    return id;
  }

  /** All of these labels that can still run something, oldest first. */
  async list(
    labels: Partial<PodLabels> & { relay: string },
  ): Promise<{ id: string; labels: Record<string, string> }[]> {
    const pods = await this.pods(labels);
    return pods
      .filter(pod => !['ended', 'crowded'].includes(podState(pod).kind))
      .map(pod => ({ id: idOf(pod), labels: labelsIn(pod) }));
  }

  /** All of these labels, whatever became of them; oldest first. */
  async pods({ relay, key }: Partial<PodLabels> & { relay: string }): Promise<V1Pod[]> {
    const labelSelector = `${LABEL.relay}=${relay}${key === undefined ? '' : `,${LABEL.session}=${labelOf(key)}`}`;
    return this.call(async ({ core, namespace }) => {
      const found: V1Pod[] = [];
      let next: string | undefined;
      do {
        const more = next === undefined ? {} : { _continue: next };
        const page = await core.listNamespacedPod({ namespace, labelSelector, limit: PAGE, ...more });
        found.push(...page.items);
        next = page.metadata?._continue || undefined;
      } while (next !== undefined);
      const ageOf = ({ metadata }: V1Pod): number => metadata?.creationTimestamp?.getTime() ?? 0;
      return found.sort((one, other) => ageOf(one) - ageOf(other));
    });
  }

  async labelsOf(id: string): Promise<Record<string, string>> {
    return labelsIn(await this.#pod(id));
  }

  /** @throws a VendorFailure `gone` for a pod in which nothing will run again */
  async requireUsable(id: string): Promise<void> {
    const state = podState(await this.#pod(id));
    if (state.kind === 'ended' || state.kind === 'crowded') {
      throw endedFailure(state.why);
    }
  }

  /** Idempotent; returns when the node has confirmed that all in it is dead, or is itself not there to ask. */
  async destroy(id: string): Promise<void> {
    this.#ready.delete(id);
    const { name, uid } = partsOf(id);
    await this.#delete(name, uid, 1);
    if (!(await this.#isRemoved(id, REMOVE_TIMEOUT_MS))) {
      await this.#delete(name, uid, 0);
    }
  }

  /**
   * Waits until a pod runs. One that will not is removed, so that the next attempt begins with what the settings are then.
   * @throws VendorFailures: `gone`, `impossible` with the cluster's own reason, `busy` where another attempt may go well
   */
  async requireReady(id: string, seen?: PodState): Promise<void> {
    if (this.#ready.has(id)) {
      return;
    }
    const wait = this.#waits.get(id) ?? this.#waitReady(id, seen).finally(() => this.#waits.delete(id));
    this.#waits.set(id, wait);
    await wait;
  }

  /** Runs a text in the pod's shell. What it gives back may be cut; that is for the caller to see. */
  async shell(id: string, command: string, signal: AbortSignal): Promise<string> {
    const stdin = Buffer.from(command + WHOLE);
    const args = ['sandpiper-run', partsOf(id).uid, String(stdin.length)];
    return (await this.#run(id, [RUN_SCRIPT, ...args], stdin, signal, RUN_TIMEOUT_MS)).stdout.toString();
  }

  async upload(id: string, path: string, data: Uint8Array, signal: AbortSignal): Promise<void> {
    const args = ['sandpiper-write', partsOf(id).uid, path, String(data.length)];
    const { code } = await this.#run(id, [WRITE_SCRIPT, ...args], data, signal, FILE_TIMEOUT_MS);
    if (code !== 0) {
      throw new VendorFailure('diskFull', 'nothing can be written in it');
    }
  }

  /** Undefined: no such regular file. */
  async download(id: string, path: string, first: number, bytes: number): Promise<Buffer | undefined> {
    const args = ['sandpiper-read', partsOf(id).uid, path, String(first + 1), String(bytes)];
    const { signal } = new AbortController();
    const { code, stdout, stderr } = await this.#run(id, [READ_SCRIPT, ...args], undefined, signal, FILE_TIMEOUT_MS);
    if (code === POD_EXIT.missing) {
      return undefined;
    }
    if (code !== 0) {
      throw new VendorFailure('broken', `a file could not be read: ${stderr.toString().slice(0, 200)}`);
    }
    return stdout;
  }

  async call<T>(action: (access: KubernetesAccess) => Promise<T>): Promise<T> {
    const access = await this.#open();
    try {
      return await action(access);
    } catch (error) {
      const failure = kubernetesFailure(access.sdk, error);
      if (failure.kind === 'refused') {
        // Tokens run out, and new ones are written into the same file.
        this.#access = undefined;
      }
      throw failure;
    }
  }

  async #run(
    id: string,
    script: readonly string[],
    stdin: Uint8Array | undefined,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<PodOutcome> {
    await this.requireReady(id);
    const { socketTo, namespace } = await this.#open();
    const query = new URLSearchParams({ container: CONTAINER, stdin: String(stdin !== undefined), stdout: 'true' });
    query.append('stderr', 'true');
    for (const word of ['sh', '-c', ...script]) {
      query.append('command', word);
    }
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${partsOf(id).name}/exec?${query}`;
    const { url, options } = await socketTo(path);
    const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const outcome = await podExec({ url, options, stdin, maxBytes: MAX_OUTPUT_BYTES, signal: until }).catch(
      (error: unknown) => {
        // Whatever is wrong with it is seen when it is looked at again.
        this.#ready.delete(id);
        throw error instanceof VendorFailure ? error : new VendorFailure('broken', String(error), { cause: error });
      },
    );
    if (outcome.code === POD_EXIT.otherPod) {
      throw new VendorFailure('gone', 'its name belongs to another pod');
    }
    if (outcome.code === POD_EXIT.cut && script[1] === 'sandpiper-run') {
      throw new VendorFailure('broken', 'what was sent was cut');
    }
    return outcome;
  }

  /** Of a name that is taken: what an earlier attempt made, unless nothing will come of it any more. */
  async #takeOver(name: string, relay: string): Promise<V1Pod> {
    const pod = await this.call(async ({ core, namespace }) => core.readNamespacedPod({ name, namespace })).catch(
      (error: unknown) => {
        throw error instanceof VendorFailure && error.kind === 'gone'
          ? new VendorFailure('busy', `the pod ${name} has just been removed`)
          : error;
      },
    );
    if (pod.metadata?.labels?.[LABEL.relay] !== relay) {
      throw new VendorFailure('impossible', `the pod ${name} is there already and is not this relay's`, {
        hint: `Look who made it: kubectl describe pod ${name}. Use another namespace, or remove it.`,
      });
    }
    const { kind } = podState(pod);
    if (kind === 'ready' || kind === 'starting') {
      return pod;
    }
    await this.destroy(idOf(pod));
    throw new VendorFailure('busy', `an earlier pod of the name ${name} had to be removed first`);
  }

  async #waitReady(id: string, seen: PodState | undefined): Promise<void> {
    const began = Date.now();
    let state = seen;
    for (;;) {
      state ??= podState(await this.#pod(id));
      if (state.kind === 'ready') {
        this.#ready.add(id);
        return;
      }
      if (state.kind === 'ended') {
        throw endedFailure(state.why);
      }
      if (state.kind !== 'starting' || Date.now() - began >= this.#settings.startTimeoutMs) {
        await this.destroy(id).catch(() => {});
        throw startFailure(state, this.#settings);
      }
      state = undefined;
      // Nobody waits for much longer than the pod took, and slow ones are not asked for often.
      await pause(Math.min(Math.max(LOOK_MS.first, (Date.now() - began) / 8), LOOK_MS.last));
    }
  }

  async #delete(name: string, uid: string, graceSeconds: number): Promise<void> {
    await this.call(async ({ core, namespace, sdk }) => {
      try {
        const body = { gracePeriodSeconds: graceSeconds, preconditions: { uid } };
        await core.deleteNamespacedPod({ name, namespace, body });
      } catch (error) {
        // It is gone; or another one has its name, and this one is gone as well.
        if (!(error instanceof sdk.ApiException && (error.code === 404 || error.code === 409))) {
          throw error;
        }
      }
    });
  }

  async #isRemoved(id: string, timeoutMs: number): Promise<boolean> {
    for (const until = Date.now() + timeoutMs; Date.now() < until; await pause(3 * LOOK_MS.first)) {
      try {
        await this.#pod(id);
      } catch (error) {
        if (error instanceof VendorFailure && error.kind === 'gone') {
          return true;
        }
        throw error;
      }
    }
    return false;
  }

  async #pod(id: string): Promise<V1Pod> {
    const { name, uid } = partsOf(id);
    const pod = await this.call(async ({ core, namespace }) => core.readNamespacedPod({ name, namespace }));
    if (pod.metadata?.uid !== uid) {
      throw new VendorFailure('gone', 'its name belongs to another pod');
    }
    return pod;
  }

  #open(): Promise<KubernetesAccess> {
    this.#access ??= openAccess(this.#settings).then(
      access => {
        if (access.token !== undefined) {
          this.#onToken(access.token);
        }
        return access;
      },
      (error: unknown) => {
        // The file may be corrected at any moment.
        this.#access = undefined;
        throw error;
      },
    );
    return this.#access;
  }
}

export function isPodId(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,62}\.[0-9a-f-]{8,40}$/.test(text);
}

function idOf({ metadata }: V1Pod): string {
  return `${metadata?.name}.${metadata?.uid}`;
}

function partsOf(id: string): { name: string; uid: string } {
  const [name = '', uid = ''] = id.split('.', 2);
  return { name, uid };
}

function nameOf({ relay, key }: PodLabels): string {
  return `sandpiper-${relay}-${hashOf(key)}`;
}

/** A label holds 63 characters of few kinds; the keys of sessions fit. */
function labelOf(key: string): string {
  return /^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/.test(key) ? key : hashOf(key);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}

function labelsIn({ metadata }: V1Pod): Record<string, string> {
  const { [LABEL.relay]: sandpiperRelay = '', [LABEL.session]: sandpiperKey = '' } = metadata?.labels ?? {};
  return { sandpiperRelay, sandpiperKey };
}

function endedFailure(why: string): VendorFailure {
  return new VendorFailure('gone', why, { hint: `Its pod ended: ${why}. A new one is made from the last checkpoint.` });
}

function startFailure(state: PodState, { image, startTimeoutMs }: PodSettings): VendorFailure {
  const seconds = Math.round(startTimeoutMs / 1000);
  switch (state.kind) {
    case 'crowded':
      return new VendorFailure('busy', state.why, {
        hint: 'The nodes of the cluster have no room at this moment. Try again, or end other sessions.',
      });
    case 'stuck':
      return state.image
        ? new VendorFailure('impossible', `the image "${image}" cannot be had: ${state.why}`, {
            hint: 'Check SANDPIPER_KUBERNETES_IMAGE and SANDPIPER_KUBERNETES_PULL_SECRET in the settings of the relay.',
          })
        : new VendorFailure('impossible', state.why, {
            hint: `Check that the image "${image}" has sh, and the settings for Kubernetes.`,
          });
    default:
      return new VendorFailure(
        'impossible',
        `the pod did not run within ${seconds} s${'why' in state && state.why !== undefined ? `: ${state.why}` : ''}`,
        {
          hint: 'Give the cluster more room, ask for less (SANDPIPER_KUBERNETES_CPUS and the like), or wait for longer (SANDPIPER_KUBERNETES_START_SECONDS).',
        },
      );
  }
}
