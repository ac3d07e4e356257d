const RESERVED = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$/i;

/**
 * Whether a path of a repository may be written in a folder: it stays inside, does not reach git's own files on any file
 * system, and can be a name here. The relay has checked the same; this is the last gate before a person's disk.
 */
export function isSafePath(path: string, platform: string): boolean {
  return (
    path !== '' &&
    // Bytes that are not UTF-8 came through as this.
    !/[\0\uFFFD]/.test(path) &&
    path.split('/').every(part => isSafeName(part) && (platform !== 'win32' || isWindowsName(part)))
  );
}

function isSafeName(name: string): boolean {
  // HFS+ ignores these characters, NTFS everything after a colon and dots and spaces at the end.
  const plain = name
    .replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '')
    .replace(/:.*$/, '')
    .replace(/[. ]+$/, '')
    .toLowerCase();
  return name !== '' && name !== '.' && name !== '..' && plain !== '.git' && !/^git~\d+$/.test(plain);
}

function isWindowsName(name: string): boolean {
  return !/[<>:"\\|?*\p{Cc}]/u.test(name) && !/[. ]$/.test(name) && !RESERVED.test(name);
}

/** The folders above a path, the outermost first. */
export function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
