export interface FilePatch {
  path: string;
  oldPath?: string;
  /** Why there are no lines: a binary file, a change of mode only. */
  note?: string;
  hunks: { header: string; lines: string[] }[];
}

/** Splits the output of `git diff` into files and hunks. Never throws: what it does not know it leaves out. */
export function parseUnifiedDiff(diff: string): FilePatch[] {
  const files: FilePatch[] = [];
  for (const line of diff.split('\n')) {
    if (line.startsWith('diff --git ')) {
      files.push({ path: pathOfHeader(line), hunks: [] });
      continue;
    }
    const file = files.at(-1);
    if (file) {
      addLine(file, line);
    }
  }
  return files;
}

function addLine(file: FilePatch, line: string): void {
  const hunk = file.hunks.at(-1);
  if (line.startsWith('@@')) {
    file.hunks.push({ header: line, lines: [] });
  } else if (hunk) {
    if (/^[ +\-\\]/.test(line)) {
      hunk.lines.push(line);
    }
  } else if (line.startsWith('+++ ') && line !== '+++ /dev/null') {
    file.path = unquote(line.slice(4)).replace(/^b\//, '');
  } else if (line.startsWith('--- ') && line !== '--- /dev/null') {
    file.oldPath = unquote(line.slice(4)).replace(/^a\//, '');
  } else if (line.startsWith('rename from ')) {
    file.oldPath = unquote(line.slice(12));
  } else if (/^(Binary files|GIT binary patch|new mode|deleted file|new file)/.test(line)) {
    file.note = line;
  }
}

function pathOfHeader(line: string): string {
  const second = line.lastIndexOf(' b/');
  return second < 0 ? unquote(line.slice('diff --git '.length)) : line.slice(second + 3);
}

function unquote(text: string): string {
  const plain = text.replace(/\t$/, '');
  return plain.startsWith('"') ? plain.slice(1, -1) : plain;
}
