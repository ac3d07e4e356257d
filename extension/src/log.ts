import * as vscode from 'vscode';
import { toError } from '../../protocol/errors.ts';

/** The parts that log; a closed set, so that a log can be filtered. */
export type LogTag = 'extension' | 'relay' | 'sessions' | 'chat' | 'review' | 'command';

/** The output channel "Sandpiper". Never gets a key, a token or the text of a session. */
export class Log {
  readonly #channel = vscode.window.createOutputChannel('Sandpiper', { log: true });

  info(tag: LogTag, message: string): void {
    this.#channel.info(`[${tag}] ${message}`);
  }

  warn(tag: LogTag, message: string): void {
    this.#channel.warn(`[${tag}] ${message}`);
  }

  /** With the whole chain of causes, because the person sees only the first sentence. */
  error(tag: LogTag, message: string, thrown: unknown): void {
    const causes: string[] = [];
    for (let cause: unknown = thrown; cause !== undefined && causes.length < 5;) {
      const error = toError(cause);
      causes.push(error.stack ?? error.message);
      cause = error.cause;
    }
    this.#channel.error(`[${tag}] ${message}\n${causes.join('\ncaused by: ')}`);
  }

  show(): void {
    this.#channel.show(true);
  }

  dispose(): void {
    this.#channel.dispose();
  }
}
