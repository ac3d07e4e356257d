import type { FollowChange } from '../../../client/followedSession.ts';
import type { RelayClient } from '../../../client/relayClient.ts';
import { errorText, toSandpiperError } from '../../../protocol/errors.ts';
import type { SessionEvent } from '../../../protocol/events.ts';
import type { Approval, SessionState } from '../../../protocol/session.ts';
import { askAtTerminal } from './ask.ts';
import { EXIT } from './exitCodes.ts';
import { progressLine, type ProgressLine } from './progressLine.ts';
import { renderEvent, type Style } from './render.ts';
import { retryLine, type RetryLine } from './retryLine.ts';

export interface FollowOptions {
  client: RelayClient;
  sessionId: string;
  json: boolean;
  style: Style;
  /** What happens when the agent asks: ask the person here, end with a code of its own, or only show it. */
  onQuestion: 'ask' | 'end' | 'show';
  /** The exit code that ends following, or undefined to go on. Asked when everything up to this state is printed. */
  until(state: SessionState): number | undefined;
}

/** Events a call. */
const PAGE = 1000;

/** Prints a session from its beginning and as it goes on, until `until` says so or a person ends it. Returns the exit code. */
export function followSession(options: FollowOptions): Promise<number> {
  return new Follower(options).run();
}

/** Prints what is in the log, without waiting for more. */
export async function printLog(options: Pick<FollowOptions, 'client' | 'sessionId' | 'json' | 'style'>): Promise<void> {
  await printAfter(options, 0);
}

class Follower {
  readonly #options: FollowOptions;
  readonly #progress: ProgressLine | undefined;
  readonly #retry: RetryLine;
  readonly #ended: Promise<number>;
  #end: (code: number) => void = () => {};
  #printed = 0;
  #latest: SessionState | undefined;
  #catchingUp = false;
  #over = false;
  readonly #answered = new Set<string>();
  /** The question that the person is looking at. */
  #asked: { id: string; withdraw: AbortController } | undefined;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#retry = retryLine(options.client);
    this.#progress = options.json ? undefined : progressLine(options.style, () => this.#retry.text());
    this.#ended = new Promise(resolve => (this.#end = resolve));
  }

  async run(): Promise<number> {
    const interrupted = () => this.#finish(EXIT.interrupted);
    process.on('SIGINT', interrupted);
    const following = this.#options.client.follow(this.#options.sessionId, (mirror, change) => {
      this.#latest = mirror.state;
      this.#take(change);
    });
    try {
      return await this.#ended;
    } finally {
      process.off('SIGINT', interrupted);
      following.dispose();
      this.#asked?.withdraw.abort();
      this.#progress?.dispose();
      this.#retry.dispose();
    }
  }

  #finish(code: number): void {
    this.#over = true;
    this.#end(code);
  }

  #take(change: FollowChange): void {
    if (this.#over) {
      return;
    }
    if (change.kind === 'failed') {
      // What can be tried again is: the client subscribes anew.
      if (!change.error.retryable) {
        process.stderr.write(`${errorText(change.error)}\n`);
        this.#finish(EXIT.failed);
      }
      return;
    }
    if (change.kind === 'events' && !this.#catchingUp && change.events[0]?.seq === this.#printed + 1) {
      for (const event of change.events) {
        this.#print(event);
      }
    }
    this.#decide();
  }

  #decide(): void {
    const state = this.#latest;
    if (!state || this.#over || this.#catchingUp) {
      return;
    }
    // A snapshot says what the session is, not what happened: the events before it are asked for.
    if (state.seq > this.#printed) {
      void this.#catchUp();
      return;
    }
    this.#progress?.show(state);
    if (this.#asked && !state.approvals.some(({ id }) => id === this.#asked?.id)) {
      this.#asked.withdraw.abort();
    }
    const code = this.#options.until(state);
    if (code !== undefined) {
      this.#finish(code);
      return;
    }
    const approval = state.approvals.find(({ id }) => !this.#answered.has(id));
    if (approval && this.#options.onQuestion === 'end') {
      process.stderr.write(
        `The agent waits for you. Answer it in VS Code, or run this at a terminal: sandpiper logs -f ${state.id}\n`,
      );
      this.#finish(EXIT.needsYou);
    } else if (approval && this.#options.onQuestion === 'ask' && !this.#asked) {
      void this.#ask(approval);
    }
  }

  async #catchUp(): Promise<void> {
    this.#catchingUp = true;
    try {
      await printAfter(this.#options, this.#printed, event => this.#print(event));
    } catch (error) {
      process.stderr.write(`${errorText(toSandpiperError(error))}\n`);
      this.#finish(EXIT.failed);
    }
    this.#catchingUp = false;
    this.#decide();
  }

  #print(event: SessionEvent): void {
    if (event.seq > this.#printed && !this.#over) {
      this.#printed = event.seq;
      printEvent(event, this.#options, this.#progress);
    }
  }

  /** One question at a time: the next is asked when this one is settled. */
  async #ask(approval: Approval): Promise<void> {
    const { client, sessionId, style } = this.#options;
    const withdraw = new AbortController();
    this.#asked = { id: approval.id, withdraw };
    this.#progress?.pause();
    try {
      const answer = await askAtTerminal(approval, style, withdraw.signal);
      if (answer.kind === 'decided') {
        // The state may hold this question for a moment longer; it must not be asked again.
        this.#answered.add(approval.id);
        await client.call('session.answer', { sessionId, approvalId: approval.id, decision: answer.decision });
      } else if (answer.kind === 'interrupted') {
        this.#finish(EXIT.interrupted);
      } else if (!withdraw.signal.aborted) {
        this.#finish(EXIT.needsYou);
      }
    } catch (thrown) {
      const error = toSandpiperError(thrown);
      process.stderr.write(error.code === 'conflict' ? `${error.message}\n` : `${errorText(error)}\n`);
      if (error.retryable) {
        this.#answered.delete(approval.id);
      }
    }
    this.#progress?.resume();
    this.#asked = undefined;
    this.#decide();
  }
}

/** Prints every event after a seq, page by page. */
async function printAfter(
  options: Pick<FollowOptions, 'client' | 'sessionId' | 'json' | 'style'>,
  seq: number,
  print: (event: SessionEvent) => void = event => printEvent(event, options),
): Promise<void> {
  let after = seq;
  for (;;) {
    const { events, lastSeq } = await options.client.call('session.events', {
      sessionId: options.sessionId,
      after,
      limit: PAGE,
    });
    events.forEach(print);
    after = events.at(-1)?.seq ?? lastSeq;
    if (after >= lastSeq) {
      return;
    }
  }
}

function printEvent(
  event: SessionEvent,
  { json, style }: Pick<FollowOptions, 'json' | 'style'>,
  progress?: ProgressLine,
): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(event)}\n`);
    return;
  }
  const text = renderEvent(event.body, style);
  if (text !== undefined && text !== '') {
    progress?.clear();
    process.stdout.write(`${text}\n`);
  }
}
