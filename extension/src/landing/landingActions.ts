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
import { askLandingTree } from '../commands/askLandingTree.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import { count } from '../sessions/sessionGroups.ts';
import { askAboutUncommitted, askConflicts, askCutOff, askOthers, askSensitive } from './landingQuestions.ts';
import { folderWith, openFolders } from './landingFolder.ts';
import { OpenText } from './openText.ts';
import { ConflictResolver } from './resolveConflicts.ts';

const MAX_CLIPBOARD_BYTES = 20_000_000;

/** Brings a session's work into the folders that are open here. */
export class LandingActions implements vscode.Disposable {
  readonly #relay: RelayLink;
  readonly #actions: SessionActions;
  readonly #records: ApplyRecords;
  readonly #resolver: ConflictResolver;

  /** @param storage where applies are written down */
  constructor(relay: RelayLink, actions: SessionActions, storage: string) {
    this.#relay = relay;
    this.#actions = actions;
    this.#records = new ApplyRecords(join(storage, 'applies'));
    this.#resolver = new ConflictResolver(this.#records);
  }

  /** Merges the change into the user's files; asks where there is something to choose. */
  async apply(sessionId: string): Promise<void> {
    const chosen = await this.#choose(sessionId, 'What should be applied to your files?');
    if (!chosen || !(await this.#settleCutOff(chosen.folder))) {
      return;
    }
    const { folder, from } = chosen;
    const { title } = await this.#actions.state(sessionId);
    const applied = await withScratch('applying the changes…', async scratch => {
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
      this.#tell(folder, applied.record, applied.plan);
    } else if (isEmptyPlan(applied.plan)) {
      void vscode.window.showInformationMessage('Your files have these changes already.');
    }
  }

  /** Takes the last apply to an open folder back. */
  async undo(): Promise<void> {
    const found = await this.#latest();
    if (!found) {
      throw new SandpiperError('not_found', 'There is no apply to undo in the open folders.');
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
    throw new SandpiperError('not_found', 'No apply has left a conflict.');
  }

  /** Puts the merge that is open into the user's file. */
  completeMerge(): Promise<void> {
    return this.#resolver.complete();
  }

  /** Fetches the change into the repository as a branch, and switches to it when nothing is in the way. */
  async checkOut(sessionId: string): Promise<void> {
    const chosen = await this.#choose(sessionId, 'What should the branch have?');
    if (!chosen) {
      return;
    }
    const { folder, from } = chosen;
    const done = await withScratch('fetching the branch…', async scratch => {
      const { bundle, file } = await fetchBundle(this.#relay, folder, scratch, { sessionId, from });
      if ((await askSensitive(bundle.sensitive, 'checkOut')) === undefined) {
        return undefined;
      }
      const branch = await vscode.window.showInputBox({
        title: 'Check Out Branch',
        prompt: 'Name of the branch in your repository',
        value: bundle.branch,
        ignoreFocusOut: true,
        validateInput: value => (value.trim() === '' ? 'Give the branch a name.' : undefined),
      });
      const spec = branch === undefined ? undefined : { file, commit: bundle.commit, branch: branch.trim() };
      if (!spec) {
        return undefined;
      }
      try {
        await checkOutBranch(folder, { ...spec, switchTo: true, carry: false });
        return `Switched to ${spec.branch}.`;
      } catch (thrown) {
        const choice = await askAboutUncommitted(toSandpiperError(thrown));
        if (choice === undefined) {
          return undefined;
        }
        await checkOutBranch(folder, { ...spec, switchTo: choice === 'carry', carry: true });
        return choice === 'carry' ? `Switched to ${spec.branch}.` : `Made the branch ${spec.branch}.`;
      }
    });
    if (done !== undefined) {
      void vscode.window.showInformationMessage(done);
    }
  }

  /** Puts the change on the clipboard, for `git apply`. @throws `too_large` */
  async copyPatch(sessionId: string): Promise<void> {
    const described = await this.#relay.call('landing.describe', { sessionId });
    const from = await askLandingTree(described, 'What should the patch have?');
    if (from === undefined) {
      return;
    }
    await withScratch('making the patch…', async scratch => {
      const { patch, file } = await fetchPatch(this.#relay, scratch, { sessionId, from });
      const content = await readFile(file);
      const text = content.toString('utf8');
      if (patch.bytes > MAX_CLIPBOARD_BYTES || !Buffer.from(text).equals(content)) {
        throw new SandpiperError(
          'too_large',
          'This patch cannot go through the clipboard: it is too large or no UTF-8.',
          {
            hint: `Run \`sandpiper patch ${sessionId} > change.patch\` in a terminal.`,
          },
        );
      }
      await vscode.env.clipboard.writeText(text);
    });
    vscode.window.setStatusBarMessage(
      `Sandpiper: copied ${from === 'accepted' ? 'the accepted' : 'all'} changes as a patch`,
      5000,
    );
  }

  dispose(): void {
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
    const { undone, left } = outcome;
    const kept =
      left.length === 0
        ? ''
        : `; ${count(left.length, 'file')} left as you changed ${left.length === 1 ? 'it' : 'them'}`;
    void vscode.window.showInformationMessage(`Undid "${record.title}" in ${count(undone.length, 'file')}${kept}.`);
  }

  #tell(folder: UserFolder, record: ApplyRecord, { files, edits, conflicts }: ApplyPlan): void {
    const what = `Applied ${record.from === 'accepted' ? 'the accepted' : 'all'} changes to ${count(files.length + edits.length, 'file')}`;
    const unsaved = edits.length === 0 ? '' : `, ${edits.length} of them in unsaved text`;
    const open = conflicts.length === 0 ? '' : `; ${count(conflicts.length, 'conflict')} left`;
    const actions = [
      ...(conflicts.length === 0 ? [] : ['Resolve Conflicts']),
      ...(files.length + edits.length === 0 ? [] : ['Undo']),
    ];
    void vscode.window.showInformationMessage(`${what}${unsaved}${open}.`, ...actions).then(async chosen => {
      if (chosen === 'Undo') {
        await vscode.commands.executeCommand('sandpiper.undoApply');
      } else if (chosen === 'Resolve Conflicts') {
        await this.#resolver.resolve(folder, record);
      }
    });
  }
}

async function withScratch<Result>(title: string, action: (folder: string) => Promise<Result>): Promise<Result> {
  const location = vscode.ProgressLocation.Notification;
  return vscode.window.withProgress({ location, title: `Sandpiper: ${title}` }, async () => {
    await mkdir(tmpdir(), { recursive: true });
    const folder = await mkdtemp(join(tmpdir(), 'sandpiper-apply-'));
    try {
      return await action(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}
