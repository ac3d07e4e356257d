import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Agent, AgentDecoder, AgentSignal, LaunchSpec } from '../../server/src/agents/agent.ts';

type SignalOf<K extends AgentSignal['kind'], S = AgentSignal> = S extends { kind: string }
  ? K extends S['kind']
    ? S & { kind: K }
    : never
  : never;

const WAIT_MS = 15_000;

/**
 * One process of an agent on pipes, in place of the journal: lines go in whole, every line that comes out is decoded. The
 * decoder is saved and restored after each line, as if the relay had restarted there.
 */
export class AgentRun {
  readonly signals: AgentSignal[] = [];
  readonly lines: string[] = [];
  readonly exited: Promise<number | null>;
  readonly #agent: Agent;
  readonly #process: ChildProcess;
  #decoder: AgentDecoder;
  #stderr = '';
  #wake: (() => void)[] = [];

  constructor(agent: Agent, spec: LaunchSpec, extraEnv: Readonly<Record<string, string>> = {}) {
    this.#agent = agent;
    this.#decoder = agent.createDecoder(undefined);
    const plan = agent.plan(spec);
    const [program = '', ...args] = plan.argv;
    this.#process = spawn(program, args, {
      cwd: spec.workspace,
      env: { PATH: process.env['PATH'], HOME: spec.home, ...plan.env, ...extraEnv },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#process.stdin?.on('error', () => {});
    this.#process.stderr?.on('data', chunk => (this.#stderr += String(chunk)));
    if (this.#process.stdout !== null) {
      createInterface({ input: this.#process.stdout }).on('line', line => this.#line(line));
    }
    this.exited = new Promise((resolve, reject) => {
      this.#process.once('error', reject);
      this.#process.once('close', code => {
        resolve(code);
        this.#changed();
      });
    });
  }

  say(messageId: string, text: string): void {
    this.#process.stdin?.write(this.#agent.encodeMessage({ messageId, text }));
  }

  answer(asked: SignalOf<'approvalAsked'>, decision: Parameters<Agent['encodeAnswer']>[2]): void {
    this.#process.stdin?.write(this.#agent.encodeAnswer(asked.approvalId, asked.answerContext, decision));
  }

  interrupt(): void {
    this.#process.stdin?.write(this.#agent.encodeInterrupt(`stop-${this.lines.length}`));
  }

  /** The first signal of this kind at or after `from` that passes; waits for it. */
  async next<K extends AgentSignal['kind']>(
    kind: K,
    test: (signal: SignalOf<K>) => boolean = () => true,
    from = 0,
  ): Promise<SignalOf<K>> {
    const isWanted = (signal: AgentSignal): signal is SignalOf<K> => signal.kind === kind;
    for (const deadline = Date.now() + WAIT_MS; ;) {
      const found = this.signals.slice(from).filter(isWanted).find(test);
      if (found !== undefined) {
        return found;
      }
      if (Date.now() > deadline || this.#process.exitCode !== null || this.#process.signalCode !== null) {
        const seen = this.signals.map(signal => JSON.stringify(signal).slice(0, 200)).join('\n');
        throw new Error(`No ${kind} came.\n${seen}\n${this.lines.slice(-3).join('\n')}\n${this.#stderr}`);
      }
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, Math.max(1, deadline - Date.now()));
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Says something and waits for the end of the turn. */
  async turn(messageId: string, text: string): Promise<SignalOf<'turnEnded'>> {
    const from = this.signals.length;
    this.say(messageId, text);
    return this.next('turnEnded', undefined, from);
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.exited.catch(() => {});
  }

  #line(line: string): void {
    this.lines.push(line);
    this.signals.push(...this.#decoder.feed(line));
    this.#decoder = this.#agent.createDecoder(this.#decoder.save());
    this.#changed();
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) {
      wake();
    }
  }
}
