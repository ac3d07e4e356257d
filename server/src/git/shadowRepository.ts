import { copyFile, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { gitEnvironment, quoteAlternate } from './git.ts';
import type { UserRepository, UserSettings } from './userRepository.ts';

/**
 * A throw-away git directory over the user's work tree. The user's `.git` is only read (I7), and its configuration is
 * not obeyed: no filter, monitor, hook or submodule of it can run anything, because git never opens it.
 */
export interface ShadowRepository {
  gitDir: string;
  workTree: string;
  /** The whole environment for a git that only reads; it sees the user's objects. */
  readEnv: Record<string, string>;
  /**
   * The same for one that writes objects, without the user's: git renews the time of an object that it would write but
   * finds in a store, a borrowed one too.
   */
  writeEnv: Record<string, string>;
}

/** What decides how files become blobs. Everything else in a configuration is left out, and with it every command. */
const SETTINGS: Readonly<Record<string, RegExp>> = {
  'core.filemode': /^(true|false|yes|no|on|off|0|1)$/i,
  'core.symlinks': /^(true|false|yes|no|on|off|0|1)$/i,
  'core.ignorecase': /^(true|false|yes|no|on|off|0|1)$/i,
  'core.precomposeunicode': /^(true|false|yes|no|on|off|0|1)$/i,
  'core.autocrlf': /^(true|false|yes|no|on|off|0|1|input)$/i,
  'core.eol': /^(lf|crlf|native)$/i,
};

/**
 * Makes a shadow of the user's repository, uses it and removes it.
 * @param options.folder where the shadow is made; the relay's own
 * @param options.alternates object stores of ours that it can read, and write to as git does to an alternate
 */
export async function withShadow<T>(
  repository: UserRepository & { workTree: string },
  options: { folder: string; head: string; alternates?: readonly string[]; home?: string },
  use: (shadow: ShadowRepository) => Promise<T>,
): Promise<T> {
  const gitDir = await mkdtemp(join(options.folder, 'shadow-'));
  try {
    await Promise.all(
      ['objects/info', 'objects/pack', 'refs', 'info'].map(part => mkdir(join(gitDir, part), { recursive: true })),
    );
    const stores = options.alternates ?? [];
    await Promise.all([
      writeFile(join(gitDir, 'HEAD'), `${options.head}\n`),
      writeFile(join(gitDir, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = false\n'),
      writeFile(join(gitDir, 'objects/info/alternates'), stores.map(store => `${quoteAlternate(store)}\n`).join('')),
      copyIfThere(join(repository.commonDir, 'info/exclude'), join(gitDir, 'info/exclude')),
      copyIfThere(join(repository.commonDir, 'info/attributes'), join(gitDir, 'info/attributes')),
      copyIfThere(join(repository.commonDir, 'shallow'), join(gitDir, 'shallow')),
      copyIndex(repository.gitDir, gitDir),
    ]);
    const writeEnv = {
      ...gitEnvironment(),
      ...settingsEnvironment(repository.settings, options.home ?? homedir()),
      GIT_DIR: gitDir,
      GIT_WORK_TREE: repository.workTree,
    };
    const readEnv = { ...writeEnv, GIT_ALTERNATE_OBJECT_DIRECTORIES: quoteAlternate(repository.objects) };
    return await use({ gitDir, workTree: repository.workTree, readEnv, writeEnv });
  } finally {
    await rm(gitDir, { recursive: true, force: true });
  }
}

/** Settings by environment, so that no value has to be quoted for a configuration file. */
function settingsEnvironment(settings: UserSettings, home: string): Record<string, string> {
  const kept = Object.entries(SETTINGS).flatMap(([key, allowed]) => {
    const value = settings.get(key);
    return value !== undefined && allowed.test(value) ? [[key, value] as const] : [];
  });
  // What the user ignores everywhere (often files with secrets) must not be taken for an untracked file.
  const ignores = settings.get('core.excludesfile') ?? '~/.config/git/ignore';
  kept.push(['core.excludesFile', ignores.replace(/^~(?=\/)/, home)]);
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(kept.length)],
    ...kept.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ]);
}

/** Copies the index with its time, which git compares with those of the files to find racy entries. */
async function copyIndex(from: string, to: string): Promise<void> {
  const shared = (await readdir(from)).filter(name => name.startsWith('sharedindex.'));
  await Promise.all(shared.map(name => copyIfThere(join(from, name), join(to, name))));
  await copyIfThere(join(from, 'index'), join(to, 'index'));
}

async function copyIfThere(from: string, to: string): Promise<void> {
  const found = await stat(from).catch(() => undefined);
  if (!found?.isFile()) {
    return;
  }
  await copyFile(from, to);
  // Rounded down: an index that looks older only makes git compare more contents.
  const seconds = Math.floor(found.mtimeMs / 1000);
  await utimes(to, seconds, seconds);
}
