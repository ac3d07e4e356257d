import type { CallToolResult, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { errorText, toSandpiperError } from '../../../protocol/errors.ts';
import { sessionIdSchema } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { RelayAccess } from './relayAccess.ts';
import { isSettled, rowView, sessionView } from '../../../protocol/sessionView.ts';

/** Clients give a tool a minute. */
const MAX_WAIT_SECONDS = 50;
const MAX_DIFF_BYTES = 100_000;

const sessionId = sessionIdSchema.describe('Id of the session, as start_session and list_sessions name it');
const READS = { readOnlyHint: true, openWorldHint: false };

/**
 * The tools by which another agent hands work over and watches it. There is none that answers a question of the session's
 * agent, accepts a change or deletes anything: those are decisions of a person.
 */
export function addSessionTools(server: McpServer, relay: RelayAccess): void {
  addReading(server, relay);
  addWorking(server, relay);
}

function addReading(server: McpServer, relay: RelayAccess): void {
  server.registerTool(
    'list_sessions',
    {
      title: 'List Sandpiper sessions',
      description: 'The sessions of this relay, newest activity first, with what each of them does and needs.',
      inputSchema: z.object({ archived: z.boolean().default(false), limit: z.int().min(1).max(100).default(20) }),
      annotations: READS,
    },
    ({ archived, limit }) =>
      answer(async () => {
        const { sessions } = await relay.call('session.list', { archived, limit });
        return { sessions: sessions.map(rowView) };
      }),
  );
  server.registerTool(
    'get_session',
    {
      title: 'Look at a Sandpiper session',
      description: 'What a session does, what it waits for, what its agent said last, and how much it changed.',
      inputSchema: z.object({ sessionId }),
      annotations: READS,
    },
    params => answer(async () => sessionView(await relay.call('session.get', params))),
  );
  server.registerTool(
    'wait_for_session',
    {
      title: 'Wait for a Sandpiper session',
      description:
        'Waits until the session’s turn is over or it needs a person, at most so many seconds; call again while `settled` is false.',
      inputSchema: z.object({ sessionId, seconds: z.int().min(1).max(MAX_WAIT_SECONDS).default(30) }),
      annotations: READS,
    },
    (params, context) =>
      answer(async () => {
        const limit = AbortSignal.timeout(params.seconds * 1000);
        const signal = AbortSignal.any([limit, context.mcpReq.signal]);
        return sessionView(await whenSettled(relay, params.sessionId, signal));
      }),
  );
  server.registerTool(
    'get_diff',
    {
      title: 'Read what a Sandpiper session changed',
      description: 'The unified diff of what the session has on offer, against what it started from.',
      inputSchema: z.object({ sessionId }),
      annotations: READS,
    },
    params =>
      answer(async () => {
        const { diff, truncated } = await relay.call('changes.diff', { ...params, maxBytes: MAX_DIFF_BYTES });
        return truncated ? `${diff}\n[The rest is left out: the diff is longer than ${MAX_DIFF_BYTES} bytes.]` : diff;
      }),
  );
}

function addWorking(server: McpServer, relay: RelayAccess): void {
  server.registerTool(
    'start_session',
    {
      title: 'Start a Sandpiper session',
      description:
        'Hands a task to Claude Code in an isolated sandbox with its own clone of a repository. The user’s files stay as they are; a person reviews the result. Returns at once: use wait_for_session.',
      inputSchema: z.object({
        repository: z.string().min(1).max(4096).describe('Absolute path of a local git repository, or its URL'),
        prompt: z.string().min(1).max(1_000_000).describe('The task, complete: the agent sees nothing else'),
        title: z.string().max(200).optional(),
        base: z.string().max(200).optional().describe('Commit, branch or tag to start from; default HEAD'),
        includeUncommitted: z.boolean().default(false).describe('Take uncommitted and untracked files along'),
      }),
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
    },
    ({ repository, title, base, ...params }) =>
      answer(() =>
        relay
          .call('session.create', {
            ...params,
            source: repository,
            ...(title === undefined ? {} : { title }),
            ...(base === undefined ? {} : { base }),
          })
          .then(created => ({ sessionId: created.sessionId })),
      ),
  );
  server.registerTool(
    'send_message',
    {
      title: 'Send a message to a Sandpiper session',
      description: 'Queues a message for the agent; it gets it when its turn is over.',
      inputSchema: z.object({ sessionId, text: z.string().min(1).max(1_000_000) }),
      annotations: { readOnlyHint: false, destructiveHint: false },
    },
    params =>
      answer(async () => {
        const { messageId } = await relay.call('session.send', params);
        return { messageId };
      }),
  );
  server.registerTool(
    'stop_session',
    {
      title: 'Stop a Sandpiper session',
      description: 'Stops the turn that runs. What was done so far is kept.',
      inputSchema: z.object({ sessionId }),
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true },
    },
    params => answer(() => relay.call('session.stop', params)),
  );
  server.registerTool(
    'open_pull_request',
    {
      title: 'Open a pull request from a Sandpiper session',
      description:
        'Pushes what the person accepted in the session and opens its pull request as a draft, or updates it. Refused while changes are undecided.',
      inputSchema: z.object({ sessionId, title: z.string().max(250).optional() }),
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
    },
    ({ title, ...params }) =>
      answer(async () => {
        const opened = await relay.call('pullRequest.open', {
          ...params,
          ...(title === undefined ? {} : { title }),
          from: 'accepted',
          blockWhilePending: true,
        });
        return { pullRequest: opened.pullRequest.url, created: opened.created };
      }),
  );
}

async function whenSettled(relay: RelayAccess, id: string, signal: AbortSignal): Promise<SessionState> {
  for (;;) {
    const state = await relay.call('session.get', { sessionId: id });
    if (isSettled(state) || signal.aborted) {
      return state;
    }
    await relay.changed(id, state.seq, signal);
  }
}

/** A refusal is an answer to the model, with what it can do; it is no failure of the connection. */
async function answer(work: () => Promise<unknown>): Promise<CallToolResult> {
  try {
    const result = await work();
    return { content: [{ type: 'text', text: typeof result === 'string' ? result : JSON.stringify(result, null, 1) }] };
  } catch (thrown) {
    return { isError: true, content: [{ type: 'text', text: errorText(toSandpiperError(thrown)) }] };
  }
}
