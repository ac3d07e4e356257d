import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RelayAddress } from '../../../client/relayAddress.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { isOlder } from '../../../protocol/releases.ts';
import type { Log } from '../log.ts';
import { readSetting } from '../settings.ts';
import { dataFolderOf, relayEnvironment } from './relayTarget.ts';
import { t } from '../../../protocol/text.ts';

const STOP_TIMEOUT_MS = 15_000;
const START_TIMEOUT_MS = 20_000;
/** Long enough to outlive a window reload and a lunch; nothing that works or is watched ends by it. */
const IDLE_EXIT_MS = 60 * 60 * 1000;

/** The relay that comes inside the extension: found when one runs for this data folder, started when none does. */
export class EmbeddedRelay {
  readonly #program: string;
  readonly #version: string;
  readonly #log: Log;

  /**
   * @param program path of the relay's bundle
   * @param version of that relay
   */
  constructor(program: string, version: string, log: Log) {
    this.#program = program;
    this.#version = version;
    this.#log = log;
  }

  get dataFolder(): string {
    return dataFolderOf(readSetting('relay.dataFolder'), process.env, process.platform, homedir());
  }

  /** Where the relay listens; starts it when there is none, or only an older one. @throws `unavailable` when it did not come up */
  async address(): Promise<RelayAddress> {
    // Loaded late: activation must not pay for it.
    const { findRelay, RELAY_NODE_OPTIONS, startRelay } = await import('../../../client/localRelay.ts');
    const { dataFolder } = this;
    const found = await findRelay(dataFolder);
    const mayStart = readSetting('relay.startAutomatically');
    if (found && !(mayStart && isOlder(found.version, this.#version))) {
      return found;
    }
    if (!mayStart) {
      throw new SandpiperError('unavailable', t('No relay runs, and "sandpiper.relay.startAutomatically" is off.'), {
        hint: t('Start one with "sandpiper serve".'),
      });
    }
    const instead = found ? ` in the place of version ${found.version}` : '';
    this.#log.info('relay', `Starting the relay in ${dataFolder}${instead}`);
    const startedAt = performance.now();
    const address = await startRelay({
      dataFolder,
      command: [process.execPath, ...RELAY_NODE_OPTIONS, this.#program, 'serve'],
      env: relayEnvironment(process.env, {
        dataFolder,
        claudePath: readSetting('agent.claudePath'),
        idleExitMs: IDLE_EXIT_MS,
      }),
      timeoutMs: START_TIMEOUT_MS,
      version: this.#version,
    });
    this.#log.info('relay', `The relay is up after ${Math.round(performance.now() - startedAt)} ms`);
    return address;
  }

  /** Ends the relay of this data folder and waits until it is gone. Nothing happens when there is none. */
  async stop(): Promise<void> {
    const { findRelay } = await import('../../../client/localRelay.ts');
    const found = await findRelay(this.dataFolder);
    if (!found) {
      return;
    }
    this.#log.info('relay', `Stopping the relay (process ${found.pid})`);
    process.kill(found.pid, 'SIGTERM');
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (isAlive(found.pid)) {
      if (Date.now() > deadline) {
        throw new SandpiperError('timeout', t('The relay (process {0}) did not stop.', found.pid), {
          hint: t('End that process, then try again.'),
        });
      }
      await sleep(50);
    }
  }

  /** Its log file, which may not exist yet. */
  get logFile(): string {
    return join(this.dataFolder, 'relay.log');
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
