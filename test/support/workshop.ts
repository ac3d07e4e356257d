import { join } from 'node:path';
import type { RelayClient } from '../../client/relayClient.ts';
import type { ClientParams } from '../../client/relayClient.ts';
import type { SessionEvent } from '../../protocol/events.ts';
import type { SessionState } from '../../protocol/session.ts';
import { makeSample } from '../../scripts/demo/sample.ts';
import { CLAUDE, RelayProcess, temporaryFolder } from './relayProcess.ts';
import { startScriptedModel, type ScriptedModel } from './scriptedModel.ts';
import type { StepInput } from './modelScript.ts';
import { patient } from './patience.ts';

/** The real key of the tests: it must never be seen in a sandbox. */
export const REAL_KEY = 'sk-ant-test-the-real-key-0123456789';

/** A relay, a scripted model and a sample repository: all that a session needs. */
export interface Workshop {
  readonly folder: string;
  readonly dataFolder: string;
  readonly repository: string;
  readonly model: ScriptedModel;
  readonly relay: RelayProcess;
  readonly client: RelayClient;
  /** Starts a session whose first prompt is this script. */
  begin(script: readonly StepInput[] | string, params?: Partial<ClientParams<'session.create'>>): Promise<string>;
  send(sessionId: string, script: readonly StepInput[] | string): Promise<string>;
  /** Resolves with the first state that fits; fails with the last one and the relay's log when none comes. */
  until(
    sessionId: string,
    what: string,
    fits: (state: SessionState) => boolean,
    timeoutMs?: number,
  ): Promise<SessionState>;
  events(sessionId: string): Promise<SessionEvent[]>;
  /** A further relay on the same data folder, not started yet. */
  another(): RelayProcess;
  /** The folder of this machine that a session's agent works in; rejects while there is none. */
  workspace(sessionId: string): Promise<string>;
  /** Ends every session's agent, the relay and the model, and removes the folder. */
  dispose(): Promise<void>;
}

/** @param command what Node runs in place of the relay's source, for the first relay */
export async function openWorkshop(env: Record<string, string> = {}, command?: readonly string[]): Promise<Workshop> {
  const scratch = await temporaryFolder();
  const folder = scratch.path;
  const dataFolder = env['SANDPIPER_DATA'] ?? join(folder, 'data');
  const repository = join(folder, 'sample');
  await makeSample(repository);
  const model = await startScriptedModel({ apiKey: REAL_KEY });
  const options = {
    dataFolder,
    env: { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: REAL_KEY, SANDPIPER_CLAUDE: CLAUDE, ...env },
  };
  const relay = new RelayProcess({ ...options, ...(command ? { command } : {}) });
  const others: RelayProcess[] = [];
  await relay.start();
  const client = relay.client();
  client.connect();
  const workshop: Workshop = {
    folder,
    dataFolder,
    repository,
    model,
    relay,
    client,
    begin: async (script, params = {}) => {
      const { sessionId } = await client.call('session.create', {
        source: repository,
        prompt: promptOf(script),
        permissionMode: 'autopilot',
        ...params,
      });
      return sessionId;
    },
    send: async (sessionId, script) =>
      (await client.call('session.send', { sessionId, text: promptOf(script) })).messageId,
    until: (sessionId, what, fits, timeoutMs = 20_000) =>
      untilState(client, relay, { sessionId, what, fits, timeoutMs: patient(timeoutMs) }),
    events: async sessionId => {
      const all: SessionEvent[] = [];
      for (;;) {
        const { events, lastSeq } = await client.call('session.events', { sessionId, after: all.length, limit: 1000 });
        all.push(...events);
        if (events.length === 0 || all.length >= lastSeq) {
          return all;
        }
      }
    },
    another: () => {
      const other = new RelayProcess(options);
      others.push(other);
      return other;
    },
    workspace: async sessionId => {
      const ready = (await workshop.events(sessionId)).findLast(({ body }) => body.type === 'sandboxReady')?.body;
      if (ready?.type !== 'sandboxReady') {
        throw new Error(`Session ${sessionId} has no sandbox yet.`);
      }
      return join(dataFolder, 'sandboxes', ready.sandboxId, 'workspace');
    },
    dispose: async () => {
      await archiveAll(client).catch(() => {});
      client.dispose();
      await Promise.all([relay, ...others].map(each => each.stop()));
      await model.close();
      await scratch.remove();
    },
  };
  return workshop;
}

function promptOf(script: readonly StepInput[] | string): string {
  return typeof script === 'string' ? script : `Please do this: @@${JSON.stringify(script)}`;
}

/** An archived session has no agent. */
async function archiveAll(client: RelayClient): Promise<void> {
  const { sessions } = await client.call('session.list', { limit: 500 }, { timeoutMs: 3000 });
  for (const { id } of sessions) {
    await client.call('session.archive', { sessionId: id, archived: true }, { timeoutMs: 10_000 });
  }
}

interface Awaited {
  sessionId: string;
  what: string;
  fits: (state: SessionState) => boolean;
  timeoutMs: number;
}

function untilState(
  client: RelayClient,
  relay: RelayProcess,
  { sessionId, what, fits, timeoutMs }: Awaited,
): Promise<SessionState> {
  return new Promise((resolve, reject) => {
    let last: SessionState | undefined;
    const settle = (action: () => void) => {
      clearTimeout(timer);
      setImmediate(() => following.dispose());
      action();
    };
    const timer = setTimeout(
      () =>
        settle(() =>
          reject(
            new Error(
              `Not within ${timeoutMs} ms: ${what}. Last state: ${JSON.stringify(last, null, 1)}\n${relay.log}`,
            ),
          ),
        ),
      timeoutMs,
    );
    const following = client.follow(sessionId, mirror => {
      last = mirror.state;
      if (last && fits(last)) {
        const state = last;
        settle(() => resolve(state));
      }
    });
  });
}
