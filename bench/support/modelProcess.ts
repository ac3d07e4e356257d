import { fork } from 'node:child_process';
import { once } from 'node:events';
import { startScriptedModel, type ScriptedModel } from '../../test/support/scriptedModel.ts';

/*
 * The scripted model in a process of its own, so that neither the relay nor the client shares its event loop. Forked, this
 * file is that process; imported, it is the way to start and ask it.
 */

type Question = 'log' | 'reset';

/** What the model saw and sent; all times are comparable with `preciseNow()` of other processes. */
export interface ModelLog {
  requests: ReturnType<ScriptedModel['requests']>;
  sent: ReturnType<ScriptedModel['sendLog']>;
}

export interface ModelProcess {
  url: string;
  log(): Promise<ModelLog>;
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export async function startModelProcess(): Promise<ModelProcess> {
  const child = fork(import.meta.filename, { stdio: ['ignore', 2, 2, 'ipc'], execArgv: [] });
  let waiting = Promise.withResolvers<unknown>();
  child.on('message', message => waiting.resolve(message));
  child.on('exit', () => waiting.reject(new Error('The scripted model ended.')));
  // Nobody need be waiting when it ends.
  const expectAnswer = (): Promise<unknown> => {
    waiting = Promise.withResolvers();
    waiting.promise.catch(() => {});
    return waiting.promise;
  };
  const ask = async (question: Question): Promise<unknown> => {
    const answer = expectAnswer();
    child.send(question);
    return answer;
  };
  const url = String(await expectAnswer());
  return {
    url,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the same file sends below
    log: async () => (await ask('log')) as ModelLog,
    reset: async () => {
      await ask('reset');
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = once(child, 'exit');
        child.disconnect();
        await gone;
      }
    },
  };
}

async function serve(): Promise<void> {
  const model = await startScriptedModel();
  const send = (message: unknown): void => void process.send?.(message);
  process.on('message', question => {
    if (question === 'log') {
      send({ requests: model.requests(), sent: model.sendLog() } satisfies ModelLog);
    } else {
      model.reset();
      send('done');
    }
  });
  // The parent is gone, also when it was killed.
  process.on('disconnect', () => process.exit(0));
  send(model.url);
}

if (process.argv[1] === import.meta.filename) {
  await serve();
}
