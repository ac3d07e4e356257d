import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { preciseNow } from '../../test/support/modelReply.ts';
import { CLAUDE } from '../../test/support/relayProcess.ts';
import { Marks } from './marks.ts';
import { TurnTimer } from './turnTimer.ts';

/** Said by a turn's last line of output, and by no other. */
const RESULT = '"type":"result"';

/** The floor: the same Claude Code on a pipe, without Sandpiper, speaking to the same model. */
export class RawClaude {
  readonly marks = new Marks();
  readonly #child: ChildProcessWithoutNullStreams;
  #rest = '';
  #stderr = '';
  readonly #timer = new TurnTimer();

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (chunk: string) => this.#read(chunk, preciseNow()));
    child.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    child.on('error', error => this.#timer.fail(error));
    child.on('exit', code => this.#timer.fail(new Error(`claude ended with ${code}: ${this.#stderr}`)));
  }

  /** @param workspace a repository that it may change */
  static async start(options: { modelUrl: string; workspace: string; home: string }): Promise<RawClaude> {
    await mkdir(options.home, { recursive: true });
    const flags = ['--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose'];
    const child = spawn(CLAUDE, ['-p', ...flags, '--include-partial-messages', '--dangerously-skip-permissions'], {
      cwd: options.workspace,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: options.home,
        CLAUDE_CODE_TMPDIR: join(options.home, 'tmp'),
        ANTHROPIC_BASE_URL: options.modelUrl,
        ANTHROPIC_API_KEY: 'sk-ant-bench',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        // Or it refuses to skip permissions when the user is root.
        IS_SANDBOX: '1',
      },
      // A group of its own: what its tools leave running ends with it.
      detached: true,
    });
    return new RawClaude(child);
  }

  /** Sends a prompt and waits for the turn's result. */
  turn(text: string): Promise<{ startedAt: number; ms: number }> {
    const line = `${JSON.stringify({ type: 'user', message: { role: 'user', content: text } })}\n`;
    return this.#timer.time(() => void this.#child.stdin.write(line));
  }

  async stop(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) {
      const gone = once(this.#child, 'exit');
      process.kill(-pid, 'SIGKILL');
      await gone;
    }
  }

  #read(chunk: string, at: number): void {
    this.marks.look(chunk, at);
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    if (lines.some(line => line.includes(RESULT))) {
      this.#timer.end(at);
    }
  }
}
