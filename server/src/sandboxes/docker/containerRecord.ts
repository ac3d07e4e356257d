import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writePrivate } from '../../core/writePrivate.ts';

const RECORD = 'container.json';
const mountSchema = z.object({ hostPath: z.string(), path: z.string() });
const recordSchema = z.object({
  key: z.string(),
  createdAt: z.number(),
  /** Marks the processes of this sandbox, and of no later one of the same id. */
  incarnation: z.string(),
  /** The image's id: another image of the same name does not change a sandbox. */
  image: z.string(),
  path: z.string(),
  imageHasUser: z.boolean(),
  /** Whether the engine sees this machine's files. */
  bound: z.boolean(),
  network: z.string().optional(),
  mounts: z.array(mountSchema),
  relayFolder: z.string().optional(),
});

/**
 * What the relay knows of a container's sandbox; written before the container is made, so that a relay that was killed in
 * between finds it or makes it again.
 */
export type ContainerRecord = z.infer<typeof recordSchema>;

export async function readContainerRecord(folder: string): Promise<ContainerRecord | undefined> {
  const text = await readFile(join(folder, RECORD), 'utf8').catch(() => undefined);
  if (text === undefined) {
    return undefined;
  }
  try {
    return recordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export async function writeContainerRecord(folder: string, record: ContainerRecord): Promise<void> {
  await writePrivate(join(folder, RECORD), JSON.stringify(record));
}
