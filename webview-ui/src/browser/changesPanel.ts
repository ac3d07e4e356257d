import { signal } from '@preact/signals';
import type { CallResult } from '../../../protocol/calls.ts';
import type { Comment } from '../../../protocol/commentText.ts';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { sidesOf, type PendingReview } from '../../../protocol/pendingReview.ts';
import type { RelayConnection } from './relayConnection.ts';
import type { CommentTarget } from './reviewComments.ts';
import { askSensitive, confirmRejectAll, confirmSensitive } from './reviewQuestions.ts';
import { SideTexts } from './sideTexts.ts';
import { t } from '../../../protocol/text.ts';

interface Shown {
  sessionId: string;
  /** The file to show first. */
  path?: string;
}

export type ChangesView =
  | (Shown & { scope: 'all'; diff: string; truncated: boolean })
  | (Shown & { scope: 'pending'; pending: PendingReview; comments: Comment[] });

export type Verdict = 'accept' | 'reject';

/** The changes of a session: what is pending, to be decided, or all of them as text. A browser has no diff editor. */
export class ChangesPanel {
  readonly view = signal<ChangesView | undefined>(undefined);
  readonly texts: SideTexts;
  readonly #relay: Pick<RelayConnection, 'call' | 'mutate'>;
  /** An answer to an earlier wish than the last is no longer wanted. */
  #generation = 0;
  #running: Promise<void> | undefined;
  #queued: Promise<void> | undefined;

  constructor(relay: Pick<RelayConnection, 'call' | 'mutate'>) {
    this.#relay = relay;
    this.texts = new SideTexts(relay);
  }

  /** @throws {SandpiperError} when the relay cannot say what changed; what was shown stays */
  async show(sessionId: string, scope: ChangesView['scope'], path?: string): Promise<void> {
    const generation = ++this.#generation;
    const shown = { sessionId, ...(path === undefined ? {} : { path }) };
    if (this.view.peek()?.sessionId !== sessionId) {
      this.texts.clear();
    }
    const next: ChangesView =
      scope === 'pending'
        ? { ...shown, scope, ...(await this.#list(sessionId)) }
        : { ...shown, scope, ...(await this.#relay.call('changes.diff', { sessionId, from: 'base', to: 'proposed' })) };
    if (generation === this.#generation) {
      if (next.scope === 'pending') {
        this.texts.keep(next.pending);
      }
      this.view.value = next;
    }
  }

  close(): void {
    this.#generation++;
    this.texts.clear();
    this.view.value = undefined;
  }

  /**
   * What is pending as it is now: somebody else decided, or a turn ended. What was asked for before may have been answered
   * before, so it is asked again after that.
   */
  refresh(): Promise<void> {
    const running = this.#running;
    if (running) {
      this.#queued ??= running
        .catch(() => undefined)
        .then(() => {
          this.#queued = undefined;
          return this.refresh();
        });
      return this.#queued;
    }
    const view = this.view.peek();
    this.#running = (view ? this.show(view.sessionId, view.scope) : Promise.resolve()).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /**
   * Accepts or rejects a hunk, or all of a file.
   * @param reason why it is rejected; the agent is told with the submitted review
   * @returns false when the person chose not to
   * @throws `stale` when it is not pending any more; nothing is decided then, and what is shown is fresh
   */
  async decide(verdict: Verdict, { path, hunk }: { path: string; hunk?: string }, reason?: string): Promise<boolean> {
    const { sessionId, pending } = this.#reviewed();
    const file = pending.files.find(one => one.path === path);
    if (
      hunk === undefined &&
      verdict === 'accept' &&
      file?.sensitive !== undefined &&
      !(await confirmSensitive(file))
    ) {
      return false;
    }
    const files = [{ path, ...(hunk === undefined ? {} : { hunks: [hunk] }) }];
    const expected = sidesOf(pending);
    const why = reason === undefined ? {} : { reason };
    await this.#change(() => this.#relay.mutate('review.decide', { sessionId, verdict, files, expected, ...why }));
    return true;
  }

  /**
   * Accepts everything that is pending; of the sensitive files those that the person confirms.
   * @param expectedProposed what the person looked at
   * @throws `stale` when another turn ended since
   */
  async acceptAll(sessionId: string, expectedProposed: string): Promise<boolean> {
    const { files } = await this.#relay.call('review.list', { sessionId });
    const confirmed = await askSensitive(files);
    if (confirmed) {
      await this.#change(() => this.#relay.mutate('changes.acceptAll', { sessionId, expectedProposed, confirmed }));
    }
    return confirmed !== undefined;
  }

  /** Puts everything that is pending back to what was accepted; one undo brings it back. */
  async rejectAll(): Promise<boolean> {
    const { sessionId, pending } = this.#reviewed();
    if (!(await confirmRejectAll(pending))) {
      return false;
    }
    const files = pending.files.map(({ path }) => ({ path }));
    const expected = sidesOf(pending);
    await this.#change(() => this.#relay.mutate('review.decide', { sessionId, verdict: 'reject', files, expected }));
    return true;
  }

  /** Takes the session's last decision back. @throws `stale` when there is none */
  async undo(): Promise<void> {
    const { sessionId } = this.#reviewed();
    await this.#change(() => this.#relay.mutate('review.undo', { sessionId }));
  }

  /** @throws `stale` when the conflict is decided already */
  async resolve(path: string, take: 'ours' | 'theirs'): Promise<void> {
    const { sessionId } = this.#reviewed();
    await this.#change(() => this.#relay.mutate('review.resolve', { sessionId, path, take }));
  }

  /** Keeps a comment as a draft. */
  async comment(target: CommentTarget, text: string): Promise<void> {
    const { sessionId } = this.#reviewed();
    await this.#change(() => this.#relay.mutate('review.comment', { sessionId, target, text }));
  }

  async editComment(commentId: string, text: string): Promise<void> {
    const { sessionId } = this.#reviewed();
    await this.#change(() => this.#relay.mutate('review.editComment', { sessionId, commentId, text }));
  }

  async deleteComment(commentId: string): Promise<void> {
    const { sessionId } = this.#reviewed();
    await this.#change(() => this.#relay.mutate('review.deleteComment', { sessionId, commentId }));
  }

  /** Hands comments, rejections and edits to the agent. @throws `conflict` when there is nothing to hand over */
  async submit(text: string): Promise<CallResult<'review.submit'>> {
    const { sessionId } = this.#reviewed();
    const submitted = await this.#relay.mutate('review.submit', { sessionId, text });
    await this.refresh();
    return submitted;
  }

  /** Also when it is refused, so that the person sees why. */
  async #change(call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
    } catch (thrown) {
      const error = toSandpiperError(thrown);
      if (error.code === 'stale') {
        await this.refresh().catch(() => undefined);
      }
      throw error;
    }
    await this.refresh();
  }

  /** With the texts of the files that were shown, so that none of them is empty for a moment. */
  async #list(sessionId: string): Promise<{ pending: PendingReview; comments: Comment[] }> {
    const [pending, { comments }] = await Promise.all([
      this.#relay.call('review.list', { sessionId }),
      this.#relay.call('review.comments', { sessionId }),
    ]);
    await this.texts.follow(sessionId, pending);
    return { pending, comments };
  }

  #reviewed(): { sessionId: string; pending: PendingReview } {
    const view = this.view.peek();
    if (view?.scope !== 'pending') {
      throw new SandpiperError('conflict', t('No review is open by now.'), { hint: t('Open the changes again.') });
    }
    return view;
  }
}
