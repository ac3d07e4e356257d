import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { applyPlan, cutOff, finishApply, lastApply, undoApply } from '../../../landing/applyChanges.ts';
import { ApplyRecords, type ApplyRecord } from '../../../landing/applyRecord.ts';
import { checkOutBranch } from '../../../landing/checkOutBranch.ts';
import { fetchBundle, fetchPatch } from '../../../landing/fetchLanding.ts';
import { isEmptyPlan, planApply, withoutFiles, type ApplyPlan } from '../../../landing/planApply.ts';
import { unpackBundle } from '../../../landing/unpackBundle.ts';
import type { UserFolder } from '../../../landing/userFolder.ts';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { LandingTree } from '../../../protocol/landingCalls.ts';
import { FileOrigins } from '../blame/fileOrigins.ts';
import { askLandingTree } from '../commands/askLandingTree.ts';
import type { Log } from '../log.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { PendingChanges } from '../review/pendingChanges.ts';
import type { ReviewDecisions } from '../review/reviewDecisions.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import { AppliedFiles } from './appliedFiles.ts';
import { APPLIES } from './appliesFolder.ts';
import { AppliedReview } from './appliedReview.ts';
import { askAboutUncommitted, askConflicts, askCutOff, askOthers, askSensitive } from './landingQuestions.ts';
import { folderWith, openFolders } from './landingFolder.ts';
import { OpenText } from './openText.ts';
import { ConflictResolver } from './resolveConflicts.ts';
import { count, t } from '../../../protocol/text.ts';

interface LandingParts {
  relay: RelayLink;
  actions: SessionActions;
  /** Where applies are written down. */
  storage: string;
  store: SessionStore;
  pending: PendingChanges;
  decisions: ReviewDecisions;
  log: Log;
}

const MAX_CLIPBOARD_BYTES = 20_000_000;

/** Brings a session's work into the folders that are open here. */
export class LandingActions implements vscode.Disposable {
  readonly #relay: RelayLink;
  readonly #actions: SessionActions;
  readonly #records: ApplyRecords;
  readonly #resolver: ConflictResolver;
  readonly #files: AppliedFiles;
  /** What can be decided in the applied files themselves. */
  readonly review: AppliedReview;
  readonly origins: FileOrigins;

  constructor({ relay, actions, storage, store, pending, decisions, log }: LandingParts) {
    this.#relay = relay;
    this.#actions = actions;
    this.#records = new ApplyRecords(join(storage, APPLIES));
    this.#resolver = new ConflictResolver(this.#records, () => void this.follow());
    this.#files = new AppliedFiles(this.#records, store, pending, log);
    this.origins = new FileOrigins(relay, this.#files);
    this.review = new AppliedReview({ relay, records: this.#records, files: this.#files, pending, decisions });
  }

  /** Shows in the open files what was applied and is not decided. */
  follow(): Promise<void> {
    return this.#files.refresh();
  }

  /** Merges the change into the user's files; asks where there is something to choose. */
  async apply(sessionId: string): Promise<void> {
    const chosen = await this.#choose(sessionId, t('What should be applied to your files?'));
    if (!chosen || !(await this.#settleCutOff(chosen.folder))) {
      return;
    }
    const { folder, from } = chosen;
    const { title } = await this.#actions.state(sessionId);
    const applied = await withScratch(t('applying the changes…'), async scratch => {
      const { bundle, file } = await fetchBundle(this.#relay, folder, scratch, { sessionId, from });
      const open = new OpenText(folder.root, this.#records);
      const left = await askSensitive(bundle.sensitive, 'apply');
      if (left === undefined) {
        return undefined;
      }
      const changes = withoutFiles(await unpackBundle(folder, file, scratch), left);
      const plan = await planApply(folder, changes, await open.unsaved());
      if (isEmptyPlan(plan) || (plan.conflicts.length > 0 && !(await askConflicts(plan)))) {
        return { plan, record: undefined };
      }
      const about = { sessionId, title, commit: bundle.commit, from };
      return { plan, record: await applyPlan(this.#records, folder, plan, { about, editor: open }) };
    });
    if (!applied) {
      return;
    }
    if (applied.record) {
      void this.follow();
      this.#tell(folder, applied.record, applied.plan);
    } else if (isEmptyPlan(applied.plan)) {
      void vscode.window.showInformationMessage(t('Your files have these changes already.'));
    }
  }

  /** Takes the last apply to an open folder back. */
  async undo(): Promise<void> {
    const found = await this.#latest();
    if (!found) {
      throw new SandpiperError('not_found', t('There is no apply to undo in the open folders.'));
    }
    await this.#undo(found.folder, found.record);
  }

  /** Opens what is left to decide of the last apply. */
  async resolveConflicts(): Promise<void> {
    for (const folder of await openFolders()) {
      for (const record of await this.#records.list(folder.root)) {
        if (record.conflicts.some(({ resolved }) => !resolved)) {
          return this.#resolver.resolve(folder, record);
        }
      }
    }
    throw new SandpiperError('not_found', t('No apply has left a conflict.'));
  }

  /** Puts the merge that is open into the user's file. */
  completeMerge(): Promise<void> {
    return this.#resolver.complete();
  }

  /** Fetches the change into the repository as a branch, and switches to it when nothing is in the way. */
  async checkOut(sessionId: string): Promise<void> {
    const chosen = await this.#choose(sessionId, t('What should the branch have?'));
    if (!chosen) {
      return;
    }
    const { folder, from } = chosen;
    const done = await withScratch(t('fetching the branch…'), async scratch => {
      const { bundle, file } = await fetchBundle(this.#relay, folder, scratch, { sessionId, from });
      if ((await askSensitive(bundle.sensitive, 'checkOut')) === undefined) {
        return undefined;
      }
      const branch = await vscode.window.showInputBox({
        title: t('Check Out Branch'),
        prompt: t('Name of the branch in your repository'),
        value: bundle.branch,
        ignoreFocusOut: true,
        validateInput: value => (value.trim() === '' ? t('Give the branch a name.') : undefined),
      });
      const spec = branch === undefined ? undefined : { file, commit: bundle.commit, branch: branch.trim() };
      if (!spec) {
        return undefined;
      }
      try {
        await checkOutBranch(folder, { ...spec, switchTo: true, carry: false });
        return t('Switched to {0}.', spec.branch);
      } catch (thrown) {
        const choice = await askAboutUncommitted(toSandpiperError(thrown));
        if (choice === undefined) {
          return undefined;
        }
        await checkOutBranch(folder, { ...spec, switchTo: choice === 'carry', carry: true });
        return choice === 'carry' ? t('Switched to {0}.', spec.branch) : t('Made the branch {0}.', spec.branch);
      }
    });
    if (done !== undefined) {
      void vscode.window.showInformationMessage(done);
    }
  }

  /** Puts the change on the clipboard, for `git apply`. @throws `too_large` */
  async copyPatch(sessionId: string): Promise<void> {
    const described = await this.#relay.call('landing.describe', { sessionId });
    const from = await askLandingTree(described, t('What should the patch have?'));
    if (from === undefined) {
      return;
    }
    await withScratch(t('making the patch…'), async scratch => {
      const { patch, file } = await fetchPatch(this.#relay, scratch, { sessionId, from });
      const content = await readFile(file);
      const text = content.toString('utf8');
      if (patch.bytes > MAX_CLIPBOARD_BYTES || !Buffer.from(text).equals(content)) {
        throw new SandpiperError(
          'too_large',
          t('This patch cannot go through the clipboard: it is too large or no UTF-8.'),
          {
            hint: t('Run `sandpiper patch {0} > change.patch` in a terminal.', sessionId),
          },
        );
      }
      await vscode.env.clipboard.writeText(text);
    });
    vscode.window.setStatusBarMessage(
      from === 'accepted'
        ? t('Sandpiper: copied the accepted changes as a patch')
        : t('Sandpiper: copied all changes as a patch'),
      5000,
    );
  }

  dispose(): void {
    this.#files.dispose();
    this.#resolver.dispose();
  }

  async #choose(sessionId: string, question: string): Promise<{ folder: UserFolder; from: LandingTree } | undefined> {
    const described = await this.#relay.call('landing.describe', { sessionId });
    const folder = await folderWith(described.upstream);
    const from = await askLandingTree(described, question);
    return from && { folder, from };
  }

  /** @returns false when an earlier apply is in the way and stays */
  async #settleCutOff({ root }: UserFolder): Promise<boolean> {
    const half = await cutOff(this.#records, root);
    const choice = half && (await askCutOff(half));
    if (half === undefined || choice === undefined) {
      return half === undefined;
    }
    await (choice === 'finish' ? finishApply(this.#records, half) : undoApply(this.#records, half, { others: true }));
    return true;
  }

  async #latest(): Promise<{ folder: UserFolder; record: ApplyRecord } | undefined> {
    const found: { folder: UserFolder; record: ApplyRecord }[] = [];
    for (const folder of await openFolders()) {
      const record = await lastApply(this.#records, folder.root);
      if (record) {
        found.push({ folder, record });
      }
    }
    return found.sort((one, other) => other.record.at - one.record.at)[0];
  }

  async #undo({ root }: UserFolder, record: ApplyRecord): Promise<void> {
    const editor = new OpenText(root, this.#records);
    let outcome;
    try {
      outcome = await undoApply(this.#records, record, { editor });
    } catch (thrown) {
      if (!(await askOthers(toSandpiperError(thrown)))) {
        return;
      }
      outcome = await undoApply(this.#records, record, { editor, others: true });
    }
    void this.follow();
    const { undone, left } = outcome;
    const parts = [
      t('Undid "{0}" in {1}', record.title, count(undone.length, 'file')),
      ...(left.length === 0 ? [] : [leftText(left.length)]),
    ];
    void vscode.window.showInformationMessage(`${parts.join('; ')}.`);
  }

  #tell(folder: UserFolder, record: ApplyRecord, { files, edits, conflicts }: ApplyPlan): void {
    const done = count(files.length + edits.length, 'file');
    const what =
      record.from === 'accepted'
        ? t('Applied the accepted changes to {0}', done)
        : t('Applied all changes to {0}', done);
    const unsaved = edits.length === 0 ? '' : `, ${t('{0} of them in unsaved text', edits.length)}`;
    const open = conflicts.length === 0 ? '' : `; ${t('{0} left', count(conflicts.length, 'conflict'))}`;
    const actions = [
      ...(conflicts.length === 0 ? [] : [t('Resolve Conflicts')]),
      ...(files.length + edits.length === 0 ? [] : [t('Undo')]),
    ];
    void vscode.window.showInformationMessage(`${what}${unsaved}${open}.`, ...actions).then(async chosen => {
      if (chosen === t('Undo')) {
        await vscode.commands.executeCommand('sandpiper.undoApply');
      } else if (chosen === t('Resolve Conflicts')) {
        await this.#resolver.resolve(folder, record);
      }
    });
  }
}

async function withScratch<Result>(title: string, action: (folder: string) => Promise<Result>): Promise<Result> {
  const location = vscode.ProgressLocation.Notification;
  return vscode.window.withProgress({ location, title: t('Sandpiper: {0}', title) }, async () => {
    await mkdir(tmpdir(), { recursive: true });
    const folder = await mkdtemp(join(tmpdir(), 'sandpiper-apply-'));
    try {
      return await action(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

function leftText(files: number): string {
  return files === 1 ? t('{0} file left as you changed it', files) : t('{0} files left as you changed them', files);
}
