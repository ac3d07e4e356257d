import { realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import * as vscode from 'vscode';
import type { ApplyRecord, ApplyRecords } from '../../../landing/applyRecord.ts';
import type { UserFolder } from '../../../landing/userFolder.ts';
import { DisposableStore } from '../disposables.ts';
import type { Log } from '../log.ts';
import type { PendingChanges, PendingFile } from '../review/pendingChanges.ts';
import { wholeFileText } from '../review/hunkLenses.ts';
import { fileUri } from '../review/reviewUris.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import { openFolders } from './landingFolder.ts';
import { count, t } from '../../../protocol/text.ts';

/** Menus of package.json name it. */
const PROVIDER = 'sandpiper';

/** A file of an open folder to which a session's changes were applied that wait for a decision. */
export interface AppliedFile {
  folder: UserFolder;
  sessionId: string;
  title: string;
  /** What was applied. */
  commit: string;
  path: string;
  file: PendingFile;
}

/** A row of the source control view; the editor hands it back to commands. */
export class AppliedRow implements vscode.SourceControlResourceState {
  readonly applied: AppliedFile;
  readonly resourceUri: vscode.Uri;
  readonly command: vscode.Command;
  readonly decorations: vscode.SourceControlResourceDecorations;

  constructor(applied: AppliedFile) {
    const { folder, sessionId, path, file } = applied;
    this.applied = applied;
    this.resourceUri = vscode.Uri.file(join(folder.root, path));
    const isGone = file.status === 'deleted';
    this.decorations = {
      strikeThrough: isGone,
      tooltip: file.hunks.length === 0 ? wholeFileText(file) : t('{0} pending', count(file.hunks.length, 'change')),
    };
    this.command = isGone
      ? { command: 'sandpiper.openFileChanges', title: t('Open File Changes'), arguments: [{ sessionId, path }] }
      : { command: 'vscode.open', title: t('Open File'), arguments: [this.resourceUri] };
  }
}

/** What one session left to review in one folder. */
interface Applied {
  folder: UserFolder;
  sessionId: string;
  title: string;
  commit: string;
  /** Where something may be left to decide. */
  paths: Set<string>;
  /** Also of what was accepted before. */
  allPaths: Set<string>;
}

interface Shown {
  control: vscode.SourceControl;
  group: vscode.SourceControlResourceGroup;
}

/**
 * The files of the open folders in which pending changes of a session stand since an apply. In the source control view each
 * session is listed as long as there are any, and beside the lines of such a file the editor marks what is not accepted.
 */
export class AppliedFiles implements vscode.Disposable, vscode.QuickDiffProvider {
  readonly #records: ApplyRecords;
  readonly #store: SessionStore;
  readonly #pending: PendingChanges;
  readonly #log: Log;
  readonly #disposables = new DisposableStore();
  readonly #shown = new Map<string, Shown>();
  #applied: Applied[] = [];
  /** By the path of the file as the editor names it. */
  #files = new Map<string, AppliedFile>();
  #sessions = new Map<string, { sessionId: string; path: string }[]>();
  #running: Promise<void> | undefined;
  #isOutdated = false;

  constructor(records: ApplyRecords, store: SessionStore, pending: PendingChanges, log: Log) {
    this.#records = records;
    this.#store = store;
    this.#pending = pending;
    this.#log = log;
    this.#disposables.add(
      pending.onDidMove(({ sessionId }) => {
        if (this.#applied.some(one => one.sessionId === sessionId)) {
          this.#redraw();
        }
      }),
    );
    this.#disposables.add(vscode.workspace.onDidChangeWorkspaceFolders(() => void this.refresh()));
    this.#disposables.add(vscode.workspace.onDidGrantWorkspaceTrust(() => void this.refresh()));
  }

  /** The applied file that a document is; undefined when nothing in it waits. */
  find(uri: vscode.Uri): AppliedFile | undefined {
    return uri.scheme === 'file' ? this.#files.get(uri.fsPath) : undefined;
  }

  /** The sessions of which something was applied to a document's file, the latest first. */
  sessionsIn(uri: vscode.Uri): readonly { sessionId: string; path: string }[] {
    return (uri.scheme === 'file' ? this.#sessions.get(uri.fsPath) : undefined) ?? [];
  }

  provideOriginalResource(uri: vscode.Uri): vscode.Uri | undefined {
    const found = this.find(uri);
    return found && fileUri(found.sessionId, 'accepted', found.file.oldPath ?? found.path);
  }

  /** Reads anew what was applied. */
  async refresh(): Promise<void> {
    if (this.#running) {
      this.#isOutdated = true;
      return this.#running;
    }
    this.#running = this.#read()
      .catch((thrown: unknown) => this.#log.error('review', 'Could not read what was applied', thrown))
      .finally(() => {
        this.#running = undefined;
      });
    await this.#running;
    if (this.#isOutdated) {
      this.#isOutdated = false;
      await this.refresh();
    }
  }

  dispose(): void {
    this.#disposables.dispose();
    this.#shown.forEach(({ control }) => control.dispose());
    this.#shown.clear();
  }

  async #read(): Promise<void> {
    const folders = vscode.workspace.isTrusted ? await openFolders() : [];
    const applied: Applied[] = [];
    for (const folder of folders) {
      applied.push(...bySession(folder, await this.#records.list(folder.root)));
    }
    // A session of another relay, or one that is deleted, has nothing to decide.
    this.#applied = applied.filter(({ sessionId }) => this.#store.get(sessionId) !== undefined);
    await Promise.all(this.#applied.map(({ sessionId }) => this.#pending.get(sessionId)));
    await this.#list();
    this.#draw();
  }

  #redraw(): void {
    void this.#list().then(() => this.#draw());
  }

  async #list(): Promise<void> {
    const places = await foldersAsOpened();
    const files = new Map<string, AppliedFile>();
    const sessions = new Map<string, { sessionId: string; path: string }[]>();
    for (const { folder, sessionId, title, commit, paths, allPaths } of this.#applied) {
      for (const path of allPaths) {
        for (const name of namesOf(join(folder.root, path), places)) {
          sessions.set(name, [...(sessions.get(name) ?? []), { sessionId, path }]);
        }
      }
      const pending = this.#pending.peek(sessionId)?.files.filter(({ path }) => paths.has(path)) ?? [];
      for (const file of pending) {
        const applied = { folder, sessionId, title, commit, path: file.path, file };
        for (const name of namesOf(join(folder.root, file.path), places)) {
          if (!files.has(name)) {
            files.set(name, applied);
          }
        }
      }
    }
    this.#files = files;
    this.#sessions = sessions;
  }

  #draw(): void {
    const rows = new Map<string, AppliedRow[]>();
    for (const applied of new Set(this.#files.values())) {
      const key = `${applied.sessionId} ${applied.folder.root}`;
      rows.set(key, [...(rows.get(key) ?? []), new AppliedRow(applied)]);
    }
    for (const [key, { control }] of this.#shown) {
      if (!rows.has(key)) {
        control.dispose();
        this.#shown.delete(key);
      }
    }
    for (const [key, states] of rows) {
      const [first] = states;
      if (first) {
        const { control, group } = this.#shown.get(key) ?? this.#show(key, first.applied);
        group.resourceStates = states;
        control.count = states.length;
      }
    }
  }

  #show(key: string, { title, folder }: AppliedFile): Shown {
    const control = vscode.scm.createSourceControl(PROVIDER, t('Sandpiper: {0}', title), vscode.Uri.file(folder.root));
    control.inputBox.visible = false;
    control.quickDiffProvider = this;
    const group = control.createResourceGroup('applied', t('Applied, Not Reviewed'));
    group.hideWhenEmpty = true;
    const shown = { control, group };
    this.#shown.set(key, shown);
    return shown;
  }
}

/** What each session has in a folder that was not undone. */
function bySession(folder: UserFolder, records: readonly ApplyRecord[]): Applied[] {
  const found = new Map<string, Applied>();
  for (const { sessionId, title, commit, from, part, phase, files, edits } of records) {
    if (phase !== 'applied' || part !== undefined) {
      continue;
    }
    const applied = found.get(sessionId) ?? {
      folder,
      sessionId,
      title,
      commit,
      paths: new Set(),
      allPaths: new Set(),
    };
    for (const { path } of [...files, ...edits]) {
      applied.allPaths.add(path);
      // Of the accepted changes alone nothing is left to decide.
      if (from === 'all') {
        applied.paths.add(path);
      }
    }
    found.set(sessionId, applied);
  }
  return [...found.values()];
}

/** A file by its real name and by those that the editor may have for it. */
function namesOf(path: string, places: readonly { real: string; opened: string }[]): Set<string> {
  const names = [path, ...places.map(({ real, opened }) => under(path, real, opened))];
  return new Set(names.filter(name => name !== undefined));
}

/** A folder may be open under a name that is a link to it. */
async function foldersAsOpened(): Promise<{ real: string; opened: string }[]> {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  return Promise.all(
    folders.map(async ({ uri: { fsPath } }) => ({
      opened: fsPath,
      real: await realpath(fsPath).catch(() => fsPath),
    })),
  );
}

function under(path: string, real: string, opened: string): string | undefined {
  const inside = relative(real, path);
  return inside === '' || inside === '..' || inside.startsWith(`..${sep}`) ? undefined : join(opened, inside);
}
