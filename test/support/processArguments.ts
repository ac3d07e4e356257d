import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * A `git` that writes down its arguments before it does what the real one does, for a process whose PATH begins with
 * `folder`: no run of it is too short to be seen.
 */
export async function noteGitArguments(folder: string): Promise<{ path: string; read(): Promise<string> }> {
  const { stdout } = await run('sh', ['-c', 'command -v git']);
  const notes = join(folder, 'arguments');
  const script = join(folder, 'git');
  await mkdir(folder, { recursive: true });
  await writeFile(script, `#!/bin/sh\nprintf '%s\\n' "$*" >>'${notes}'\nexec '${stdout.trim()}' "$@"\n`);
  await chmod(script, 0o755);
  return {
    path: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
    read: () => readFile(notes, 'utf8').catch(() => ''),
  };
}

/** Collects the arguments of the processes of this machine, as far as it sees them, until it is ended. */
export function watchArguments(): { end(): Promise<string> } {
  const seen = new Set<string>();
  let isOver = false;
  const look = async () => {
    while (!isOver) {
      for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
        seen.add(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
      }
    }
  };
  const looking = look();
  return {
    async end() {
      isOver = true;
      await looking;
      return [...seen].join('\n');
    },
  };
}
