import type { Sandbox } from './provider.ts';

/** The relay's hands in the files of a sandbox, however far away they are. What stands there is hostile. */
export interface SandboxFileAccess {
  writeFile(path: string, data: Uint8Array, mode?: number): Promise<void>;
  readFrom: Sandbox['readFrom'];
  watch: Sandbox['watch'];
  wake(fifo: string): Promise<void> | void;
}
