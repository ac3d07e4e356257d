import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { runOrThrow } from '../../scripts/setup/command.ts';

const FOLDERS = 200;
const FILES_A_FOLDER = 105;
/** Of a file, on average: half small, a few large, as source is. */
const MEAN_LINES = 40;

export const LARGE_REPOSITORY_FILES = FOLDERS * FILES_A_FOLDER;

/** A repository with one commit of many files, always the same ones, checked out as its user would have it. */
export async function makeLargeRepository(folder: string): Promise<void> {
  await runOrThrow('git', ['init', '--quiet', '--initial-branch=main', folder]);
  const git = spawn('git', ['-C', folder, 'fast-import', '--quiet'], { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(git, 'exit');
  await pipeline(Readable.from(importStream()), git.stdin);
  const [code]: unknown[] = await ended;
  if (code !== 0) {
    throw new Error(`git fast-import ended with ${String(code)}.`);
  }
  await runOrThrow('git', ['-C', folder, 'reset', '--quiet', '--hard', 'main'], { timeoutMs: 300_000 });
}

function* importStream(): Generator<string> {
  yield 'commit refs/heads/main\ncommitter Bench <bench@localhost> 1795166960 +0000\ndata 6\nfiles\n\n';
  for (let number = 0; number < LARGE_REPOSITORY_FILES; number++) {
    const path = `packages/p${number % FOLDERS}/src/file${number}.ts`;
    const content = contentOf(number);
    yield `M 100644 inline ${path}\ndata ${content.length}\n${content}\n`;
  }
}

function contentOf(number: number): string {
  // Every residue of 7 is as frequent, so the mean is the sum of these weights by 7.
  const weight = [0.1, 0.2, 0.4, 0.6, 0.9, 1.5, 3.3][number % 7] ?? 1;
  const lines = Math.round(MEAN_LINES * weight);
  return Array.from(
    { length: lines },
    (_, line) => `export const value${line} = ${(number * 7919 + line * 104_729) % 1_000_003};\n`,
  ).join('');
}
