import { randomUUID } from 'node:crypto';
import type { CallHandlers, CallResult, CheckedParams } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { EventBody, Isolation } from '../../../protocol/events.ts';
import { newId } from '../../../protocol/ids.ts';
import { NO_USAGE } from '../../../protocol/usage.ts';
import type { LocalConversations, LocalItem, LocalTurn, ReadConversation } from '../agents/agent.ts';
import type { CallContext } from '../core/callContext.ts';
import { inspectRepository, type InspectedRepository } from '../git/inspect.ts';
import { stripCredentials } from '../git/source.ts';
import { conversationName } from './conversations.ts';
import { checkIsolation, snapshot } from './createSession.ts';
import type { Dependencies } from './dependencies.ts';
import type { Idempotency, RecordOf } from './idempotency.ts';
import { storeFirstImages } from './messageImages.ts';
import { firstRuntime } from './runtime.ts';
import type { Sessions } from './sessions.ts';

const AGENT = 'claude';
/** What is told of the past: the agent knows all of it, the transcript shows the newest. */
const MAX_EVENTS = 4000;
const MAX_TEXT = 20_000;
const MAX_PREVIEW = 200_000;

/** The calls about conversations that a person had with an agent outside of Sandpiper. */
export function importHandlers(
  dependencies: Dependencies,
  sessions: Sessions,
  idempotency: Idempotency,
): Pick<CallHandlers<CallContext>, 'import.list' | 'import.preview' | 'import.start'> {
  const local = (): LocalConversations => {
    const found = dependencies.agents.get(AGENT)?.local;
    if (!found) {
      throw new SandpiperError('agent_missing', 'This relay has no agent whose conversations could be imported.');
    }
    return found;
  };
  return {
    'import.list': async () => ({ conversations: (await local().list()).map(describe) }),
    'import.preview': async ({ id }) => {
      const read = await local().read(id, randomUUID());
      return {
        ...describe(read),
        text: read.turns.map(previewOf).join('\n\n').slice(-MAX_PREVIEW),
        turns: read.turns.length,
        skipped: read.skipped,
      };
    },
    'import.start': params =>
      idempotency.once('import.start', params, record =>
        importSession(dependencies, sessions, local(), params, record),
      ),
  };
}

async function importSession(
  dependencies: Dependencies,
  sessions: Sessions,
  local: LocalConversations,
  params: CheckedParams<'import.start'>,
  record: RecordOf,
): Promise<CallResult<'import.start'>> {
  await dependencies.requireRoom();
  const isolation = await checkIsolation(dependencies, params);
  await dependencies.findAgent(AGENT);
  const conversationId = randomUUID();
  const read = await local.read(params.id, conversationId);
  const source = params.source ?? read.folder;
  const { inspected, notes } = await inspect(dependencies, source, params, read.branch);
  const pictures = await storeFirstImages(dependencies, AGENT, params);
  const base = params.includeUncommitted ? await snapshot(dependencies, source, inspected) : inspected.head;
  const sessionId = newId('ses');
  // First, so that a session that is there has what its agent is to remember.
  await dependencies.conversations.write(conversationName(sessionId, undefined), read.content);
  const session = await sessions
    .create({
      sessionId,
      events: [
        ...createdEvents(params, { inspected, base, isolation, read, notes }),
        ...pastEvents(read.turns, base),
        ...(params.prompt === undefined
          ? []
          : [
              {
                type: 'messageQueued',
                messageId: newId('msg'),
                text: params.prompt,
                by: 'owner',
                ...pictures,
              } as const,
            ]),
      ],
      runtime: firstRuntime(params, { source: stripCredentials(source), conversationId }),
      call: seq => record({ sessionId, seq }),
    })
    .catch(async (error: unknown) => {
      await dependencies.conversations.remove(sessionId);
      throw error;
    });
  return { sessionId, seq: session.log.state.seq };
}

/** The repository at the branch of the conversation, where that is there still. */
async function inspect(
  dependencies: Dependencies,
  source: string,
  params: CheckedParams<'import.start'>,
  branch: string | undefined,
): Promise<{ inspected: InspectedRepository; notes: string[] }> {
  if (source === '') {
    throw new SandpiperError('invalid_params', 'The conversation does not say in which folder it was.', {
      hint: 'Name the repository to go on in.',
    });
  }
  const header = await dependencies.sourceAccess.headerFor(source);
  const options = { ...(header === undefined ? {} : { header }), withoutWorkTree: !params.includeUncommitted };
  if (params.base !== undefined) {
    return { inspected: await inspectRepository(source, { ...options, base: params.base }), notes: [] };
  }
  const inspected = await inspectRepository(source, options);
  if (branch === undefined || branch === inspected.repository.branch || params.includeUncommitted) {
    return { inspected, notes: [] };
  }
  try {
    return { inspected: await inspectRepository(source, { ...options, base: branch }), notes: [] };
  } catch {
    const note = `The branch "${branch}" of the conversation is gone: the session starts from what is checked out.`;
    return { inspected, notes: [note] };
  }
}

function createdEvents(
  params: CheckedParams<'import.start'>,
  start: {
    inspected: InspectedRepository;
    base: string;
    isolation: Isolation;
    read: ReadConversation;
    notes: string[];
  },
): EventBody[] {
  const { inspected, base, isolation, read, notes } = start;
  const unread = read.skipped > 0 ? [`${read.skipped} lines of the conversation could not be read.`] : [];
  return [
    {
      type: 'sessionCreated',
      title: read.title,
      repository: inspected.repository,
      base,
      includesUncommitted: base !== inspected.head,
      provider: params.provider,
      isolation,
      agent: AGENT,
      permissionMode: params.permissionMode,
    },
    ...[...inspected.notes, ...notes, ...unread].map(text => ({ type: 'noticeRaised', level: 'info', text }) as const),
    {
      type: 'sessionImported',
      from: { id: read.id, folder: read.folder, turns: read.turns.length },
      by: 'owner',
    },
  ];
}

/** The transcript of then, as turns that changed nothing here. */
function pastEvents(turns: readonly LocalTurn[], base: string): EventBody[] {
  const kept: LocalTurn[] = [];
  let events = 0;
  for (const turn of turns.toReversed()) {
    events += 6 + turn.items.length * 2;
    if (events > MAX_EVENTS && kept.length > 0) {
      break;
    }
    kept.unshift(turn);
  }
  return kept.flatMap((turn, index) => turnEvents(turn, index + 1, base));
}

function turnEvents({ messageId, text, items }: LocalTurn, turn: number, base: string): EventBody[] {
  return [
    { type: 'messageQueued', messageId, text: text.slice(0, MAX_TEXT), by: 'owner' },
    { type: 'messageSent', messageId },
    { type: 'turnStarted', turn, messageIds: [messageId] },
    { type: 'messageTaken', messageId },
    ...items.slice(-MAX_EVENTS / 2).flatMap(itemEvents),
    { type: 'agentFinished', turn, outcome: 'completed', usage: NO_USAGE, durationMs: 0 },
    {
      type: 'turnFinished',
      turn,
      outcome: 'completed',
      checkpoint: base,
      changed: false,
      stats: { files: 0, insertions: 0, deletions: 0 },
      review: { pendingFiles: 0, pending: 0, reviewed: 0 },
    },
  ];
}

function itemEvents(item: LocalItem): EventBody[] {
  switch (item.kind) {
    case 'text':
      return [{ type: 'textFinished', itemId: item.id, text: payload(item.text) }];
    case 'thinking':
      return [{ type: 'thinkingFinished', itemId: item.id, text: payload(item.text) }];
    case 'tool': {
      const { id, name, title, input, output, failed } = item;
      return [
        { type: 'toolStarted', toolId: id, name, title, input: payload(input) },
        {
          type: 'toolFinished',
          toolId: id,
          outcome: output === undefined ? 'stopped' : failed === true ? 'failed' : 'ok',
          output: payload(output ?? ''),
        },
      ];
    }
  }
}

function payload(text: string): { text: string } {
  return { text: text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…` };
}

function previewOf({ text, items }: LocalTurn): string {
  const lines = items.flatMap(item =>
    item.kind === 'text' ? [item.text] : item.kind === 'tool' ? [`[${item.name}] ${item.title}`] : [],
  );
  return [`You: ${text}`, ...lines].join('\n\n');
}

function describe({
  id,
  title,
  folder,
  branch,
  updatedAt,
  bytes,
}: Pick<ReadConversation, 'id' | 'title' | 'folder' | 'branch' | 'updatedAt' | 'bytes'>) {
  return { id, title, folder, ...(branch === undefined ? {} : { branch }), updatedAt, bytes };
}
