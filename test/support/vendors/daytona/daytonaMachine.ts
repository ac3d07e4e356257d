import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { Box } from '../box.ts';

/** What the provider may ask for; more than it needs is a mistake of it. */
export const createSchema = z.strictObject({
  name: z.string().exactOptional(),
  snapshot: z.string().exactOptional(),
  env: z.record(z.string(), z.string()).exactOptional(),
  labels: z.record(z.string(), z.string()).exactOptional(),
  target: z.string().exactOptional(),
  autoStopInterval: z.int().min(0).exactOptional(),
  autoArchiveInterval: z.int().min(0).exactOptional(),
  autoDeleteInterval: z.int().exactOptional(),
  ttlMinutes: z.int().min(0).exactOptional(),
  domainAllowList: z.string().exactOptional(),
});
type CreateRequest = z.infer<typeof createSchema>;

type MachineState = 'creating' | 'starting' | 'started' | 'stopped' | 'error' | 'destroyed';

/** One sandbox as Daytona keeps it. */
export class DaytonaMachine {
  readonly id = randomUUID();
  readonly name: string;
  readonly box: Box;
  readonly labels: Record<string, string>;
  /** Answers under way, which end when it stops. */
  readonly answers = new Set<ServerResponse>();
  state: MachineState = 'creating';
  readonly #asked: CreateRequest;
  readonly #toolbox: string;
  readonly #onEnd: () => void;
  readonly #createdAt = new Date();

  constructor(folder: string, asked: CreateRequest, toolbox: string, onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#asked = asked;
    this.#toolbox = toolbox;
    this.name = asked.name ?? this.id;
    this.labels = asked.labels ?? {};
    this.box = new Box({
      folder: join(folder, this.id),
      home: '/home/daytona',
      user: 'daytona',
      daemon: 'toolbox.ts',
      env: { DAYTONA_SANDBOX_ID: this.id, ...asked.env },
    });
  }

  async start(): Promise<void> {
    await this.box.start();
    if (this.state !== 'destroyed') {
      this.state = 'started';
    }
  }

  async stop(): Promise<void> {
    this.state = 'stopped';
    this.#cut();
    await this.box.stop();
  }

  async destroy(): Promise<void> {
    this.state = 'destroyed';
    this.#onEnd();
    this.#cut();
    await this.box.destroy();
  }

  dto(): Record<string, unknown> {
    return {
      id: this.id,
      organizationId: '00000000-0000-4000-8000-000000000001',
      name: this.name,
      ...(this.#asked.snapshot === undefined ? {} : { snapshot: this.#asked.snapshot }),
      user: 'daytona',
      env: this.#asked.env ?? {},
      labels: this.labels,
      public: false,
      networkBlockAll: false,
      target: this.#asked.target ?? 'local',
      cpu: 1,
      gpu: 0,
      memory: 1,
      disk: 3,
      state: this.state,
      desiredState: this.state === 'stopped' || this.state === 'destroyed' ? this.state : 'started',
      autoStopInterval: this.#asked.autoStopInterval ?? 15,
      autoArchiveInterval: this.#asked.autoArchiveInterval ?? 10_080,
      autoDeleteInterval: this.#asked.autoDeleteInterval ?? -1,
      recoverable: false,
      backupState: 'None',
      volumes: [],
      createdAt: this.#createdAt.toISOString(),
      updatedAt: new Date().toISOString(),
      lastActivityAt: new Date().toISOString(),
      daemonVersion: '0.190.0',
      toolboxProxyUrl: this.#toolbox,
    };
  }

  #cut(): void {
    for (const answer of this.answers) {
      answer.socket?.destroy();
    }
  }
}
