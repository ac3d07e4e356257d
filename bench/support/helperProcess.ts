import { fork } from 'node:child_process';
import { once } from 'node:events';

/** A part of a bench in a process of its own, so that it shares no event loop with the relay nor with other parts. */
export interface HelperProcess<Questions extends Record<string, (input: never) => unknown>> {
  pid: number;
  /** One question at a time. */
  ask<Name extends keyof Questions & string>(
    name: Name,
    input: Parameters<Questions[Name]>[0],
  ): Promise<Awaited<ReturnType<Questions[Name]>>>;
  stop(): Promise<void>;
}

/** Starts a module that calls `serveHelper` with the handlers of these questions. */
export function startHelper<Questions extends Record<string, (input: never) => unknown>>(
  file: string,
): HelperProcess<Questions> {
  const child = fork(file, { stdio: ['ignore', 2, 2, 'ipc'], execArgv: [] });
  let waiting: PromiseWithResolvers<unknown> | undefined;
  child.on('message', message => waiting?.resolve(message));
  child.on('exit', (code, signal) => waiting?.reject(new Error(`${file} ended with ${code ?? signal}.`)));
  return {
    pid: child.pid ?? 0,
    async ask(name, input) {
      waiting = Promise.withResolvers();
      child.send({ name, input });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the handler of this name answered, below
      const answer = (await waiting.promise) as { result: never; error?: string };
      if (answer.error !== undefined) {
        throw new Error(answer.error);
      }
      return answer.result;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = once(child, 'exit');
        child.disconnect();
        await gone;
      }
    },
  };
}

/** Answers the questions of the parent, until it is gone (also when it was killed). */
export function serveHelper(handlers: Record<string, (input: never) => unknown>): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', message => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `ask` above has sent
    const { name, input } = message as { name: string; input: never };
    void (async () => {
      try {
        process.send?.({ result: await handlers[name]?.(input) });
      } catch (error) {
        process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      }
    })();
  });
}
