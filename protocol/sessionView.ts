import type { SessionState, SessionSummary } from './session.ts';
import { summarize } from './summarize.ts';

/*
 * Sessions as another agent reads them, over the Model Context Protocol or as tools of the editor. Plain JSON, bounded, in
 * the words that people see.
 */

/** What a model needs of what the agent wrote last; the whole of it is in the session. */
const MAX_TEXT = 4_000;
/** Of a question's input, such as the command that is to be run. */
const MAX_INPUT = 1_000;

/** Kinds of activity in which nothing goes on by itself any more. */
const SETTLED = new Set(['idle', 'ready', 'interrupted', 'waiting', 'stuck', 'blocked', 'archived']);

/** A row of a list, in the words that people see too. */
export function rowView(row: SessionSummary): Record<string, unknown> {
  return {
    sessionId: row.id,
    title: row.title,
    status: row.doing?.kind ?? row.phase,
    activity: row.activity,
    needsPerson: row.needsYou > 0,
    repository: row.repository.name,
    changedFiles: row.stats.files,
    undecidedChanges: row.review?.pending ?? 0,
    costUsd: round(row.usage.costUsd),
    updatedAt: new Date(row.updatedAt).toISOString(),
    ...(row.pullRequest ? { pullRequest: row.pullRequest.url } : {}),
  };
}

/** One session: where it stands, what it waits for, and what its agent said last. */
export function sessionView(state: SessionState): Record<string, unknown> {
  const { phase } = state;
  const said = lastAnswer(state);
  return {
    ...rowView(summarize(state)),
    turns: state.turns.length,
    settled: isSettled(state),
    ...(phase.kind === 'blocked' ? { failure: phase.failure.message, hint: phase.failure.hint } : {}),
    ...(state.approvals.length > 0
      ? {
          waitsFor: state.approvals.map(({ kind, title, input }) => ({
            kind,
            title,
            input: cut(input.text, MAX_INPUT),
          })),
          hint: 'A person answers this in Sandpiper. It cannot be answered from here.',
        }
      : {}),
    ...(said === undefined ? {} : { lastAnswer: cut(said, MAX_TEXT) }),
  };
}

/** What the agent itself said last, none of its subagents. */
export function lastAnswer({ items }: SessionState): string | undefined {
  const said = items.findLast(item => item.kind === 'text' && item.parentToolId === undefined);
  return said?.kind === 'text' ? said.text.text : undefined;
}

/** Whether waiting longer brings nothing: the turn is over, or a person is needed. */
export function isSettled(state: SessionState): boolean {
  return SETTLED.has(summarize(state).doing?.kind ?? '');
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)} [cut, ${text.length} characters in all]`;
}

function round(usd: number): number {
  return Math.round(usd * 10_000) / 10_000;
}
