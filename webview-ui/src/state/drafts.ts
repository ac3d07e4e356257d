import { signal } from '@preact/signals';
import type { Host } from '../host/host.ts';
import { withDraft } from '../host/savedPage.ts';

/** Name of the draft of a session that does not exist yet. */
export const NEW_SESSION = 'new';
const SAVE_PAUSE_MS = 200;

/** Unsent text per session. It outlives the page, which the editor destroys whenever it is hidden. */
export class Drafts {
  readonly texts = signal<Record<string, string>>({});
  readonly #host: Pick<Host, 'load' | 'save'>;
  #sessionId: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Pick<Host, 'load' | 'save'>) {
    this.#host = host;
    const saved = host.load();
    this.texts.value = saved.drafts;
    this.#sessionId = saved.sessionId;
  }

  /** The session that was open when the page was last there. */
  get sessionId(): string | undefined {
    return this.#sessionId;
  }

  get(id: string): string {
    return this.texts.value[id] ?? '';
  }

  set(id: string, text: string): void {
    this.texts.value = withDraft(this.texts.peek(), id, text);
    this.#timer ??= setTimeout(() => this.save(), SAVE_PAUSE_MS);
  }

  remember(sessionId: string | undefined): void {
    if (sessionId !== this.#sessionId) {
      this.#sessionId = sessionId;
      this.save();
    }
  }

  save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#host.save({
      drafts: this.texts.peek(),
      ...(this.#sessionId === undefined ? {} : { sessionId: this.#sessionId }),
    });
  }
}
