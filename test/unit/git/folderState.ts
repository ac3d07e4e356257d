import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Everything of a folder that must not change: names, kinds, modes, link counts, modification times, contents. */
export function folderState(folder: string, relative = ''): string[] {
  return readdirSync(join(folder, relative))
    .sort()
    .flatMap(name => {
      const path = join(relative, name);
      const found = lstatSync(join(folder, path), { bigint: true });
      if (found.isDirectory()) {
        return [`${path}/ ${found.mode} ${found.mtimeNs}`, ...folderState(folder, path)];
      }
      const content = found.isSymbolicLink()
        ? readlinkSync(join(folder, path))
        : createHash('sha256')
            .update(readFileSync(join(folder, path)))
            .digest('hex');
      return [`${path} ${found.mode} ${found.nlink} ${found.mtimeNs} ${content}`];
    });
}

/** The same without times and kinds of folders: what a mirror consists of. */
export function folderContents(folder: string): string[] {
  return folderState(folder).map(line => line.replace(/ \d+ (\d+ )?\d{15,}/, ''));
}
