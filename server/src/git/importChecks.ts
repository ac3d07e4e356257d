import { refused } from './bundleHeader.ts';
import { git, splitRecords } from './git.ts';
import { entryProblem, isLink, isSubmodule, linkLeaves, parseRawEntries, type RawEntry } from './treeEntries.ts';

export interface ImportToCheck {
  commit: string;
  parent: string;
  /** Objects that the sandbox sent. */
  sent: string[];
  /** Objects of the mirror that git added because something sent is a delta against them. */
  appended: string[];
  maxBlobBytes: number;
}

type Environment = Record<string, string>;

/** A checkpoint is one commit; more come only from elsewhere, and each costs a comparison. */
const MAX_COMMITS = 1000;
const MAX_LINK_BYTES = 4096;

/**
 * What git itself does not check. Formats, links between objects and dangerous names were checked by `index-pack --strict`;
 * names are checked again, because which of them it knows depends on its version.
 * @param env of a git that sees quarantine and mirror together
 * @throws `import_refused`
 */
export async function checkImport(env: Environment, bundle: ImportToCheck): Promise<void> {
  const sent = new Set(bundle.sent);
  if (!sent.has(bundle.commit)) {
    throw refused('its commit is not in it');
  }
  const [commits, parentTree] = await Promise.all([newCommits(env, bundle, sent), checkSizes(env, bundle)]);
  const entries = await changedEntries(env, commits);
  for (const entry of entries) {
    const problem = entryProblem(entry);
    if (problem !== undefined) {
      throw refused(problem);
    }
  }
  await checkLinks(env, entries);
  // What the only commit replaced was in the parent's tree, which explains nearly everything without listing that tree.
  const replaced = [parentTree, ...(commits.length === 1 ? entries.map(entry => entry.oldId) : [])];
  await checkForeignObjects(env, bundle, sent, { entries, replaced });
}

/** Commits between parent and tip; each must have been sent, and build only on another of them or on the parent. */
async function newCommits(
  env: Environment,
  { commit, parent }: ImportToCheck,
  sent: ReadonlySet<string>,
): Promise<string[]> {
  const args = ['rev-list', '--parents', '--topo-order', `--max-count=${MAX_COMMITS + 1}`, commit, `^${parent}`, '--'];
  const lines = (await git(args, { env })).toString('utf8').trimEnd().split('\n');
  if (lines.length > MAX_COMMITS) {
    throw refused(`it has more than ${MAX_COMMITS} commits`);
  }
  const commits = new Map(lines.map(line => [line.slice(0, 40), line.split(' ').slice(1)]));
  for (const [id, parents] of commits) {
    if (!sent.has(id) || parents.length === 0 || parents.some(other => other !== parent && !commits.has(other))) {
      throw refused('its history does not start from the commit that the turn started from');
    }
  }
  return [...commits.keys()];
}

/** @returns the id of the parent's tree, which the same process can tell */
async function checkSizes(env: Environment, { parent, sent, maxBlobBytes }: ImportToCheck): Promise<string> {
  const output = await git(['cat-file', '--batch-check=%(objectname) %(objecttype) %(objectsize)', '--buffer'], {
    env,
    stdin: Buffer.from(`${parent}^{tree}\n${sent.join('\n')}\n`),
  });
  const [parentTree, ...objects] = output.toString('latin1').trimEnd().split('\n');
  for (const line of objects) {
    const [, type, size] = line.split(' ');
    if (Number(size) > maxBlobBytes) {
      throw refused(`a file in it is larger than ${Math.round(maxBlobBytes / 1e6)} MB`);
    }
    if (type === 'tag') {
      throw refused('it has a tag');
    }
  }
  return parentTree?.split(' ')[0] ?? '';
}

/** Every entry that a new commit changed against any of its parents, folders too. */
async function changedEntries(env: Environment, commits: string[]): Promise<RawEntry[]> {
  const output = await git(['diff-tree', '--stdin', '-r', '-t', '-m', '--raw', '-z', '--no-renames', '--no-abbrev'], {
    env,
    stdin: Buffer.from(`${commits.join('\n')}\n`),
  });
  const records = splitRecords(output);
  const entries: RawEntry[] = [];
  for (let at = 0; at < records.length; at++) {
    const part = parseRawEntries(records, at);
    entries.push(...part.entries);
    // What stands between the parts is the id of a commit.
    at = part.next;
  }
  return entries;
}

async function checkLinks(env: Environment, entries: RawEntry[]): Promise<void> {
  const links = entries.filter(isLink);
  const targets = await readLinks(env, new Set(links.map(link => link.id)));
  for (const link of links) {
    const target = targets.get(link.id);
    if (target === undefined || linkLeaves(link.path, target)) {
      throw refused(`${JSON.stringify(link.path)} is a link to a place outside the repository`);
    }
  }
}

async function readLinks(env: Environment, ids: ReadonlySet<string>): Promise<Map<string, string>> {
  const targets = new Map<string, string>();
  if (ids.size === 0) {
    return targets;
  }
  const stdin = Buffer.from(`${[...ids].join('\n')}\n`);
  const sizes = await git(['cat-file', '--batch-check=%(objectsize)'], { env, stdin });
  if (
    sizes
      .toString('latin1')
      .trimEnd()
      .split('\n')
      .some(size => Number(size) > MAX_LINK_BYTES)
  ) {
    throw refused('a link in it has a target that is too long');
  }
  const output = await git(['cat-file', '--batch=%(objectname) %(objectsize)', '--buffer'], { env, stdin });
  for (let at = 0; at < output.length;) {
    const end = output.indexOf(10, at);
    const [id = '', size = ''] = output.toString('latin1', at, end).split(' ');
    targets.set(id, output.toString('utf8', end + 1, end + 1 + Number(size)));
    at = end + 1 + Number(size) + 1;
  }
  return targets;
}

/**
 * A tree could name an object of the mirror that its author only knows the id of, or be a delta against it, and so read it.
 * What was not sent must therefore have been visible to the sandbox: part of the parent's tree, or of its history.
 */
async function checkForeignObjects(
  env: Environment,
  { parent, appended }: ImportToCheck,
  sent: ReadonlySet<string>,
  { entries, replaced }: { entries: RawEntry[]; replaced: string[] },
): Promise<void> {
  const named = entries.filter(entry => !/^0+$/.test(entry.id) && !isSubmodule(entry)).map(entry => entry.id);
  const before = new Set(replaced);
  const unexplained = new Set([...named, ...appended].filter(id => !sent.has(id) && !before.has(id)));
  if (unexplained.size === 0) {
    return;
  }
  const tree = await git(['ls-tree', '-r', '-t', '-z', '--full-tree', parent], { env });
  splitRecords(tree).forEach(line => unexplained.delete(line.split(/[ \t]/, 3)[2] ?? ''));
  if (unexplained.size === 0) {
    return;
  }
  const history = await git(['rev-list', '--objects', '--no-object-names', parent, '--'], {
    env,
    maxOutputBytes: 1024 * 1024 * 1024,
    timeoutMs: 10 * 60_000,
  });
  for (let at = 0; at < history.length; at += 41) {
    unexplained.delete(history.toString('latin1', at, at + 40));
  }
  if (unexplained.size > 0) {
    throw refused(`it uses the object ${[...unexplained][0]}, which is not part of the session`);
  }
}
