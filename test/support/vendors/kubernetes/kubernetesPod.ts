import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { WebSocket } from 'ws';
import { Box } from '../box.ts';
import type { PodRequest } from './podRequest.ts';

/** One pod as the API and its node keep it. Its container is a box. */
export class KubernetesPod {
  readonly uid = randomUUID();
  readonly name: string;
  readonly id: string;
  readonly labels: Record<string, string>;
  readonly box: Box;
  /** Programs under way, which end with it. */
  readonly calls = new Set<WebSocket>();
  status: Record<string, unknown> = { phase: 'Pending' };
  readonly #asked: PodRequest;
  #createdAt = new Date();
  readonly #onEnd: () => void;
  #deletedAt: Date | undefined;

  constructor(folder: string, asked: PodRequest, onEnd: () => void) {
    this.#asked = asked;
    this.#onEnd = onEnd;
    this.name = asked.metadata.name;
    this.id = `${this.name}.${this.uid}`;
    this.labels = asked.metadata.labels ?? {};
    const [main] = asked.spec.containers;
    const given = (main?.env ?? []).map(({ name, value }) => [name, value ?? this.uid]);
    this.box = new Box({
      // The address of a socket has at most 107 characters.
      folder: join(folder, this.uid),
      // The volume of the work; /tmp is one of the box's own.
      home: '/sandpiper',
      user: 'agent',
      daemon: 'kubelet.ts',
      env: Object.fromEntries(given),
      readOnlyRoot: main?.securityContext.readOnlyRootFilesystem === true,
    });
  }

  get image(): string {
    return this.#asked.spec.containers[0]?.image ?? '';
  }

  get isReady(): boolean {
    return this.status['phase'] === 'Running' && this.#deletedAt === undefined;
  }

  async start(): Promise<void> {
    await this.box.start();
    if (this.#deletedAt === undefined && this.status['phase'] === 'Pending') {
      const startedAt = new Date().toISOString();
      this.status = {
        phase: 'Running',
        startTime: startedAt,
        containerStatuses: [this.#container({ running: { startedAt } }, true)],
      };
    }
  }

  unscheduled(message: string): void {
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
    this.status = { phase: 'Pending', conditions: [condition] };
  }

  /** It was given to a node and waits there. */
  waits(reason: string, message: string): void {
    const condition = { type: 'PodScheduled', status: 'True' };
    this.status = {
      phase: 'Pending',
      startTime: new Date().toISOString(),
      conditions: [condition],
      containerStatuses: [this.#container({ waiting: { reason, message } }, false)],
    };
  }

  /** The cluster ended it; the object stays. */
  async fail(reason: string, message: string): Promise<void> {
    const { startTime } = this.status;
    this.status = { phase: 'Failed', reason, message, ...(startTime === undefined ? {} : { startTime }) };
    await this.#end();
  }

  /** Makes it older. */
  age(byMs: number): void {
    this.#createdAt = new Date(this.#createdAt.getTime() - byMs);
  }

  /** Its processes end, then its object goes. */
  async remove(): Promise<void> {
    this.#deletedAt = new Date();
    await this.#end();
    await this.destroy();
  }

  /** At once, as when its node is taken away. */
  async destroy(): Promise<void> {
    this.#deletedAt ??= new Date();
    this.#onEnd();
    for (const call of this.calls) {
      call.terminate();
    }
    await this.box.destroy();
  }

  object(): Record<string, unknown> {
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...this.#asked.metadata,
        namespace: 'sandboxes',
        uid: this.uid,
        resourceVersion: '1',
        creationTimestamp: this.#createdAt.toISOString(),
        ...(this.#deletedAt === undefined
          ? {}
          : { deletionTimestamp: this.#deletedAt.toISOString(), deletionGracePeriodSeconds: 1 }),
      },
      spec: this.#asked.spec,
      status: this.status,
    };
  }

  async #end(): Promise<void> {
    for (const call of this.calls) {
      call.terminate();
    }
    await this.box.stop();
  }

  #container(state: object, ready: boolean): object {
    return { name: 'sandbox', image: this.image, imageID: this.image, ready, started: ready, restartCount: 0, state };
  }
}
