import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { ClientOrder } from './clientMain.ts';

/** The client as a process that can be killed and started again on its folder. */
export class ClientUnderTest {
  readonly #command: readonly string[];
  readonly #logged: (text: string) => void;
  readonly #reported = new Set<string>();
  #child: ChildProcess | undefined;
  #order: ClientOrder | undefined;
  #wake: () => void = () => {};

  /**
   * @param command program and arguments that run the client
   * @param logged takes what it writes to stderr
   */
  constructor(command: readonly string[], logged: (text: string) => void) {
    this.#command = command;
    this.#logged = logged;
  }

  start(): void {
    const [program = '', ...args] = this.#command;
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child = child;
    child.stderr?.on('data', (chunk: Buffer) => this.#logged(chunk.toString()));
    child.on('message', message => {
      if (typeof message === 'string') {
        this.#reported.add(message);
      }
      this.#wake();
    });
    child.on('exit', (code, signal) => {
      if (this.#child === child && code !== 0) {
        this.#logged(`The client ended by itself with ${signal ?? `exit code ${code}`}.\n`);
      }
    });
    if (this.#order) {
      child.send(this.#order);
    }
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Told again to every client that is started after it. */
  order(order: ClientOrder): void {
    this.#order = order;
    this.#child?.send(order);
  }

  hasReported(report: string): boolean {
    return this.#reported.has(report);
  }

  /** Resolves when the client has reported this, or after a while, with whether it has. */
  async reports(report: string, timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    while (!this.#reported.has(report) && Date.now() < deadline) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
        setTimeout(resolve, Math.max(1, deadline - Date.now())).unref();
      });
    }
    return this.#reported.has(report);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
  }
}
