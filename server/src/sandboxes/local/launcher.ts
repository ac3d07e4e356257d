import type { ExecResult } from '../provider.ts';
import type { ProcessIdentity } from './processTable.ts';

/** A program and its surroundings, checked and with nothing left to default. */
export interface Launch {
  argv: readonly [string, ...string[]];
  cwd: string;
  /** Without HOME, PATH and the mark, which the launcher adds. */
  env: Readonly<Record<string, string>>;
  /** Value of MARKER for this program. */
  mark: string;
}

export interface ExecLaunch extends Launch {
  stdin: Uint8Array | undefined;
  timeoutMs: number;
  maxOutputBytes: number;
}

/** How programs come to run in a sandbox of one isolation. */
export interface Launcher {
  exec(launch: ExecLaunch): Promise<ExecResult>;
  /** `main` lives exactly as long as the program; `others` must die with it. */
  start(launch: Launch): Promise<{ main: ProcessIdentity; others: ProcessIdentity[] }>;
}
