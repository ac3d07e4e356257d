import * as vscode from 'vscode';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import { askSensitive, confirmRejectAll } from './decisionQuestions.ts';
import { placesOf } from './hunkPlaces.ts';
import { closeChanges, openConflict } from './openDiffs.ts';
import type { Pending, PendingChanges, PendingFile } from './pendingChanges.ts';
import type { ReviewNavigation } from './reviewNavigation.ts';
import type { ReviewTarget } from './reviewTarget.ts';
import { fileUri } from './reviewUris.ts';
import { count, t } from '../../../protocol/text.ts';

export type Verdict = 'accept' | 'reject';

/** How long the editor may take to show what a rejection left, before the cursor goes on. */
const SHOWN_MS = 2000;
const DONE = { accept: t('accepted'), reject: t('rejected') } as const;

/** What a reviewer decides, whichever surface asks. Every method throws SandpiperError; what was seen is fresh after it. */
export class ReviewDecisions {
  readonly #relay: RelayLink;
  readonly #pending: PendingChanges;
  readonly #navigation: ReviewNavigation;
  /** The proposed commit that the person looked at last, by session: only that one may be accepted as a whole. */
  readonly #seen = new Map<string, string>();

  constructor(relay: RelayLink, pending: PendingChanges, navigation: ReviewNavigation) {
    this.#relay = relay;
    this.#pending = pending;
    this.#navigation = navigation;
  }

  /** The person looks at a session's changes as they are there. */
  saw(sessionId: string, { proposed }: Pending): void {
    this.#seen.set(sessionId, proposed);
  }

  /**
   * Accepts or rejects a hunk or a whole file, and goes on to the next pending change.
   * @param reason why it is rejected; the agent is told with the submitted review
   * @throws `stale` when it is not pending any more; nothing is decided then
   */
  async decide(verdict: Verdict, target: ReviewTarget, reason?: string): Promise<void> {
    const { sessionId, path, hunk } = target;
    await this.#save(sessionId, [path]);
    const before = await this.#pending.get(sessionId);
    const file = await this.#find(before, target);
    if (hunk === undefined && verdict === 'accept' && (await askSensitive([file])) === undefined) {
      return;
    }
    const shown = verdict === 'reject' ? untilShown(fileUri(sessionId, 'proposed', path)) : undefined;
    const after = await this.#call(sessionId, before, () =>
      this.#relay.call('review.decide', {
        sessionId,
        verdict,
        files: [{ path, ...(hunk === undefined ? {} : { hunks: [hunk] }) }],
        ...(reason === undefined ? {} : { reason }),
        expected: sidesOf(before),
      }),
    );
    await shown?.promise(after.proposed !== before.proposed && file.status !== 'added');
    const line = file.hunks.find(({ id }) => id === hunk)?.newStart ?? 0;
    this.#tell(DONE[verdict], hunk === undefined ? path : t('change'), after);
    // A binary is decided on in the list, in which the person then goes on.
    if (!file.binary) {
      await this.#navigation.goOn(sessionId, { path, line }, before, after);
    }
  }

  /**
   * Decides on hunks of a file, or on all of it, without showing anything: whoever calls has it on the screen.
   * @param seen what is pending as the person saw it
   * @returns the number of the decision, with which it can be taken back; undefined when they chose not to
   * @throws `stale` when it is not pending any more; nothing is decided then
   */
  async decideInPlace(
    verdict: Verdict,
    { sessionId, path, hunks }: Pick<ReviewTarget, 'sessionId' | 'path'> & { hunks?: string[] },
    seen: Pending,
  ): Promise<number | undefined> {
    const file = await this.#find(seen, { sessionId, path });
    if (verdict === 'accept' && (await askSensitive([file])) === undefined) {
      return undefined;
    }
    let seq = 0;
    const after = await this.#call(sessionId, seen, async () => {
      const files = [{ path, ...(hunks === undefined ? {} : { hunks }) }];
      const decided = await this.#relay.call('review.decide', { sessionId, verdict, files, expected: sidesOf(seen) });
      ({ seq } = decided);
      return decided;
    });
    this.#tell(DONE[verdict], hunks === undefined ? path : count(hunks.length, 'change'), after);
    return seq;
  }

  /** Takes one decision back of which its maker found out that it cannot stand. */
  async takeBack(sessionId: string, seq: number): Promise<void> {
    await this.#pending.reach(sessionId, await this.#relay.call('review.undo', { sessionId, seq }));
  }

  /**
   * Accepts everything that is pending, as the person saw it last; of the sensitive files those that they confirm.
   * @throws `stale` when another turn ended since
   */
  async acceptAll(sessionId: string): Promise<void> {
    const before = await this.#readAll(sessionId);
    const sensitive = before.files.filter(file => file.sensitive !== undefined);
    const confirmed = await askSensitive(sensitive);
    if (!confirmed) {
      return;
    }
    const expectedProposed = this.#seen.get(sessionId) ?? before.proposed;
    const after = await this.#call(sessionId, before, async () => {
      const { accepted } = await this.#relay.call('changes.acceptAll', { sessionId, expectedProposed, confirmed });
      return { accepted, proposed: expectedProposed };
    });
    await this.#finish(sessionId, after);
    this.#tell(t('accepted'), count(before.files.length - after.files.length, 'file'), after);
  }

  /** Puts everything that is pending back to what was accepted; one undo brings it back. */
  async rejectAll(sessionId: string): Promise<void> {
    const before = await this.#readAll(sessionId);
    if (!(await confirmRejectAll(before))) {
      return;
    }
    const files = before.files.map(({ path }) => ({ path }));
    const after = await this.#call(sessionId, before, () =>
      this.#relay.call('review.decide', { sessionId, verdict: 'reject', files, expected: sidesOf(before) }),
    );
    await this.#finish(sessionId, after);
    this.#tell(t('rejected'), count(files.length, 'file'), after);
  }

  /** Takes the session's last decision back, and shows what is pending again. */
  async undo(sessionId: string): Promise<void> {
    const before = await this.#pending.get(sessionId);
    const after = await this.#call(sessionId, before, () => this.#relay.call('review.undo', { sessionId }));
    const known = new Set(placesOf(before.files).map(({ path, hunk }) => `${hunk ?? ''} ${path}`));
    const back = placesOf(after.files).find(({ path, hunk }) => !known.has(`${hunk ?? ''} ${path}`));
    this.#tell(t('taken back'), t('the last decision'), after);
    if (back) {
      await this.#navigation.reveal(sessionId, back, 'previous');
    }
  }

  /** @throws `stale` when the conflict is decided already */
  async resolve({ sessionId, path }: ReviewTarget, take: 'ours' | 'theirs'): Promise<void> {
    await this.#save(sessionId, [path]);
    const before = await this.#pending.get(sessionId);
    const after = await this.#call(sessionId, before, () =>
      this.#relay.call('review.resolve', { sessionId, path, take }),
    );
    this.#tell(take === 'ours' ? t('kept') : t('taken from the agent'), path, after);
  }

  async compareConflict({ sessionId, path }: ReviewTarget): Promise<void> {
    const { turns } = await this.#relay.call('session.get', { sessionId });
    await openConflict(sessionId, path, turns.findLast(({ checkpoint }) => checkpoint)?.number ?? 0);
  }

  async #readAll(sessionId: string): Promise<Pending> {
    const known = await this.#pending.get(sessionId);
    await this.#save(
      sessionId,
      known.files.map(({ path }) => path),
    );
    const before = await this.#pending.get(sessionId);
    if (before.files.length === 0) {
      throw new SandpiperError('nothing_to_land', t('There are no changes to review.'));
    }
    return before;
  }

  async #find(pending: Pending, { sessionId, path, hunk }: ReviewTarget): Promise<PendingFile> {
    const file = pending.files.find(one => one.path === path);
    if (!file || (hunk !== undefined && !file.hunks.some(({ id }) => id === hunk))) {
      await this.#pending.refresh(sessionId);
      throw new SandpiperError('stale', t('This change of {0} is not pending any more.', path), {
        hint: t('It was decided, edited or changed by the agent since. What you see now is up to date.'),
      });
    }
    return file;
  }

  /** What is typed but not saved would be decided upon unseen; saved, it is a part of the review. */
  async #save(sessionId: string, paths: readonly string[]): Promise<void> {
    const uris = new Set(paths.map(path => fileUri(sessionId, 'proposed', path).toString()));
    const unsaved = vscode.workspace.textDocuments.filter(one => one.isDirty && uris.has(one.uri.toString()));
    for (const document of unsaved) {
      if (!(await document.save())) {
        throw new SandpiperError('conflict', t('Your text in {0} could not be saved.', document.uri.path.slice(1)), {
          hint: t('Nothing was decided. Save it first, or revert the file.'),
        });
      }
    }
  }

  /** Makes a decision and brings what is pending after it; also when it is refused, so that the person sees why. */
  async #call(
    sessionId: string,
    before: Pending,
    call: () => Promise<Pick<Pending, 'accepted' | 'proposed'>>,
  ): Promise<Pending> {
    try {
      const sides = await call();
      if (this.#seen.get(sessionId) === before.proposed) {
        this.#seen.set(sessionId, sides.proposed);
      }
      return await this.#pending.reach(sessionId, sides);
    } catch (thrown) {
      const error = toSandpiperError(thrown);
      if (error.code === 'stale') {
        await this.#pending.refresh(sessionId).catch(() => undefined);
      }
      throw error;
    }
  }

  async #finish(sessionId: string, { files }: Pending): Promise<void> {
    if (files.length === 0) {
      // Its two sides are now the same: there is nothing left to see.
      await closeChanges(sessionId);
    }
  }

  #tell(done: string, what: string, { review: { pending, reviewed } }: Pending): void {
    const rest = pending === 0 ? t('nothing is pending') : t('{0} of {1} reviewed', reviewed, reviewed + pending);
    vscode.window.setStatusBarMessage(`$(check) ${t('Sandpiper: {0} {1}; {2}', what, done, rest)}`, 5000);
  }
}

function sidesOf({ accepted, proposed }: Pending): Pick<Pending, 'accepted' | 'proposed'> {
  return { accepted, proposed };
}

/** Listens from now on for the editor to show another text of a document. */
function untilShown(uri: vscode.Uri): { promise(isDue: boolean): Promise<void> } {
  const key = uri.toString();
  let end = (): void => {};
  const shown = new Promise<void>(resolve => {
    end = resolve;
  });
  const listener = vscode.workspace.onDidChangeTextDocument(({ document }) => {
    if (document.uri.toString() === key) {
      end();
    }
  });
  const isOpen = vscode.window.visibleTextEditors.some(editor => editor.document.uri.toString() === key);
  return {
    async promise(isDue) {
      const timer = setTimeout(() => end(), isDue && isOpen ? SHOWN_MS : 0);
      await shown;
      clearTimeout(timer);
      listener.dispose();
    },
  };
}
