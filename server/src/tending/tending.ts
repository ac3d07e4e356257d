import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { PullRequest } from '../../../protocol/events.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import type { Logger } from '../core/log.ts';
import type { Place } from '../forges/colleague.ts';
import type { PullWatcher, Remembered } from '../forges/watchedPull.ts';
import { Pump } from '../hooks/pump.ts';
import type { Told } from './told.ts';
import { waitUntilNextLook, withNews } from './nextLook.ts';

export interface TendingOptions {
  log: Logger;
  watcher: PullWatcher;
  /** Whether the watcher can read a pull request: those of other forges stay as they were when they were opened. */
  canWatch(pull: Pick<PullRequest, 'forge'>): boolean;
  /** How often a pull request is looked at while something is under way there, at most; 0: never by itself. */
  pollMs: number;
  /** The sessions that are not archived. */
  sessions(): Promise<SessionSummary[]>;
  /** Writes into the log of a session what its pull request is now, as `decide` says; what it is undefined of is no news. */
  record(sessionId: string, decide: (now: PullRequest) => PullRequest | undefined): Promise<void>;
  /** The repository of a pull request, with the token to read it; undefined when there is none. */
  place(pull: PullRequest, token?: string): Promise<Place | undefined>;
}

interface Watched {
  /** Milliseconds since the epoch. */
  dueAt: number;
  lookedAt: number;
  failures: number;
  remembered: Remembered;
  /** Of the pull request that was seen last, so that another push or another one is looked at at once. */
  seen: string;
}

const MAX_TOLD = 1000;
/** One thing that happens on a forge is told in several ways. */
const MIN_GAP_MS = 1_000;

/**
 * Keeps what a session says of its pull request true: looked at again and again while the session is not archived, at once
 * when a forge told that something happened, and less often while it fails.
 */
export class Tending {
  readonly #options: TendingOptions;
  readonly #pump: Pump;
  readonly #watched = new Map<string, Watched>();
  #told: Told[] = [];

  constructor(options: TendingOptions) {
    this.#options = options;
    this.#pump = new Pump(() => this.#round(), options.log);
  }

  get #isOn(): boolean {
    return this.#options.pollMs > 0;
  }

  #isTended(pull: Pick<PullRequest, 'forge' | 'state'>): boolean {
    return pull.state !== 'merged' && this.#options.canWatch(pull);
  }

  start(): void {
    if (this.#isOn) {
      this.#pump.nudge();
    }
  }

  close(): Promise<void> {
    return this.#pump.close();
  }

  /** Something happened on a forge. Costs nothing here. */
  told(news: Told): void {
    if (this.#isOn && this.#told.length < MAX_TOLD) {
      this.#told.push(news);
      this.#pump.nudge();
    }
  }

  /** A row of the list of sessions is another one now. */
  sessionChanged({ id, archived, pullRequest }: Pick<SessionSummary, 'id' | 'archived' | 'pullRequest'>): void {
    const isTended = pullRequest !== undefined && this.#isTended(pullRequest) && !archived;
    if (this.#isOn && isTended && this.#watched.get(id)?.seen !== nameOf(pullRequest)) {
      this.#pump.nudge();
    }
  }

  /**
   * Looks at the pull request of a session now, where it can be watched.
   * @param token default: the relay's own
   * @throws `forge_unauthorized` when there is no token, and why it could not be read
   */
  async look(sessionId: string, pull: PullRequest, token?: string): Promise<void> {
    if (!this.#options.canWatch(pull)) {
      return;
    }
    const place = await this.#options.place(pull, token);
    if (!place) {
      throw noToken(pull);
    }
    const remembered = this.#watched.get(sessionId)?.remembered ?? new Map();
    await this.#read(sessionId, pull, place, remembered);
  }

  async #read(sessionId: string, pull: PullRequest, place: Place, remembered: Remembered): Promise<PullRequest> {
    const now = await this.#options.watcher.read(place, pull.number, remembered);
    const news = withNews(pull, now);
    if (news) {
      await this.#options.record(sessionId, latest =>
        latest.number === pull.number && latest.url === pull.url ? withNews(latest, now) : undefined,
      );
    }
    return news ?? pull;
  }

  async #round(): Promise<number | undefined> {
    const told = this.#told.splice(0);
    const rows = (await this.#options.sessions()).flatMap(({ id, pullRequest }) =>
      pullRequest && this.#isTended(pullRequest) ? [{ id, pull: pullRequest }] : [],
    );
    const ids = new Set(rows.map(({ id }) => id));
    for (const id of this.#watched.keys()) {
      if (!ids.has(id)) {
        this.#watched.delete(id);
      }
    }
    for (const { id, pull } of rows) {
      const watched = this.#of(id, pull);
      if (told.some(news => isAbout(news, pull))) {
        watched.dueAt = Math.min(watched.dueAt, Math.max(Date.now(), watched.lookedAt + MIN_GAP_MS));
      }
      if (watched.dueAt <= Date.now()) {
        await this.#lookInTime(id, pull, watched);
      }
    }
    const dues = [...this.#watched.values()].map(({ dueAt }) => dueAt);
    return dues.length === 0 ? undefined : Math.min(...dues);
  }

  #of(id: string, pull: PullRequest): Watched {
    const known = this.#watched.get(id);
    if (known?.seen === nameOf(pull)) {
      return known;
    }
    const watched = { dueAt: 0, lookedAt: 0, failures: 0, remembered: new Map(), seen: nameOf(pull) };
    this.#watched.set(id, watched);
    return watched;
  }

  async #lookInTime(id: string, pull: PullRequest, watched: Watched): Promise<void> {
    const { pollMs: baseMs, log } = this.#options;
    watched.lookedAt = Date.now();
    let now = pull;
    let noToken = false;
    let retryAfterMs: number | undefined;
    try {
      const place = await this.#options.place(pull);
      noToken = !place;
      now = place ? await this.#read(id, pull, place, watched.remembered) : pull;
      watched.failures = 0;
    } catch (error) {
      const { message, code, details } = toSandpiperError(error);
      const after = details?.['retryAfterMs'];
      retryAfterMs = typeof after === 'number' ? after : undefined;
      if (watched.failures++ === 0) {
        log.log('warn', 'tending', `The pull request could not be looked at: ${message}`, { sessionId: id, code });
      }
    }
    const { failures } = watched;
    watched.dueAt = Date.now() + waitUntilNextLook(now, { baseMs, failures, retryAfterMs, noToken });
  }
}

function nameOf({ url, headCommit }: PullRequest): string {
  return `${url} ${headCommit}`;
}

function isAbout({ repositoryUrl, number, commit }: Told, { url, headCommit }: PullRequest): boolean {
  const page = `${repositoryUrl}/pull/`.toLowerCase();
  return (
    url.toLowerCase().startsWith(page) &&
    (number === undefined ? commit === undefined || commit === headCommit : url.toLowerCase() === `${page}${number}`)
  );
}

export function noToken({ url }: Pick<PullRequest, 'url'>): SandpiperError {
  return new SandpiperError('forge_unauthorized', `There is no token to read ${url} with.`, {
    hint: 'Sign in to GitHub in VS Code or with `sandpiper login`, or set SANDPIPER_GITHUB_TOKEN for the relay.',
  });
}
