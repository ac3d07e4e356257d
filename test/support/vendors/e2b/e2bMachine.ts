import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Box } from '../box.ts';
import type { Created, Detail, Listed } from './e2bWire.ts';

/** One sandbox as E2B keeps it. */
export class E2bMachine {
  readonly id = `i${randomBytes(10).toString('hex').slice(0, 19)}`;
  readonly accessToken = randomBytes(16).toString('hex');
  readonly templateId: string;
  readonly metadata: Record<string, string>;
  readonly box: Box;
  /** Answers under way, which end when it is paused or killed. */
  readonly answers = new Set<ServerResponse>();
  state: 'running' | 'paused' = 'running';
  readonly #startedAt = new Date();
  readonly #autoPause: boolean;
  readonly #onEnd: () => void;
  #endAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    folder: string,
    options: {
      templateId: string;
      metadata: Record<string, string>;
      env: Record<string, string>;
      autoPause: boolean;
      onEnd: () => void;
    },
  ) {
    this.templateId = options.templateId;
    this.metadata = options.metadata;
    this.#autoPause = options.autoPause;
    this.#onEnd = options.onEnd;
    this.box = new Box({
      folder: join(folder, this.id),
      home: '/home/user',
      user: 'user',
      daemon: 'envd.ts',
      env: { E2B_SANDBOX: 'true', ...options.env },
    });
  }

  get endAt(): number {
    return this.#endAt;
  }

  /** Lives for so long from now. */
  live(seconds: number): void {
    clearTimeout(this.#timer);
    this.#endAt = Date.now() + seconds * 1000;
    this.#timer = setTimeout(() => {
      void (this.#autoPause ? this.pause() : this.kill());
    }, seconds * 1000).unref();
  }

  async pause(): Promise<void> {
    clearTimeout(this.#timer);
    this.state = 'paused';
    await this.box.freeze();
    this.#cut();
  }

  async resume(): Promise<void> {
    await this.box.thaw();
    this.state = 'running';
  }

  async kill(): Promise<void> {
    clearTimeout(this.#timer);
    this.#onEnd();
    this.#cut();
    await this.box.destroy();
  }

  created(): Created {
    return {
      templateID: this.templateId,
      sandboxID: this.id,
      clientID: 'played',
      envdVersion: '0.6.4',
      envdAccessToken: this.accessToken,
      domain: null,
    };
  }

  listed(): Listed {
    return {
      templateID: this.templateId,
      sandboxID: this.id,
      clientID: 'played',
      startedAt: this.#startedAt.toISOString(),
      endAt: new Date(this.#endAt).toISOString(),
      cpuCount: 2,
      memoryMB: 512,
      diskSizeMB: 1024,
      metadata: this.metadata,
      state: this.state,
      envdVersion: '0.6.4',
    };
  }

  detail(): Detail {
    return { ...this.listed(), envdAccessToken: this.accessToken, domain: null };
  }

  #cut(): void {
    for (const answer of this.answers) {
      answer.socket?.destroy();
    }
  }
}
