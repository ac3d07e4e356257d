import { open } from 'node:fs/promises';

/** Makes renames in a folder last over a power cut. Windows opens no folder; there the rename itself is written through. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') {
    return;
  }
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
