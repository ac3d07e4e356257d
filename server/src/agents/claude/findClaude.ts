import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { SandpiperError, toError } from '../../../../protocol/errors.ts';
import type { FoundAgent } from '../agent.ts';
import { atLeast, MINIMUM_VERSION, versionIn } from './claudeVersion.ts';

const VERSION_TIMEOUT_MS = 20_000;
const INSTALL_HINT =
  'Install it with `npm install -g @anthropic-ai/claude-code`, or set SANDPIPER_CLAUDE to the path of the program.';

/** Where to look besides the configured path. */
export interface SearchPlaces {
  /** As the variable PATH. */
  path: string;
  /** Default: the user's. */
  home?: string;
  /** Where the program keeps what the user did with it; absent: that is not looked at. */
  configFolder?: string;
}

/**
 * Finds the `claude` program and asks it for its version. A configured path is the only place that is tried, so that a
 * wrong setting is seen.
 * @throws `agent_missing`, `agent_too_old`
 */
export async function findClaude(configuredPath: string | undefined, places: SearchPlaces): Promise<FoundAgent> {
  const candidates = configuredPath === undefined ? usualPlaces(places) : [resolve(configuredPath)];
  for (const candidate of candidates) {
    if (await isProgram(candidate)) {
      return checked(await realpath(candidate), await versionOf(candidate, places));
    }
  }
  throw new SandpiperError(
    'agent_missing',
    configuredPath === undefined
      ? 'Claude Code was not found on this machine.'
      : `There is no Claude Code program at ${configuredPath}.`,
    { hint: INSTALL_HINT },
  );
}

/**
 * Reads what the program at `path` of a sandbox answered to `--version`.
 * @throws `agent_missing`, `agent_too_old`
 */
export function versionFrom(answer: string, path: string): string {
  const version = versionIn(answer);
  if (version === undefined) {
    throw new SandpiperError('agent_missing', `${path} does not say a version as Claude Code does.`, {
      hint: INSTALL_HINT,
    });
  }
  return checked(path, version).version;
}

function checked(path: string, version: string): FoundAgent {
  if (!atLeast(version, MINIMUM_VERSION)) {
    throw new SandpiperError(
      'agent_too_old',
      `Claude Code ${version} at ${path} is too old: Sandpiper needs ${MINIMUM_VERSION} or newer.`,
      { hint: 'Upgrade it with `npm install -g @anthropic-ai/claude-code@latest`.' },
    );
  }
  return { path, version };
}

function usualPlaces(places: SearchPlaces): string[] {
  const home = places.home ?? homedir();
  const folders = [
    // An empty or relative entry would mean the current folder, which may be a hostile repository.
    ...places.path.split(delimiter).filter(isAbsolute),
    join(home, '.local', 'bin'),
    join(home, '.claude', 'local'),
    join(home, '.claude', 'local', 'node_modules', '.bin'),
    join(home, '.npm-global', 'bin'),
    '/usr/local/bin',
    '/opt/homebrew/bin',
  ];
  const name = process.platform === 'win32' ? 'claude.exe' : 'claude';
  return [...new Set(folders)].map(folder => join(folder, name));
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** @throws `agent_missing` when it does not answer as Claude Code does */
async function versionOf(program: string, places: SearchPlaces): Promise<string> {
  const output = await new Promise<string>((done, fail) => {
    execFile(
      program,
      ['--version'],
      // An npm installation starts with `#!/usr/bin/env node`; nothing else of the relay's environment is passed on.
      { timeout: VERSION_TIMEOUT_MS, killSignal: 'SIGKILL', env: { PATH: places.path, DISABLE_AUTOUPDATER: '1' } },
      (error, stdout) => (error === null ? done(stdout) : fail(error)),
    );
  }).catch((error: unknown) => {
    throw new SandpiperError('agent_missing', `${program} could not be run: ${toError(error).message.trim()}`, {
      hint: INSTALL_HINT,
      cause: error,
    });
  });
  return versionFrom(output, program);
}
