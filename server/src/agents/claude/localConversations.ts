import { lstat, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError } from '../../../../protocol/errors.ts';
import type { LocalConversation, LocalConversations } from '../agent.ts';
import { askedIn, parseRows, readTranscript, titleOf } from './transcript.ts';

const MAX_FILES = 2000;
/** Enough of a file to say what it is about. */
const HEAD_BYTES = 128 * 1024;
const MAX_BYTES = 100 * 1024 * 1024;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The conversations that a person had with Claude Code by themselves, on this machine: `projects/<folder>/<id>.jsonl` in its
 * configuration folder. They are only read. A link is not followed: it could name any file.
 */
export function localConversations(configFolder: string): LocalConversations {
  const root = join(configFolder, 'projects');
  const files = async (): Promise<{ id: string; path: string; bytes: number; updatedAt: number }[]> => {
    const found: { id: string; path: string; bytes: number; updatedAt: number }[] = [];
    for (const project of await namesIn(root)) {
      const folder = join(root, project);
      if (!(await lstat(folder)).isDirectory()) {
        continue;
      }
      for (const name of await namesIn(folder)) {
        const id = name.replace(/\.jsonl$/, '');
        const path = join(folder, name);
        const seen = name.endsWith('.jsonl') && ID.test(id) ? await lstat(path).catch(() => undefined) : undefined;
        if (seen?.isFile() === true && seen.size > 0) {
          found.push({ id, path, bytes: seen.size, updatedAt: seen.mtimeMs });
        }
      }
    }
    return found.sort((one, other) => other.updatedAt - one.updatedAt).slice(0, MAX_FILES);
  };
  return {
    async list() {
      const all: LocalConversation[] = [];
      for (const { path, ...file } of await files()) {
        const known = describe(await headOf(path));
        // What has no message of the person is the program's own.
        all.push(...(known ? [{ ...file, ...known }] : []));
      }
      return all;
    },
    async read(id, conversationId) {
      const file = (await files()).find(each => each.id === id);
      if (!file) {
        throw new SandpiperError('not_found', `There is no conversation ${id} of Claude Code on this machine.`, {
          hint: 'List them again: it may have been removed.',
        });
      }
      if (file.bytes > MAX_BYTES) {
        throw new SandpiperError('too_large', `This conversation has ${Math.round(file.bytes / 1e6)} MB.`, {
          hint: 'Use /compact in Claude Code first, or begin a new session and tell it what it needs to know.',
        });
      }
      const transcript = readTranscript(await readFile(file.path, 'utf8'), conversationId);
      if (transcript.turns.length === 0) {
        throw new SandpiperError('invalid_params', 'This file holds no conversation that could be read.', {
          hint: `It stays as it is: ${file.path}`,
        });
      }
      return { ...transcript, id, bytes: file.bytes, updatedAt: file.updatedAt };
    },
  };
}

function describe(head: string): Pick<LocalConversation, 'title' | 'folder' | 'branch'> | undefined {
  const { rows } = parseRows(head);
  const asked = rows.flatMap(row => askedIn(row) ?? []);
  if (asked.length === 0) {
    return undefined;
  }
  const textIn = (name: string): string =>
    rows.flatMap(row => (typeof row[name] === 'string' && row[name] !== '' ? [row[name]] : []))[0] ?? '';
  const branch = textIn('gitBranch');
  return {
    title: titleOf(
      rows,
      asked.map(text => ({ text })),
    ),
    folder: textIn('cwd'),
    branch: branch === '' ? undefined : branch,
  };
}

async function headOf(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
