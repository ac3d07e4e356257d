import { batch, signal } from '@preact/signals';
import type { SessionEvent } from '../../../protocol/events.ts';
import { reduceEvents } from '../../../protocol/reducer.ts';
import type { Item, SessionState, SessionSummary } from '../../../protocol/session.ts';
import type { ConnectionState, DraftContext, WebviewError } from '../../../protocol/webviewApi.ts';
import type { Announcement } from '../host/host.ts';
import { applyDelta, liveText, type Delta, type LiveText } from './liveText.ts';

export interface Connection {
  state: ConnectionState;
  detail?: string;
  /** When the next attempt is due, by this page's clock. */
  retryAt?: number;
}

/** Text that the user asked to be put into the composer; the counter makes the same text twice two requests. */
export interface ComposeRequest {
  text: string;
  count: number;
}

type OnlyOf<T extends Announcement['type']> = Extract<Announcement, { type: T }>;

/** A live item whose text has a hole asks for the session again, but not more often than this. */
const RESYNC_PAUSE_MS = 2000;
/** A delta may come after the event that finished its item; only the newest items can be meant. */
const RECENT_ITEMS = 50;

/** All that the page shows, fed by the host. Knows neither the DOM nor which host it is. */
export class ChatModel {
  readonly connection = signal<Connection>({ state: 'connecting' });
  readonly summaries = signal<SessionSummary[]>([]);
  /** The open session; null for the composer of a new one; undefined until the host has said. */
  readonly sessionId = signal<string | null | undefined>(undefined);
  readonly session = signal<SessionState | null>(null);
  /** Why the open session cannot be shown. */
  readonly problem = signal<WebviewError | undefined>(undefined);
  readonly live = signal<readonly LiveText[]>([]);
  readonly draftContext = signal<DraftContext | undefined>(undefined);
  /** The row to bring into sight, once it is there. */
  readonly show = signal<{ sessionId: string; itemId: string; keepFocus?: boolean } | undefined>(undefined);
  /** What stands open because something inside of it was brought into sight. */
  readonly revealed = signal<ReadonlySet<string>>(new Set());
  readonly compose = signal<ComposeRequest>({ text: '', count: 0 });
  /** Items older than the snapshot, once they were fetched. */
  readonly olderItems = signal<{ sessionId: string; items: readonly Item[] } | undefined>(undefined);

  readonly #resync: (sessionId: string) => void;
  readonly #now: () => number;
  #resyncing = false;
  #resyncedAt = 0;

  /** @param resync asks the host for the whole session; `open` answers */
  constructor(resync: (sessionId: string) => void, now: () => number = Date.now) {
    this.#resync = resync;
    this.#now = now;
  }

  receive(message: Exclude<Announcement, { type: 'outbox' }>): void {
    batch(() => this.#dispatch(message));
  }

  #dispatch(message: Exclude<Announcement, { type: 'outbox' }>): void {
    switch (message.type) {
      case 'connection':
        this.connection.value = {
          state: message.state,
          ...(message.detail === undefined ? {} : { detail: message.detail }),
          ...(message.retryInMs === undefined ? {} : { retryAt: this.#now() + message.retryInMs }),
        };
        break;
      case 'sessions':
        this.summaries.value = message.summaries;
        break;
      case 'open':
        this.#open(message);
        break;
      case 'events':
        if (message.sessionId === this.sessionId.peek() && !this.#resyncing) {
          this.#fold(message.sessionId, message.events);
        }
        break;
      case 'delta':
        if (message.sessionId === this.sessionId.peek() && !this.#resyncing) {
          this.#addDelta(message.sessionId, message);
        }
        break;
      case 'draft':
        this.draftContext.value = message.context;
        break;
      case 'show':
        this.show.value = { sessionId: message.sessionId, itemId: message.itemId };
        break;
      case 'compose':
        this.compose.value = { text: message.text ?? '', count: this.compose.peek().count + 1 };
        break;
    }
  }

  #open(message: OnlyOf<'open'>): void {
    const now = this.#now();
    this.#resyncing = false;
    if (message.sessionId !== this.olderItems.peek()?.sessionId) {
      this.olderItems.value = undefined;
    }
    this.sessionId.value = message.sessionId;
    this.session.value = message.state;
    this.problem.value = message.problem;
    this.live.value = message.live.map(item => liveText(item, now));
  }

  #fold(sessionId: string, events: readonly SessionEvent[]): void {
    const state = this.session.peek() ?? undefined;
    const finished = new Set<string>();
    const fresh: SessionEvent[] = [];
    for (const event of events) {
      const due = (state?.seq ?? 0) + fresh.length + 1;
      if (event.seq < due) {
        continue;
      }
      if (event.seq > due) {
        this.#askAgain(sessionId);
        break;
      }
      fresh.push(event);
      noteFinished(event, finished);
    }
    if (fresh.length > 0) {
      this.session.value = reduceEvents(state, fresh, sessionId) ?? null;
    }
    const live = this.live.peek();
    const left = finished.has(ALL) ? [] : live.filter(item => !finished.has(item.id));
    if (left.length !== live.length) {
      this.live.value = left;
    }
  }

  #addDelta(sessionId: string, delta: Delta): void {
    const recent = this.session.peek()?.items.slice(-RECENT_ITEMS) ?? [];
    if (recent.some(item => item.id === delta.itemId)) {
      return;
    }
    const result = applyDelta(this.live.peek(), delta, this.#now());
    if (result !== 'gap') {
      this.live.value = result;
    } else if (this.#now() - this.#resyncedAt > RESYNC_PAUSE_MS) {
      this.#askAgain(sessionId);
    }
  }

  #askAgain(sessionId: string): void {
    this.#resyncing = true;
    this.#resyncedAt = this.#now();
    this.#resync(sessionId);
  }
}

const ALL = '*';

/** Adds the ids of live items that an event replaces. */
function noteFinished({ body }: SessionEvent, finished: Set<string>): void {
  switch (body.type) {
    case 'textFinished':
    case 'thinkingFinished':
      finished.add(body.itemId);
      break;
    case 'toolStarted':
      finished.add(body.toolId);
      break;
    case 'agentFinished':
    case 'turnFinished':
    case 'agentEnded':
      finished.add(ALL);
      break;
    default:
      break;
  }
}
