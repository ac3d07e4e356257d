import { randomBytes, randomUUID } from 'node:crypto';
import type { CallResult } from '../../../protocol/calls.ts';
import { spellings } from '../redaction/encodings.ts';
import { SecretSearch, type Secret } from '../redaction/secretSearch.ts';
import type { Sandbox } from '../sandboxes/provider.ts';

/*
 * Looks in a live sandbox for everything that the relay holds. What is in it is brought out and searched here: a program in
 * the sandbox that knew what to look for would put it there. A value that was made up is planted and must be found.
 */

type Proof = CallResult<'session.findSecrets'>;

const LIST_TIMEOUT_MS = 120_000;
const READ_TIMEOUT_MS = 120_000;
const MAX_NAMES_BYTES = 32 << 20;
const BATCH_FILES = 200;
const BATCH_BYTES = 8 << 20;
/** Of one file at once; a longer one is read piece by piece. */
const PIECE_BYTES = 2 << 20;
/** A value that stands across two pieces is found in this overlap. */
const OVERLAP_BYTES = 8192;
/** The agent's own program, where one was sent, and what is as large. */
const MAX_FILE_BYTES = 64 << 20;
const CONTROL = 'the planted value';

/** Prints files as long as there is room, each behind `mark bytes name`, and of each its first bytes. */
const READ_SCRIPT = `mark=$1 most=$2 left=$3
shift 3
for file do
  bytes=0
  [ -r "$file" ] && [ -f "$file" ] && bytes=$(wc -c <"$file" 2>/dev/null)
  bytes=$((bytes + 0))
  taken=$bytes
  [ "$taken" -le "$most" ] || taken=$most
  [ "$left" -ge "$taken" ] || break
  left=$((left - taken))
  printf '\\n%s %s %s\\n' "$mark" "$bytes" "$file"
  [ "$taken" = 0 ] || head -c "$taken" "$file" 2>/dev/null
done
exit 0`;
/** Of every process in sight. */
const PROCESS_SCRIPT = `for one in /proc/[0-9]*; do
  printf '\\n%s %s\\n' "$1" "\${one#/proc/}"
  cat "$one/environ" "$one/cmdline" 2>/dev/null
done
exit 0`;
const GIT_SCRIPT = `git config --list --show-origin 2>&1
git -C "$1" config --list --show-origin 2>&1
git -C "$1" for-each-ref 2>&1
exit 0`;

/** @throws `sandbox_gone`, `sandbox_unavailable` */
export async function searchSandbox(sandbox: Sandbox, secrets: readonly Secret[]): Promise<Proof> {
  const control = `planted-${randomBytes(16).toString('hex')}`;
  const { home, workspace, journal } = sandbox.paths;
  const planted = `${home}/.sandpiper-planted`;
  const hunt = new Hunt(sandbox, [...secrets, { name: CONTROL, value: control }]);
  await sandbox.writeFile(planted, Buffer.from(spellings(control).join('\n')), { mode: 0o600 });
  try {
    await hunt.processes();
    await hunt.git(workspace);
    await hunt.files([workspace, home, journal, '/tmp', '/run', '/etc']);
  } finally {
    await sandbox.exec(['rm', '-f', planted], { cwd: '/', timeoutMs: LIST_TIMEOUT_MS }).catch(() => {});
  }
  const { found, ...looked } = hunt.result;
  return {
    ...looked,
    secrets: secrets.map(({ name, value }) => ({ name, spellings: spellings(value).length })),
    found: found.filter(({ name }) => name !== CONTROL),
    controlFound: found.some(({ name, where }) => name === CONTROL && where === planted),
  };
}

class Hunt {
  readonly #sandbox: Sandbox;
  readonly #search: SecretSearch;
  readonly result: Omit<Proof, 'secrets' | 'controlFound'> = {
    processes: 0,
    files: 0,
    bytes: 0,
    notSearched: ['what stands compressed in git objects', 'the memory of processes'],
    found: [],
  };

  constructor(sandbox: Sandbox, secrets: readonly Secret[]) {
    this.#sandbox = sandbox;
    this.#search = new SecretSearch(secrets);
  }

  /** Environments and command lines: of what runs, and of what the relay would run. */
  async processes(): Promise<void> {
    const seen = (await this.#sandbox.processTexts?.()) ?? [];
    for (const { pid, text } of seen) {
      this.#look(`process ${pid}`, text);
    }
    const mark = randomUUID();
    const { stdout } = await this.#run(PROCESS_SCRIPT, [mark], BATCH_BYTES);
    const others = partsOf(stdout, mark);
    others.forEach(({ head, content }) => this.#look(`process ${head} in the sandbox`, content));
    this.result.processes = seen.length + others.length;
  }

  async git(workspace: string): Promise<void> {
    const { stdout } = await this.#run(GIT_SCRIPT, [workspace], BATCH_BYTES);
    this.#look('git configuration and refs', stdout);
  }

  async files(roots: readonly string[]): Promise<void> {
    const script = 'find "$@" -xdev -type f -print0 2>/dev/null; exit 0';
    const { stdout } = await this.#run(script, roots, MAX_NAMES_BYTES);
    const names = [...new Set(stdout.toString('utf8').split('\0'))].filter(name => name.startsWith('/'));
    for (let at = 0; at < names.length;) {
      // At least one is read each time: no file gives more than a piece.
      at += Math.max(1, await this.#batch(names.slice(at, at + BATCH_FILES)));
    }
  }

  /** @returns how many of them were read, from the first on */
  async #batch(names: readonly string[]): Promise<number> {
    const mark = randomUUID();
    const args = [mark, String(PIECE_BYTES), String(BATCH_BYTES), ...names];
    const parts = partsOf((await this.#run(READ_SCRIPT, args, 2 * BATCH_BYTES)).stdout, mark);
    for (const { head, content } of parts) {
      const [size = '0', ...rest] = head.split(' ');
      const name = rest.join(' ');
      this.result.files++;
      this.#look(name, content);
      if (Number(size) > content.length) {
        await this.#rest(name, Number(size));
      }
    }
    return parts.length;
  }

  async #rest(name: string, size: number): Promise<void> {
    if (size > MAX_FILE_BYTES) {
      this.result.notSearched.push(`${name}: ${size} bytes, of which the first were searched`);
      return;
    }
    for (let at = PIECE_BYTES; at < size; at += PIECE_BYTES) {
      const script = 'tail -c "+$2" "$1" | head -c "$3"';
      const from = at - OVERLAP_BYTES;
      const args = [name, String(from + 1), String(PIECE_BYTES + OVERLAP_BYTES)];
      this.#look(name, (await this.#run(script, args, BATCH_BYTES)).stdout);
    }
  }

  #look(where: string, content: Buffer): void {
    this.result.bytes += content.length;
    for (const name of this.#search.redact(content.toString('latin1')).found.keys()) {
      if (!this.result.found.some(one => one.name === name && one.where === where)) {
        this.result.found.push({ name, where });
      }
    }
  }

  #run(script: string, args: readonly string[], maxOutputBytes: number): ReturnType<Sandbox['exec']> {
    const options = { cwd: '/', timeoutMs: READ_TIMEOUT_MS, maxOutputBytes };
    return this.#sandbox.exec(['sh', '-c', script, 'sh', ...args], options);
  }
}

function partsOf(output: Buffer, mark: string): { head: string; content: Buffer }[] {
  const parts: { head: string; content: Buffer }[] = [];
  const sign = Buffer.from(`\n${mark} `);
  for (let at = output.indexOf(sign); at >= 0;) {
    const end = output.indexOf(0x0a, at + sign.length);
    const next = output.indexOf(sign, at + sign.length);
    const stop = next < 0 ? output.length : next;
    if (end >= 0) {
      const head = output.toString('utf8', at + sign.length, Math.min(end, stop));
      parts.push({ head, content: output.subarray(Math.min(end + 1, stop), stop) });
    }
    at = next;
  }
  return parts;
}
