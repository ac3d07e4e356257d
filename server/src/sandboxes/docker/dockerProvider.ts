import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { SandpiperError, toSandpiperError } from '../../../../protocol/errors.ts';
import type { Logger } from '../../core/log.ts';
import { SOLE_OWNER, type Ownership } from '../../core/ownership.ts';
import { INSIDE, INSIDE_PATH } from '../local/bubblewrap.ts';
import { checkMounts } from '../local/createChecks.ts';
import { sandboxGone } from '../local/localErrors.ts';
import { SandboxFiles } from '../local/sandboxFiles.ts';
import { isSandboxId, sandboxIdOf } from '../local/sandboxId.ts';
import type { CreateSpec, ListedSandbox, ProbeResult, Sandbox, SandboxProvider, SandboxRef } from '../provider.ts';
import type { RemoteDriver } from '../remote/remoteDriver.ts';
import { RemoteSandbox } from '../remote/remoteSandbox.ts';
import { Turns } from '../turns.ts';
import { tryBinding } from './boundTrial.ts';
import { containerOptions, LABEL, type ContainerLimits } from './containerOptions.ts';
import type { ContainerRecord } from './containerRecord.ts';
import { DockerEngine } from './dockerEngine.ts';
import type { DockerSettings } from './dockerHost.ts';
import { SandboxFolders, WRITABLE, type User } from './sandboxFolders.ts';

export interface DockerProviderOptions {
  /** Holds one folder a sandbox; the relay's alone. */
  folder: string;
  log: Logger;
  engine: DockerSettings;
  image: string;
  limits: ContainerLimits;
  /** What sandboxes join to reach the model gateway when no socket can be put into them. */
  network: string | undefined;
  /** Default: nobody else ever uses the folder. */
  ownership?: Ownership;
}

/** A container of this relay without a record may be one that another call is just making. */
const GRACE_MS = 60_000;
const READY_TIMEOUT_MS = 30_000;

/** Sandboxes in containers, on whatever speaks the API of Docker. */
export function createDockerProvider(options: DockerProviderOptions): SandboxProvider {
  return new DockerProvider(options);
}

class DockerProvider implements SandboxProvider {
  readonly id = 'docker';
  readonly #options: DockerProviderOptions;
  readonly #ownership: Ownership;
  readonly #folders: SandboxFolders;
  readonly #turns = new Turns();
  readonly #user: User = containerUser();
  #engine: Promise<DockerEngine> | undefined;
  /** By engine and image; what was found once stays so. */
  readonly #bound = new Map<string, Promise<boolean>>();

  constructor(options: DockerProviderOptions) {
    this.#options = options;
    this.#ownership = options.ownership ?? SOLE_OWNER;
    this.#folders = new SandboxFolders(options.folder);
  }

  async probe(): Promise<ProbeResult> {
    const capabilities = { isolation: 'container', hostMounts: true, modelSocket: true } as const;
    try {
      const engine = await this.#connect();
      await engine.version();
      const { id } = await this.#requireImage(engine);
      if (await this.#isBound(engine, id)) {
        return { available: true, capabilities };
      }
      const elsewhere = { ...capabilities, hostMounts: false, modelSocket: false };
      return this.#options.network === undefined
        ? { available: false, capabilities: elsewhere, ...NO_NETWORK }
        : { available: true, capabilities: elsewhere };
    } catch (error) {
      const { message, hint } = toSandpiperError(error);
      return { available: false, capabilities, reason: message, ...(hint === undefined ? {} : { hint }) };
    }
  }

  async create(spec: CreateSpec): Promise<Sandbox> {
    const id = sandboxIdOf(spec.key);
    const known = await this.#folders.record(id);
    if (known === undefined || known.bound) {
      await checkMounts(spec);
    }
    const record = known ? await this.#renew(id, known, spec) : await this.#intend(id, spec);
    await this.#ensure(id, record);
    const sandbox = this.#open(id, await this.#folders.of(id), record);
    if (!record.bound) {
      await requirePaths(sandbox);
    }
    return sandbox;
  }

  async attach(ref: SandboxRef): Promise<Sandbox> {
    const record = ref.provider === this.id && isSandboxId(ref.id) ? await this.#folders.record(ref.id) : undefined;
    if (record === undefined) {
      throw sandboxGone(ref.id);
    }
    if (!record.bound && (await (await this.#connect()).container(await this.#nameOf(ref.id))) === undefined) {
      throw sandboxGone(ref.id);
    }
    return this.#open(ref.id, await this.#folders.of(ref.id), record);
  }

  async list(): Promise<ListedSandbox[]> {
    const ids = await this.#folders.ids();
    const records = await Promise.all(ids.map(async id => this.#folders.record(id)));
    return ids.flatMap((id, index) => {
      const record = records[index];
      return record === undefined ? [] : [{ provider: this.id, id, key: record.key }];
    });
  }

  async destroy(ref: SandboxRef): Promise<void> {
    if (ref.provider !== this.id || !isSandboxId(ref.id)) {
      return;
    }
    await this.#ownership.confirm();
    const wasThere = await this.#folders.discard(ref.id);
    await this.#turns.inTurn(ref.id, async () => (await this.#connect()).remove(await this.#nameOf(ref.id)));
    await this.#folders.clear(ref.id);
    if (wasThere) {
      this.#options.log.log('info', 'sandbox', 'Sandbox removed', { id: ref.id, provider: this.id });
    }
  }

  async endAbandoned(): Promise<void> {
    await this.#folders.forgetHalves();
    const relay = await this.#folders.relayId();
    try {
      const engine = await this.#connect();
      const containers = await engine.containers({ [LABEL.relay]: relay });
      for (const { name, labels, running } of containers) {
        const id = labels[LABEL.sandbox] ?? '';
        const record = isSandboxId(id) ? await this.#folders.record(id) : undefined;
        if (record !== undefined && running) {
          await this.#open(id, await this.#folders.of(id), record).killPassing();
        } else if (record === undefined && !(Date.now() - Number(labels[LABEL.createdAt]) < GRACE_MS)) {
          await this.#ownership.confirm();
          await engine.remove(name);
        }
      }
      await this.#folders.clear();
    } catch (error) {
      // An engine that is down keeps no relay from its other sandboxes; at the next start it is looked at again.
      const { message } = toSandpiperError(error);
      const level = (await this.#folders.ids()).length > 0 ? 'warn' : 'debug';
      this.#options.log.log(level, 'sandbox', 'Containers of the last relay could not be looked at', { message });
    }
  }

  /** What is to be is written down before anything is made. */
  async #intend(id: string, spec: CreateSpec): Promise<ContainerRecord> {
    const engine = await this.#connect();
    const image = await this.#requireImage(engine);
    const bound = await this.#isBound(engine, image.id);
    const { network } = this.#options;
    if (!bound && network === undefined) {
      throw new SandpiperError('sandbox_unavailable', NO_NETWORK.reason, { hint: NO_NETWORK.hint });
    }
    await this.#ownership.confirm();
    const record: ContainerRecord = {
      key: spec.key,
      createdAt: Date.now(),
      incarnation: randomUUID(),
      image: image.id,
      path: image.path ?? INSIDE_PATH,
      imageHasUser: image.hasUser,
      bound,
      ...(bound || network === undefined ? {} : { network }),
      ...mountsOf(bound, spec),
    };
    return this.#folders.make(id, record, this.#user);
  }

  /** The same key again: the sandbox stays, with the mounts of the latest call. */
  async #renew(id: string, record: ContainerRecord, spec: CreateSpec): Promise<ContainerRecord> {
    const { mounts: _mounts, relayFolder: _folder, ...kept } = record;
    return this.#folders.update(id, { ...kept, ...mountsOf(record.bound, spec) });
  }

  /**
   * The container of a sandbox, running. One that was stopped or removed by others comes back around the same folders;
   * where the files were in it, it is gone with them.
   */
  async #ensure(id: string, record: ContainerRecord, isAgain = false): Promise<void> {
    await this.#turns.inTurn(id, async () => {
      const engine = await this.#connect();
      const name = await this.#nameOf(id);
      const options = containerOptions(await this.#planOf(id, record));
      await this.#ownership.confirm();
      const found = await engine.container(name);
      const isSame = found?.labels[LABEL.options] === options.Labels[LABEL.options];
      if (found && !isSame) {
        await engine.remove(name);
      }
      if (!found || !isSame) {
        if (isAgain && !record.bound) {
          throw sandboxGone(id);
        }
        await engine.create(name, options);
        this.#options.log.log('info', 'sandbox', 'Container made', { id, name });
      }
      if (!found?.running || !isSame) {
        await engine.start(name);
      }
      // Destroyed meanwhile, its folder is gone, and nobody would look for the container again.
      if ((await this.#folders.record(id)) === undefined) {
        await engine.remove(name);
        throw sandboxGone(id);
      }
    });
  }

  async #planOf(id: string, record: ContainerRecord): Promise<Parameters<typeof containerOptions>[0]> {
    const folder = await this.#folders.of(id);
    const at = (name: string) => join(folder, name);
    const known = await this.#folders.userFiles(this.#user);
    return {
      image: record.image,
      user: this.#user,
      labels: {
        [LABEL.relay]: await this.#folders.relayId(),
        [LABEL.sandbox]: id,
        [LABEL.session]: record.key,
        [LABEL.createdAt]: String(record.createdAt),
      },
      limits: this.#options.limits,
      network: record.network,
      bound: record.bound
        ? {
            writable: WRITABLE.map(name => ({ hostPath: at(name), path: INSIDE[name] })),
            readOnly: [
              ...(record.imageHasUser && this.#user.uid === 1000 ? [] : known),
              ...record.mounts,
              ...(record.relayFolder === undefined ? [] : [{ hostPath: record.relayFolder, path: INSIDE.relay }]),
            ],
          }
        : undefined,
    };
  }

  #open(id: string, folder: string, record: ContainerRecord): RemoteSandbox {
    return new RemoteSandbox({
      ref: { provider: this.id, id },
      isolation: 'container',
      paths: INSIDE,
      hostMounts: record.bound,
      modelSocket: record.bound,
      driver: this.#driver(id, record),
      path: record.path,
      // The engine's processes are among this machine's, where `local` has sandboxes of the same ids.
      mark: `${this.id}-${id}/${record.incarnation}`,
      ownership: this.#ownership,
      turns: this.#turns,
      ...(record.bound
        ? {
            files: new SandboxFiles(
              id,
              WRITABLE.map(name => ({ inside: INSIDE[name], host: join(folder, name) })),
              process.getuid?.() === 0 ? this.#user : undefined,
            ),
          }
        : {}),
    });
  }

  #driver(id: string, record: ContainerRecord): RemoteDriver {
    return {
      run: async (argv, run) => {
        const engine = await this.#connect();
        const name = await this.#nameOf(id);
        for (let attempt = 1; ; attempt++) {
          if ((await this.#folders.record(id))?.incarnation !== record.incarnation) {
            throw sandboxGone(id);
          }
          const result = await engine.exec(name, argv, run);
          if (result !== undefined) {
            return result;
          }
          if (attempt === 2) {
            throw new SandpiperError('sandbox_unavailable', `The container ${name} does not stay up.`, {
              hint: `Look at why: docker inspect ${name}`,
            });
          }
          await this.#ensure(id, (await this.#folders.record(id)) ?? record, true);
        }
      },
    };
  }

  async #nameOf(id: string): Promise<string> {
    return `sandpiper-${(await this.#folders.relayId()).slice(0, 8)}-${id}`;
  }

  /** @throws `sandbox_unavailable` */
  #connect(): Promise<DockerEngine> {
    this.#engine ??= DockerEngine.connect(this.#options.engine).catch((error: unknown) => {
      // It may be started or installed at any moment.
      this.#engine = undefined;
      throw error;
    });
    return this.#engine;
  }

  async #requireImage(engine: DockerEngine): Promise<NonNullable<Awaited<ReturnType<DockerEngine['image']>>>> {
    const image = await engine.image(this.#options.image);
    if (image === undefined) {
      throw new SandpiperError('sandbox_unavailable', `The Docker engine has no image "${this.#options.image}".`, {
        hint: 'Make it with `sandpiper image build`, or name another one with SANDPIPER_DOCKER_IMAGE.',
      });
    }
    return image;
  }

  #isBound(engine: DockerEngine, image: string): Promise<boolean> {
    const known = this.#bound.get(image);
    if (known) {
      return known;
    }
    const trial = this.#tryBinding(engine, image);
    this.#bound.set(image, trial);
    trial.catch(() => this.#bound.delete(image));
    return trial;
  }

  async #tryBinding(engine: DockerEngine, image: string): Promise<boolean> {
    // Through the virtual machine of Docker Desktop files can be seen, but no socket be connected to.
    if (!engine.address.isLocal || process.platform !== 'linux' || /desktop/i.test((await engine.info()).system)) {
      return false;
    }
    return tryBinding(engine, {
      root: await this.#folders.root(),
      relay: await this.#folders.relayId(),
      image,
      user: this.#user,
      limits: this.#options.limits,
    });
  }
}

const NO_NETWORK = {
  reason:
    'The Docker engine does not see the files of this machine, so its sandboxes reach the model over a network only, and none is chosen.',
  hint: 'Name a network of the engine with SANDPIPER_DOCKER_NETWORK, best one whose only way out leads to SANDPIPER_PUBLIC_URL.',
};

function mountsOf(bound: boolean, spec: CreateSpec): Pick<ContainerRecord, 'mounts' | 'relayFolder'> {
  return {
    mounts: bound ? spec.mounts.map(({ hostPath, path }) => ({ hostPath, path })) : [],
    ...(bound && spec.relayFolder !== undefined ? { relayFolder: spec.relayFolder } : {}),
  };
}

/** The files that it makes belong to the relay's own user, so that this one can read and remove them; never to root. */
function containerUser(): User {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  return uid === 0 ? { uid: 1000, gid: 1000 } : { uid, gid };
}

/** @throws `sandbox_unavailable` when the image has not the folders that the agent works in */
async function requirePaths(sandbox: Sandbox): Promise<void> {
  const { workspace, home, journal } = sandbox.paths;
  const script = 'for folder do mkdir -p "$folder" && [ -w "$folder" ] || exit 1; done';
  const argv = ['sh', '-c', script, 'sh', workspace, home, journal];
  const { code } = await sandbox.exec(argv, { cwd: '/', timeoutMs: READY_TIMEOUT_MS });
  if (code !== 0) {
    throw new SandpiperError(
      'sandbox_unavailable',
      `The image has no folders ${workspace}, ${home} and ${journal} that its user may write to.`,
      { hint: 'Use an image that `sandpiper image build` made, or one that is built on it.' },
    );
  }
}
