import { createInterface } from 'node:readline';
import type Docker from 'dockerode';
import type { Exec } from 'dockerode';
import { z } from 'zod';
import { SandpiperError } from '../../../../protocol/errors.ts';
import type { ExecResult } from '../provider.ts';
import type { RemoteRun } from '../remote/remoteDriver.ts';
import { mayPass, statusOf, toDockerError } from './dockerErrors.ts';
import { findDocker, type DockerAddress, type DockerSettings } from './dockerHost.ts';
import { readExecStream } from './execStream.ts';

export interface FoundContainer {
  id: string;
  name: string;
  running: boolean;
  labels: Readonly<Record<string, string>>;
}

export interface FoundImage {
  id: string;
  /** PATH of its programs, when it says one. */
  path: string | undefined;
  /** It names a user of its own, so its list of users has it. */
  hasUser: boolean;
}

const containerSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  State: z.object({ Running: z.boolean(), Paused: z.boolean().optional() }),
  Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }),
});
const listSchema = z.array(
  z.object({
    Id: z.string(),
    Names: z.array(z.string()).nullish(),
    State: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
);
const imageSchema = z.object({
  Id: z.string(),
  Config: z.object({ Env: z.array(z.string()).nullish(), User: z.string().nullish() }).nullish(),
});
const execSchema = z.object({ Running: z.boolean(), ExitCode: z.number().nullish() });
const infoSchema = z.object({ ID: z.string().nullish(), OperatingSystem: z.string().nullish() });
const versionSchema = z.object({ Version: z.string(), ApiVersion: z.string() });

const buildLineSchema = z.object({ stream: z.string().optional(), error: z.string().optional() });

const GREETING_TIMEOUT_MS = 5_000;
const ASK_TIMEOUT_MS = 15_000;
/** Also where a disk is slow; what never comes is given up. */
const CHANGE_TIMEOUT_MS = 120_000;
const ATTEMPTS = 4;
const RETRY_MS = 150;
const EXIT_CODE_WAIT_MS = 5_000;

/** The engine's few calls that sandboxes are made of. Its own words for what failed become a person's. */
export class DockerEngine {
  readonly address: DockerAddress;
  readonly #docker: Docker;

  private constructor(docker: Docker, address: DockerAddress) {
    this.#docker = docker;
    this.address = address;
  }

  /** @throws `sandbox_unavailable` when there is none, or its client is not installed */
  static async connect(settings: DockerSettings): Promise<DockerEngine> {
    const address = await findDocker(settings);
    const module = await import('dockerode').catch((error: unknown) => {
      throw new SandpiperError('sandbox_unavailable', 'The client of Docker (dockerode) is not installed.', {
        hint: 'Install Sandpiper again with its optional dependencies.',
        cause: error,
      });
    });
    return new DockerEngine(new module.default(address.connection), address);
  }

  /** Who only wants to know whether it is there does not wait for it; a connection that was kept may just be old. */
  async version(): Promise<{ version: string; api: string }> {
    const value = await this.#try(
      'The engine could not be asked',
      abortSignal => this.#docker.version({ abortSignal }),
      { timeoutMs: GREETING_TIMEOUT_MS, attempts: 2 },
    );
    const { Version, ApiVersion } = versionSchema.parse(value);
    return { version: Version, api: ApiVersion };
  }

  async info(): Promise<{ id: string; system: string }> {
    const value = await this.#ask('The engine could not be asked', abortSignal => this.#docker.info({ abortSignal }));
    const { ID, OperatingSystem } = infoSchema.parse(value);
    return { id: ID ?? '', system: OperatingSystem ?? '' };
  }

  async image(name: string): Promise<FoundImage | undefined> {
    const value = await this.#askMaybe('The image could not be looked up', abortSignal =>
      this.#docker.getImage(name).inspect({ abortSignal }),
    );
    if (value === undefined) {
      return undefined;
    }
    const { Id, Config } = imageSchema.parse(value);
    const path = Config?.Env?.find(entry => entry.startsWith('PATH='))?.slice('PATH='.length);
    return { id: Id, path, hasUser: (Config?.User ?? '') !== '' };
  }

  async container(name: string): Promise<FoundContainer | undefined> {
    const value = await this.#askMaybe('The container could not be looked up', abortSignal =>
      this.#docker.getContainer(name).inspect({ abortSignal }),
    );
    if (value === undefined) {
      return undefined;
    }
    const { Id, Name, State, Config } = containerSchema.parse(value);
    return {
      id: Id,
      name: Name.replace(/^\//, ''),
      running: State.Running && State.Paused !== true,
      labels: Config.Labels ?? {},
    };
  }

  /** Containers that carry all of these labels. */
  async containers(labels: Readonly<Record<string, string>>): Promise<FoundContainer[]> {
    const label = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
    const value = await this.#ask('The containers could not be listed', abortSignal =>
      this.#docker.listContainers({ all: true, filters: { label }, abortSignal }),
    );
    return listSchema.parse(value).map(({ Id, Names, State, Labels }) => ({
      id: Id,
      name: (Names?.[0] ?? '').replace(/^\//, ''),
      running: State === 'running',
      labels: Labels ?? {},
    }));
  }

  /** Made, or there already: the name tells. A reply that was lost is so found again. */
  async create(name: string, options: object): Promise<void> {
    await this.#try('The container could not be made', async abortSignal => {
      for (;;) {
        try {
          // Otherwise the client puts all of it into the address, too.
          await this.#docker.createContainer({ _query: { name }, _body: options, abortSignal });
          return;
        } catch (error) {
          if (statusOf(error) !== 409) {
            throw error;
          }
        }
        // The engine gives a name away before the container can be found by it.
        if ((await this.container(name)) !== undefined) {
          return;
        }
        abortSignal.throwIfAborted();
        await pause(50);
      }
    });
  }

  /** Running afterwards, whether it did before or not. */
  async start(name: string): Promise<void> {
    await this.#try('The container could not be started', async abortSignal => {
      try {
        await this.#docker.getContainer(name).start({ abortSignal });
      } catch (error) {
        if (statusOf(error) !== 304) {
          throw error;
        }
      }
    });
  }

  /** Gone afterwards, with all that ran in it. */
  async remove(name: string): Promise<void> {
    await this.#try('The container could not be removed', async abortSignal => {
      try {
        await this.#docker.getContainer(name).remove({ force: true, v: true, abortSignal });
      } catch (error) {
        if (statusOf(error) === 409) {
          // Another call removes it: it is gone when it is no longer found.
          await this.#untilGone(name);
        } else if (statusOf(error) !== 404) {
          throw error;
        }
      }
    });
  }

  /**
   * Runs a program to its end, as the container's user.
   * @returns undefined when there is no such container, or it does not run
   */
  async exec(name: string, argv: readonly string[], run: RemoteRun): Promise<ExecResult | undefined> {
    const { env, stdin, signal } = run;
    try {
      const exec = await this.#docker.getContainer(name).exec({
        Cmd: argv,
        Env: Object.entries(env).map(([variable, value]) => `${variable}=${value}`),
        WorkingDir: '/',
        AttachStdin: stdin !== undefined,
        AttachStdout: true,
        AttachStderr: true,
        abortSignal: signal,
      });
      const stream = await exec.start({ hijack: true, stdin: stdin !== undefined, abortSignal: signal });
      const output = await readExecStream(stream, run);
      return { code: await this.#exitCode(exec, signal), ...output };
    } catch (error) {
      const status = statusOf(error);
      // Podman says 500 for a container that does not run.
      if (
        status === 404 ||
        status === 409 ||
        (status === 500 && /not running|container state improper/i.test(String(error)))
      ) {
        return undefined;
      }
      throw toDockerError(error, 'A program could not be run in the container', this.address.name);
    }
  }

  /**
   * Builds the Dockerfile in a folder.
   * @returns what the engine said when it failed
   */
  async build(
    folder: string,
    options: { name: string; arguments: Readonly<Record<string, string>>; onLine(line: string): void },
  ): Promise<string | undefined> {
    try {
      const stream = await this.#docker.buildImage(
        { context: folder, src: ['Dockerfile'] },
        { t: options.name, buildargs: options.arguments, forcerm: true },
      );
      let failure: string | undefined;
      for await (const line of createInterface({ input: stream })) {
        const said = buildLineSchema.safeParse(parseJson(line)).data;
        said?.stream
          ?.split('\n')
          .filter(text => text.trim() !== '')
          .forEach(text => options.onLine(text));
        failure = said?.error ?? failure;
      }
      return failure;
    } catch (error) {
      throw toDockerError(error, 'The image could not be made', this.address.name);
    }
  }

  /** The engine notes the end a moment after the output is closed. */
  async #exitCode(exec: Exec, signal: AbortSignal): Promise<number> {
    const deadline = Date.now() + EXIT_CODE_WAIT_MS;
    for (;;) {
      const { Running, ExitCode } = execSchema.parse(await exec.inspect({ abortSignal: signal }));
      if (!Running && typeof ExitCode === 'number') {
        return ExitCode;
      }
      if (Date.now() > deadline) {
        throw new SandpiperError('sandbox_unavailable', 'The connection to the container was cut.', {
          hint: 'Try again.',
        });
      }
      await pause(20);
    }
  }

  async #untilGone(name: string): Promise<void> {
    const deadline = Date.now() + CHANGE_TIMEOUT_MS / 4;
    while ((await this.container(name)) !== undefined) {
      if (Date.now() > deadline) {
        throw new SandpiperError('sandbox_unavailable', `The container ${name} is being removed and does not go.`, {
          hint: 'Look at the log of the Docker engine.',
        });
      }
      await pause(50);
    }
  }

  async #askMaybe(what: string, ask: (signal: AbortSignal) => Promise<unknown>): Promise<unknown> {
    return this.#ask(what, async signal =>
      ask(signal).catch((error: unknown) => {
        if (statusOf(error) === 404) {
          return undefined;
        }
        throw error;
      }),
    );
  }

  #ask(what: string, ask: (signal: AbortSignal) => Promise<unknown>): Promise<unknown> {
    return this.#try(what, ask, { timeoutMs: ASK_TIMEOUT_MS });
  }

  /** For what may be done twice. */
  async #try<T>(
    what: string,
    action: (signal: AbortSignal) => Promise<T>,
    { timeoutMs = CHANGE_TIMEOUT_MS, attempts = ATTEMPTS } = {},
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await action(AbortSignal.timeout(timeoutMs));
      } catch (error) {
        const isAbsent =
          error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES');
        if (attempt === attempts || isAbsent || !mayPass(error)) {
          throw toDockerError(error, what, this.address.name);
        }
        await pause(RETRY_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
      }
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
