import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SandpiperError } from '../../../protocol/errors.ts';
import { SPEC_TEMPLATES, STACKS, type Stack } from '../../../protocol/specTemplates.ts';
import { readSpec } from '../../../protocol/specText.ts';
import type { ProgramOptions } from './command.ts';

/* Where the text of a spec comes from on the command line. */

/** @throws `invalid_params` with the line of the first fault */
export async function newText(file: string | undefined, flags: { template?: string; stack: string }): Promise<string> {
  const template = SPEC_TEMPLATES.find(({ id }) => id === flags.template);
  if ((file === undefined) === (template === undefined)) {
    throw new SandpiperError('invalid_params', 'A spec is made from a file or from a template.', {
      hint: 'Name one of them: `spec new my-spec.md` or `spec new --template fix-issue`.',
    });
  }
  if (template) {
    return template.text(isStack(flags.stack) ? flags.stack : 'node');
  }
  const text = await readText(file ?? '-');
  const [problem] = readSpec(text).problems;
  if (problem) {
    throw new SandpiperError('invalid_params', `${file ?? ''} is no spec. Line ${problem.line}: ${problem.message}`, {
      hint: 'docs/specs.md says how a spec is written.',
    });
  }
  return text;
}

function isStack(name: string): name is Stack {
  return Object.hasOwn(STACKS, name);
}

export async function readText(file: string): Promise<string> {
  if (file !== '-') {
    return readFile(resolve(file), 'utf8').catch((error: unknown) => {
      throw new SandpiperError('not_found', `${file} cannot be read.`, { cause: error });
    });
  }
  const parts: Buffer[] = [];
  for await (const part of process.stdin) {
    parts.push(Buffer.from(part));
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Opens the person's editor on a copy; what they saved is the answer. */
export async function edited(text: string, { environment }: ProgramOptions): Promise<string> {
  const editor = environment['VISUAL'] ?? environment['EDITOR'];
  if (editor === undefined || editor.trim() === '') {
    throw new SandpiperError('invalid_params', 'There is no editor: neither VISUAL nor EDITOR is set.', {
      hint: 'Set one of them, or name a file: `spec edit <spec> new.md`.',
    });
  }
  const folder = await mkdtemp(join(tmpdir(), 'sandpiper-spec-'));
  try {
    const file = join(folder, 'spec.md');
    await writeFile(file, text, { mode: 0o600 });
    const [program = '', ...args] = editor.trim().split(/\s+/);
    const child = spawn(program, [...args, file], { stdio: 'inherit' });
    const [code] = await once(child, 'close');
    if (code !== 0) {
      throw new SandpiperError('stopped', `${program} ended with code ${String(code)}: nothing was saved.`);
    }
    return await readFile(file, 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
