import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivate } from '../../core/writePrivate.ts';
import type { Mount } from '../provider.ts';
import type { ProcessIdentity } from './processTable.ts';

/** What the relay remembers of a sandbox, in a folder that the sandbox neither sees nor writes. */
export interface SandboxRecord {
  key: string;
  isolation: 'none' | 'process';
  /** Marks the processes of this sandbox, and of no later one of the same id. */
  incarnation: string;
  mounts: Mount[];
  relayFolder?: string;
}

/** `starting` is written before a process is made: whoever finds it looks for a marked process. */
type StartRecord = { state: 'starting' } | { state: 'started'; main: ProcessIdentity; others: ProcessIdentity[] };

const RECORD = 'sandbox.json';

export async function readSandboxRecord(folder: string): Promise<SandboxRecord | undefined> {
  const value = await readJson(join(folder, RECORD));
  if (
    !isObject(value) ||
    typeof value['key'] !== 'string' ||
    (value['isolation'] !== 'none' && value['isolation'] !== 'process') ||
    typeof value['incarnation'] !== 'string' ||
    !Array.isArray(value['mounts'])
  ) {
    return undefined;
  }
  return {
    key: value['key'],
    isolation: value['isolation'],
    incarnation: value['incarnation'],
    mounts: value['mounts'].filter(isMount),
    ...(typeof value['relayFolder'] === 'string' ? { relayFolder: value['relayFolder'] } : {}),
  };
}

export async function writeSandboxRecord(folder: string, record: SandboxRecord): Promise<void> {
  await writePrivate(join(folder, RECORD), JSON.stringify(record));
}

export async function readStartRecord(folder: string, name: string): Promise<StartRecord | undefined> {
  const value = await readJson(startFile(folder, name));
  if (!isObject(value)) {
    return undefined;
  }
  const { main, others } = value;
  return value['state'] === 'started' && isIdentity(main) && Array.isArray(others)
    ? { state: 'started', main, others: others.filter(isIdentity) }
    : { state: 'starting' };
}

export async function writeStartRecord(folder: string, name: string, record: StartRecord): Promise<void> {
  await mkdir(join(folder, 'processes'), { recursive: true });
  await writePrivate(startFile(folder, name), JSON.stringify(record));
}

export async function removeStartRecord(folder: string, name: string): Promise<void> {
  await rm(startFile(folder, name), { force: true });
}

/** Every process that is recorded, whether it lives or not. */
export async function recordedProcesses(folder: string): Promise<ProcessIdentity[]> {
  const files = await readdir(join(folder, 'processes')).catch(() => []);
  const names = files.filter(file => file.endsWith('.json')).map(file => file.slice(0, -'.json'.length));
  const records = await Promise.all(names.map(async name => readStartRecord(folder, name)));
  return records.flatMap(record => (record?.state === 'started' ? [record.main, ...record.others] : []));
}

function startFile(folder: string, name: string): string {
  return join(folder, 'processes', `${name}.json`);
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMount(value: unknown): value is Mount {
  return isObject(value) && typeof value['hostPath'] === 'string' && typeof value['path'] === 'string';
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return isObject(value) && typeof value['pid'] === 'number' && typeof value['born'] === 'string';
}
