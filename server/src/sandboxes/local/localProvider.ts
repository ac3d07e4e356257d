import { randomUUID } from 'node:crypto';
import { mkdir, readdir, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError } from '../../../../protocol/errors.ts';
import type { Logger } from '../../core/log.ts';
import { SOLE_OWNER, type Ownership } from '../../core/ownership.ts';
import type {
  CreateSpec,
  ListedSandbox,
  Mount,
  ProbeResult,
  Sandbox,
  SandboxProvider,
  SandboxRef,
} from '../provider.ts';
import { Turns } from '../turns.ts';
import { INSIDE } from './bubblewrap.ts';
import type { BubblewrapHost } from './bubblewrap.ts';
import { probeBubblewrap } from './bubblewrapHost.ts';
import type { BubblewrapProbe } from './bubblewrapHost.ts';
import { BubblewrapLauncher } from './bubblewrapLauncher.ts';
import { checkMounts, checkPlainMounts, noIsolationOn, requireConsent } from './createChecks.ts';
import { linuxProcesses } from './linuxProcesses.ts';
import { sandboxGone, toSandboxError } from './localErrors.ts';
import { LocalSandbox } from './localSandbox.ts';
import { makeOwnDevices, ownDevices } from './ownDevices.ts';
import { PlainLauncher } from './plainLauncher.ts';
import { killProcesses } from './processTable.ts';
import type { ProcessTable } from './processTable.ts';
import { psProcesses } from './psProcesses.ts';
import { removeTree } from './removeTree.ts';
import { hasErrorCode } from './safeFolder.ts';
import { sandboxIdOf, isSandboxId } from './sandboxId.ts';
import { SandboxFiles } from './sandboxFiles.ts';
import { readSandboxRecord, recordedProcesses, writeSandboxRecord } from './sandboxRecords.ts';
import type { SandboxRecord } from './sandboxRecords.ts';

interface LocalProviderOptions {
  /** Holds one folder a sandbox; the relay's alone. */
  folder: string;
  log: Logger;
  /** PATH, to find bwrap; and the PATH of programs at isolation `none`. */
  path: string;
  platform?: NodeJS.Platform;
  /** Default: nobody else ever uses the folder. */
  ownership?: Ownership;
}

/** Sandboxes on the relay's own machine: bubblewrap on Linux, and no isolation at all, with consent, elsewhere. */
export function createLocalProvider(options: LocalProviderOptions): SandboxProvider {
  return new LocalProvider(options);
}

/** A sandbox's folder: what it writes to, and beside it what only the relay has. */
const WRITABLE = ['workspace', 'home', 'journal'] as const;
const RECORDS = 'relay';
const DEVICES = 'devices';
/** Being made, and being removed: not sandboxes. */
const NEW = '.new-';
const TRASH = '.trash-';
const ABANDONED_MS = 3_600_000;

const ETC_FILES = {
  passwd: 'root:x:0:0:root:/root:/usr/sbin/nologin\nagent:x:1000:1000:agent:/home/agent:/bin/sh\n',
  group: 'root:x:0:\nagent:x:1000:\n',
  hosts: '127.0.0.1 localhost sandbox\n::1 localhost\n',
};

const ROOT_WARNING = {
  reason: 'The relay runs as root, so sandboxes can read what only root may read below /usr and /opt.',
  hint: 'Run the relay as an ordinary user.',
};

class LocalProvider implements SandboxProvider {
  readonly id = 'local';
  readonly #options: LocalProviderOptions;
  readonly #platform: NodeJS.Platform;
  readonly #ownership: Ownership;
  readonly #table: ProcessTable;
  readonly #turns = new Turns();
  #root: Promise<string> | undefined;
  #host: BubblewrapHost | undefined;

  constructor(options: LocalProviderOptions) {
    this.#options = options;
    this.#platform = options.platform ?? process.platform;
    const ownership = options.ownership ?? SOLE_OWNER;
    this.#ownership = ownership;
    const table = process.platform === 'linux' ? linuxProcesses() : psProcesses();
    this.#table = { ...table, beforeKill: () => ownership.confirm() };
  }

  async probe(): Promise<ProbeResult> {
    const bubblewrap = await this.#probeBubblewrap();
    const windows = this.#platform === 'win32';
    const capabilities = { hostMounts: true, modelSocket: !windows };
    if (bubblewrap.works) {
      const warning = process.getuid?.() === 0 ? ROOT_WARNING : {};
      return { available: true, capabilities: { isolation: 'process', ...capabilities }, ...warning };
    }
    const { reason, hint } = bubblewrap;
    return { available: !windows, capabilities: { isolation: 'none', ...capabilities }, reason, hint };
  }

  async create(spec: CreateSpec): Promise<Sandbox> {
    const id = sandboxIdOf(spec.key);
    await checkMounts(spec);
    const folder = join(await this.#folder(), id);
    const existing = await readSandboxRecord(join(folder, RECORDS));
    if (existing !== undefined) {
      return this.#open(id, folder, await this.#renew(folder, existing, spec));
    }
    const record = await this.#newRecord(spec);
    try {
      const made = await this.#make(folder, record);
      this.#options.log.log('info', 'sandbox', 'Sandbox made', { id, isolation: made.isolation });
      return this.#open(id, folder, made);
    } catch (error) {
      throw toSandboxError(error, 'The sandbox could not be made');
    }
  }

  async adopt(from: SandboxRef, spec: CreateSpec): Promise<Sandbox | undefined> {
    if (from.provider !== this.id || !isSandboxId(from.id)) {
      throw sandboxGone(from.id);
    }
    await checkMounts(spec);
    const root = await this.#folder();
    const id = sandboxIdOf(spec.key);
    const [source, target] = [join(root, from.id), join(root, id)];
    const record = await readSandboxRecord(join(source, RECORDS));
    if (record?.isolation !== 'process' || (await readSandboxRecord(join(target, RECORDS))) !== undefined) {
      return undefined;
    }
    // Before it has its name: whatever is found under a name belongs to that name's key.
    const adopted = withMounts({ ...record, key: spec.key, incarnation: randomUUID() }, spec);
    await this.#ownership.confirm();
    try {
      await writeSandboxRecord(join(source, RECORDS), adopted);
      await rename(source, target);
    } catch (error) {
      throw toSandboxError(error, 'The sandbox could not be taken over');
    }
    this.#options.log.log('info', 'sandbox', 'Sandbox taken over', { id, from: from.id });
    return this.#open(id, target, adopted);
  }

  async attach(ref: SandboxRef): Promise<Sandbox> {
    if (ref.provider !== this.id || !isSandboxId(ref.id)) {
      throw sandboxGone(ref.id);
    }
    const folder = join(await this.#folder(), ref.id);
    const record = await readSandboxRecord(join(folder, RECORDS));
    if (record === undefined) {
      throw sandboxGone(ref.id);
    }
    return this.#open(ref.id, folder, record);
  }

  async list(): Promise<ListedSandbox[]> {
    const root = await this.#folder();
    await this.#sweep(root);
    const ids = (await readdir(root)).filter(isSandboxId);
    const records = await Promise.all(ids.map(async id => readSandboxRecord(join(root, id, RECORDS))));
    return ids.flatMap((id, index) => {
      const record = records[index];
      return record === undefined ? [] : [{ provider: this.id, id, key: record.key }];
    });
  }

  async destroy(ref: SandboxRef): Promise<void> {
    if (ref.provider !== this.id || !isSandboxId(ref.id)) {
      return;
    }
    const root = await this.#folder();
    const trash = join(root, `${TRASH}${ref.id}-${randomUUID()}`);
    await this.#ownership.confirm();
    try {
      // From here on nothing can be started in it, and a relay that dies now finishes the work when it lists.
      await rename(join(root, ref.id), trash);
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) {
        // A relay that was killed may have got no further than that.
        await this.#sweep(root, `${TRASH}${ref.id}-`);
        // Or somebody removed the folder: what ran in it may still do so.
        await killProcesses(this.#table, mark => mark.startsWith(`${ref.id}/`));
        return;
      }
      throw toSandboxError(error, 'The sandbox could not be removed');
    }
    await this.#remove(trash, ref.id);
    this.#options.log.log('info', 'sandbox', 'Sandbox removed', { id: ref.id });
  }

  async endAbandoned(): Promise<void> {
    const root = await this.#folder();
    // The mark of what is started to last has a name after one colon.
    const found = (await this.#table.list()).map(({ mark }) => mark).filter(mark => mark.includes('::'));
    const ids = [...new Set(found.map(mark => mark.slice(0, mark.indexOf('/'))))].filter(isSandboxId);
    const records = await Promise.all(ids.map(async id => readSandboxRecord(join(root, id, RECORDS))));
    const marks = new Set(records.flatMap((record, index) => (record ? [markOf(ids[index] ?? '', record)] : [])));
    if (marks.size > 0) {
      await killProcesses(this.#table, mark => mark.includes('::') && marks.has(mark.slice(0, mark.indexOf('::'))));
    }
    // Nothing is being made yet by this owner, so what is half made is left from the last one.
    for (const name of (await readdir(root)).filter(entry => entry.startsWith(NEW))) {
      await removeTree(join(root, name));
    }
  }

  async #remove(trash: string, id: string): Promise<void> {
    const records = join(trash, RECORDS);
    const record = await readSandboxRecord(records);
    if (record !== undefined) {
      const mark = `${markOf(id, record)}:`;
      await killProcesses(this.#table, candidate => candidate.startsWith(mark), await recordedProcesses(records));
    } else if (isSandboxId(id)) {
      // Somebody was removing the folder, and the record went first: of this id only what was made anew may run.
      const now = await readSandboxRecord(join(await this.#folder(), id, RECORDS));
      const kept = now && `${markOf(id, now)}:`;
      await killProcesses(
        this.#table,
        candidate => candidate.startsWith(`${id}/`) && (kept === undefined || !candidate.startsWith(kept)),
      );
    }
    try {
      await removeTree(trash);
    } catch (error) {
      throw toSandboxError(error, 'The sandbox could not be removed');
    }
  }

  /** Finishes what an earlier relay began to remove, and forgets what it only began to make. */
  async #sweep(root: string, prefix = ''): Promise<void> {
    for (const name of (await readdir(root)).filter(candidate => candidate.startsWith(prefix))) {
      const path = join(root, name);
      try {
        if (name.startsWith(TRASH)) {
          await this.#remove(path, name.slice(TRASH.length, TRASH.length + sandboxIdOf('').length));
        } else if (name.startsWith(NEW) && Date.now() - (await stat(path)).mtimeMs > ABANDONED_MS) {
          await removeTree(path);
        }
      } catch (error) {
        this.#options.log.log('warn', 'sandbox', 'A removed sandbox could not be cleared away', {
          path,
          error: String(error),
        });
      }
    }
  }

  /** The same key again: the sandbox stays, what will be started in it later gets the mounts of the latest call. */
  async #renew(folder: string, record: SandboxRecord, spec: CreateSpec): Promise<SandboxRecord> {
    if (record.isolation === 'none') {
      requireConsent(spec, 'this sandbox was made without isolation.', undefined);
      checkPlainMounts(spec.mounts);
    }
    const renewed = withMounts(record, spec);
    if (JSON.stringify(renewed) !== JSON.stringify(record)) {
      await writeSandboxRecord(join(folder, RECORDS), renewed);
    }
    return renewed;
  }

  async #newRecord(spec: CreateSpec): Promise<SandboxRecord> {
    const bubblewrap = await this.#knownBubblewrap();
    if (!bubblewrap.works) {
      if (this.#platform === 'win32') {
        throw new SandpiperError('sandbox_unavailable', bubblewrap.reason, { hint: bubblewrap.hint });
      }
      requireConsent(spec, bubblewrap.reason, bubblewrap.hint);
      checkPlainMounts(spec.mounts);
    }
    const isolation = bubblewrap.works ? 'process' : 'none';
    return withMounts({ key: spec.key, isolation, incarnation: randomUUID(), mounts: [] }, spec);
  }

  /** Makes the folder aside and puts it in place whole; the sandbox that another call made meanwhile wins. */
  async #make(folder: string, record: SandboxRecord): Promise<SandboxRecord> {
    const aside = join(await this.#folder(), `${NEW}${randomUUID()}`);
    try {
      await mkdir(aside, { mode: 0o700 });
      await Promise.all([...WRITABLE, RECORDS].map(async name => mkdir(join(aside, name), { mode: 0o700 })));
      const records = join(aside, RECORDS);
      await Promise.all(Object.entries(ETC_FILES).map(async ([name, text]) => writeFile(join(records, name), text)));
      if (record.isolation === 'process') {
        await makeOwnDevices(join(records, DEVICES));
      }
      await writeSandboxRecord(records, record);
      await rename(aside, folder);
      return record;
    } catch (error) {
      await removeTree(aside);
      const other = await readSandboxRecord(join(folder, RECORDS));
      if (other === undefined || !hasErrorCode(error, 'ENOTEMPTY', 'EEXIST')) {
        throw error;
      }
      return other;
    }
  }

  #open(id: string, folder: string, record: SandboxRecord): Sandbox {
    const [workspace, home, journal] = [join(folder, 'workspace'), join(folder, 'home'), join(folder, 'journal')];
    const records = join(folder, RECORDS);
    const isolated = record.isolation === 'process';
    const paths = isolated ? INSIDE : { workspace, home, journal, relay: record.relayFolder ?? records };
    const writable = [
      { hostPath: workspace, path: paths.workspace },
      { hostPath: home, path: paths.home },
      { hostPath: journal, path: paths.journal },
    ];
    const [table, ownership] = [this.#table, this.#ownership];
    let devices: Promise<Mount[]> | undefined;
    const launcher = isolated
      ? new BubblewrapLauncher({
          host: async () => this.#bubblewrap(),
          writable,
          readOnly: readOnly(record, records),
          devices: async () => (devices ??= ownDevices(join(records, DEVICES))),
          table,
          ownership,
        })
      : new PlainLauncher({ home, path: this.#options.path, table, ownership });
    return new LocalSandbox({
      ref: { provider: this.id, id },
      isolation: record.isolation,
      paths,
      mark: markOf(id, record),
      records,
      files: new SandboxFiles(
        id,
        writable.map(mount => ({ inside: mount.path, host: mount.hostPath })),
      ),
      launcher,
      table,
      ownership,
      inTurn: async (name, action) => this.#turns.inTurn(`${id}:${name}`, action),
    });
  }

  /** @throws `sandbox_unavailable`: a sandbox that was made isolated is never entered without isolation */
  async #bubblewrap(): Promise<BubblewrapHost> {
    const known = await this.#knownBubblewrap();
    if (!known.works) {
      throw new SandpiperError('sandbox_unavailable', `The sandbox cannot be entered: ${known.reason}`, {
        hint: known.hint,
      });
    }
    return known.host;
  }

  /** What worked once is taken to work; what did not is tried again. */
  async #knownBubblewrap(): Promise<BubblewrapProbe> {
    return this.#host === undefined ? this.#probeBubblewrap() : { works: true, host: this.#host };
  }

  async #probeBubblewrap(): Promise<BubblewrapProbe> {
    if (this.#platform !== 'linux') {
      return { works: false, ...noIsolationOn(this.#platform) };
    }
    const probe = await probeBubblewrap(this.#options.path);
    this.#host = probe.works ? probe.host : undefined;
    return probe;
  }

  /** The folder of all sandboxes, made once and with every link in its own path resolved: what is below has none. */
  async #folder(): Promise<string> {
    this.#root ??= mkdir(this.#options.folder, { recursive: true, mode: 0o700 })
      .then(async () => realpath(this.#options.folder))
      .catch((error: unknown) => {
        this.#root = undefined;
        throw toSandboxError(error, 'The folder of the sandboxes could not be made');
      });
    return this.#root;
  }
}

function markOf(id: string, record: SandboxRecord): string {
  return `${id}/${record.incarnation}`;
}

function withMounts(record: SandboxRecord, spec: CreateSpec): SandboxRecord {
  const { key, isolation, incarnation } = record;
  const mounts = spec.mounts.map(({ hostPath, path }) => ({ hostPath, path }));
  return {
    key,
    isolation,
    incarnation,
    mounts,
    ...(spec.relayFolder === undefined ? {} : { relayFolder: spec.relayFolder }),
  };
}

function readOnly(record: SandboxRecord, records: string): Mount[] {
  return [
    ...Object.keys(ETC_FILES).map(name => ({ hostPath: join(records, name), path: `/etc/${name}` })),
    ...record.mounts,
    ...(record.relayFolder === undefined ? [] : [{ hostPath: record.relayFolder, path: INSIDE.relay }]),
  ];
}
