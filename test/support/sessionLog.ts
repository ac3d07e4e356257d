import type { EventBody, SessionEvent } from '../../protocol/events.ts';
import { newId } from '../../protocol/ids.ts';
import { reduceSession } from '../../protocol/reducer.ts';
import type { SessionState } from '../../protocol/session.ts';

const START = Date.parse('2026-11-20T09:00:00Z');

export const commit = (digit: string): string => digit.repeat(40);

/** A session's log that is written by hand: `seq` and time are given, the state is folded along. */
export class SessionLog {
  readonly id = newId('ses', START);
  readonly events: SessionEvent[] = [];
  #state: SessionState | undefined;
  #at: number;

  /** @param startedAt milliseconds since the epoch */
  constructor(startedAt: number = START) {
    this.#at = startedAt;
    this.add({
      type: 'sessionCreated',
      title: 'Fix the flaky login test',
      repository: { id: 'r1', name: 'webshop', source: '/home/me/webshop', branch: 'main' },
      base: commit('a'),
      includesUncommitted: false,
      provider: 'local',
      isolation: 'process',
      agent: 'claude',
      permissionMode: 'ask',
    });
  }

  get state(): SessionState {
    if (!this.#state) {
      throw new Error('The log is empty.');
    }
    return this.#state;
  }

  /** Adds events a second apart, or `afterMs` after the one before. @returns them, as the host would send them */
  add(...bodies: EventBody[]): SessionEvent[] {
    return this.addAfter(1000, ...bodies);
  }

  addAfter(afterMs: number, ...bodies: EventBody[]): SessionEvent[] {
    const added: SessionEvent[] = [];
    for (const body of bodies) {
      this.#at += afterMs;
      const event = { seq: this.events.length + 1, at: this.#at, body };
      this.events.push(event);
      this.#state = reduceSession(this.#state, event, this.id);
      added.push(event);
    }
    return added;
  }

  /** A message that the agent takes, and the turn that it begins. @returns the events */
  turn(turn: number, text: string): SessionEvent[] {
    const messageId = newId('msg', this.#at);
    return this.add(
      { type: 'messageQueued', messageId, text, by: 'you' },
      { type: 'messageSent', messageId },
      { type: 'turnStarted', turn, messageIds: [messageId] },
      { type: 'messageTaken', messageId },
    );
  }

  ready(): SessionEvent[] {
    return this.add(
      { type: 'preparing', step: 'sandbox' },
      { type: 'agentStarted', agent: 'claude', version: '2.1.328', segment: 1, resumed: false },
    );
  }

  /** A tool call that is over. */
  tool(toolId: string, name: string, title: string, input: object, output: string): SessionEvent[] {
    return this.add(
      { type: 'toolStarted', toolId, name, title, input: { text: JSON.stringify(input) } },
      { type: 'toolFinished', toolId, outcome: 'ok', output: { text: output } },
    );
  }

  /** The end of a turn, with changes. */
  finish(turn: number, changed = true): SessionEvent[] {
    const usage = { inputTokens: 900, outputTokens: 400, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0.12 };
    const stats = changed ? { files: 3, insertions: 10, deletions: 2 } : { files: 0, insertions: 0, deletions: 0 };
    const review = { pendingFiles: stats.files, pending: stats.files, reviewed: 0 };
    const checkpoint = commit(changed ? 'b' : 'a');
    return this.add(
      { type: 'agentFinished', turn, outcome: 'completed', usage, durationMs: 134_000 },
      { type: 'turnFinished', turn, outcome: 'completed', checkpoint, changed, stats, review },
    );
  }
}
