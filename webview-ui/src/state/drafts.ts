import { signal } from '@preact/signals';
import type { Image } from '../../../protocol/images.ts';
import type { Host, Unsent } from '../host/host.ts';
import { withDraft } from '../host/savedPage.ts';

/** Name of the draft of a session that does not exist yet. */
export const NEW_SESSION = 'new';
const SAVE_PAUSE_MS = 200;

/** Unsent text and images per session. They outlive the page, which the editor destroys whenever it is hidden. */
export class Drafts {
  readonly texts = signal<Record<string, string>>({});
  readonly images = signal<Record<string, readonly Image[]>>({});
  /** Whether the steps between the words are folded. */
  readonly focus = signal(false);
  readonly #host: Pick<Host, 'load' | 'save'>;
  #sessionId: string | undefined;
  #unsent: readonly Unsent[];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Pick<Host, 'load' | 'save'>) {
    this.#host = host;
    const saved = host.load();
    this.texts.value = saved.drafts;
    this.images.value = saved.images;
    this.#sessionId = saved.sessionId;
    this.#unsent = saved.unsent;
    this.focus.value = saved.focus === true;
  }

  /** The session that was open when the page was last there. */
  get sessionId(): string | undefined {
    return this.#sessionId;
  }

  /** Messages that left the composer and that the host does not have yet. */
  get unsent(): readonly Unsent[] {
    return this.#unsent;
  }

  /** Saves them, and the drafts that they came out of, at once. */
  keepUnsent(unsent: readonly Unsent[]): void {
    this.#unsent = unsent;
    this.save();
  }

  get(id: string): string {
    return this.texts.value[id] ?? '';
  }

  set(id: string, text: string): void {
    this.texts.value = withDraft(this.texts.peek(), id, text);
    this.#saveSoon();
  }

  imagesOf(id: string): readonly Image[] {
    return this.images.value[id] ?? [];
  }

  setImages(id: string, images: readonly Image[]): void {
    this.images.value = withDraft(this.images.peek(), id, images);
    this.#saveSoon();
  }

  /** Puts images of a message that was taken back into its draft again. */
  addImages(id: string, images: readonly Image[] = []): void {
    this.setImages(id, [...images, ...this.imagesOf(id)]);
  }

  /** The images of the message that is sent now; the next one begins without. */
  takeImages(id: string): Image[] {
    const images = [...this.imagesOf(id)];
    this.setImages(id, []);
    return images;
  }

  toggleFocus(): void {
    this.focus.value = !this.focus.peek();
    this.save();
  }

  remember(sessionId: string | undefined): void {
    if (sessionId !== this.#sessionId) {
      this.#sessionId = sessionId;
      this.save();
    }
  }

  #saveSoon(): void {
    this.#timer ??= setTimeout(() => this.save(), SAVE_PAUSE_MS);
  }

  save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#host.save({
      drafts: this.texts.peek(),
      images: this.images.peek(),
      unsent: this.#unsent,
      ...(this.#sessionId === undefined ? {} : { sessionId: this.#sessionId }),
      ...(this.focus.peek() ? { focus: true } : {}),
    });
  }
}
