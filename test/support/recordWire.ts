import { writeFile } from 'node:fs/promises';
import { findRelay } from '../../client/localRelay.ts';
import { createRelayClient, type ClientParams } from '../../client/relayClient.ts';
import type { RelaySocket } from '../../client/link/relaySocket.ts';
import { createWsSocket } from '../../client/wsSocket.ts';
import type { CallName, CallResult } from '../../protocol/calls.ts';
import type { SessionState } from '../../protocol/session.ts';
import { noisePng } from './noisePng.ts';
import { RECORDED_FOLDER, RECORDED_WIRE } from './recordedWire.ts';
import { scripted, type StepInput } from './modelScript.ts';
import { openWorkshop } from './workshop.ts';

/*
 * Records a conversation with today's relay for `test/relay/protocolVersions.test.ts`: `node test/support/recordWire.ts`.
 * Only for a protocol that no release speaks yet: what users have is not recorded anew, it is what must go on working.
 */

const shop = await openWorkshop();
const frames: string[] = [];
const client = createRelayClient({
  client: { name: 'recorded', version: '0.1.0' },
  checkMessages: true,
  connect: async () => {
    const found = await findRelay(shop.dataFolder);
    if (!found) {
      throw new Error('There is no relay.');
    }
    return noting(createWsSocket(found.url, found.token));
  },
});
const call = <N extends CallName>(name: N, params: ClientParams<N>): Promise<CallResult<N>> =>
  client.call(name, params);

const LINES = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const CHANGED = LINES.map((line, index) => (index % 4 === 0 ? line.toUpperCase() : line));
const idle = (turns: number) => (state: SessionState) =>
  state.phase.kind === 'idle' &&
  !state.restoring &&
  state.items.every(item => item.kind !== 'message' || item.delivery === 'taken') &&
  state.turns.filter(turn => turn.checkpoint).length === turns;
const write = (lines: readonly string[]): StepInput[] => [
  { text: 'I write the list.', tool: 'Bash', input: { command: `printf '%s\\n' ${lines.join(' ')} > list.txt` } },
  { text: 'The list is written.' },
];

try {
  client.connect();
  const sessionId = await work();
  await review(sessionId);
  await goBack(sessionId);
  await land(sessionId);
  await tidyUp(sessionId);
  await writeFile(RECORDED_WIRE, `${frames.join('\n').replaceAll(shop.folder, RECORDED_FOLDER)}\n`);
  console.log(`${frames.length} frames`);
} finally {
  client.dispose();
  await shop.dispose();
}

async function work(): Promise<string> {
  await call('relay.info', {});
  await call('repository.inspect', { source: shop.repository });
  const prompt = scripted('Please do this:', write(LINES));
  const { sessionId } = await call('session.create', { source: shop.repository, prompt, permissionMode: 'ask' });
  const { approvals } = await until(sessionId, state => state.approvals.length > 0);
  await call('session.answer', { sessionId, approvalId: approvals[0]?.id ?? '', decision: { kind: 'allow' } });
  await until(sessionId, idle(1));
  await call('session.configure', { sessionId, permissionMode: 'autopilot' });
  const { toCommit } = await call('changes.list', { sessionId });
  await call('changes.acceptAll', { sessionId, expectedProposed: toCommit });
  const image = { mediaType: 'image/png' as const, content: noisePng(8).toString('base64') };
  await call('session.send', { sessionId, text: scripted('Now:', write(CHANGED)), images: [image] });
  const { items } = await until(sessionId, idle(2));
  const hash = items.flatMap(item => (item.kind === 'message' ? (item.images ?? []) : []))[0]?.hash ?? '';
  await call('blob.read', { sessionId, hash });
  await call('session.get', { sessionId });
  return sessionId;
}

async function review(sessionId: string): Promise<void> {
  const { accepted, proposed, files } = await call('review.list', { sessionId });
  const hunks = files[0]?.hunks.map(({ id }) => id) ?? [];
  const decide = { sessionId, expected: { accepted, proposed } };
  await call('review.decide', {
    ...decide,
    verdict: 'accept',
    files: [{ path: 'list.txt', hunks: hunks.slice(0, 1) }],
  });
  const files1 = [{ path: 'list.txt', hunks: hunks.slice(1, 2) }];
  await call('review.decide', { ...decide, verdict: 'reject', files: files1, reason: 'Not this one.' });
  await call('review.undo', { sessionId });
  await call('review.decide', { ...decide, verdict: 'reject', files: files1, reason: 'Not this one.' });
  const { blob, content } = await call('changes.file', { sessionId, side: 'proposed', path: 'list.txt' });
  const mine = Buffer.from(content.replace('three', 'mine')).toString('base64');
  await call('review.edit', { sessionId, path: 'list.txt', content: mine, expected: blob });
  const { blob: object } = await call('changes.file', { sessionId, side: 'proposed', path: 'list.txt' });
  const lines = { start: 2, count: 1 };
  const target = { kind: 'lines' as const, side: 'proposed' as const, path: 'list.txt', object: object ?? '', lines };
  const { commentId } = await call('review.comment', { sessionId, target, text: 'Why?' });
  const text = `Why this? @@${JSON.stringify([{ text: 'C1: addressed. It has to be.' }])}`;
  await call('review.editComment', { sessionId, commentId, text });
  await call('review.comments', { sessionId });
  await call('review.submit', { sessionId, text: 'Please look.' });
  await until(sessionId, idle(3));
  await call('review.blame', { sessionId, path: 'list.txt', lines: { start: 1, count: 9 } });
  await call('review.resolveComment', { sessionId, commentId });
}

async function goBack(sessionId: string): Promise<void> {
  const wait = [
    { tool: 'Bash', input: { command: 'echo half > half.txt' } },
    { text: 'Never said.', waitMs: 60_000 },
  ];
  await call('session.send', { sessionId, text: scripted('Wait:', wait) });
  await until(sessionId, ({ items }) =>
    items.some(item => item.kind === 'tool' && item.turn === 4 && item.state === 'ok'),
  );
  const { messageId } = await call('session.send', { sessionId, text: 'And then?' });
  await call('message.withdraw', { sessionId, messageId });
  await call('session.stop', { sessionId });
  await until(sessionId, idle(4));
  await call('checkpoint.restore', { sessionId, turn: 1, code: true, conversation: true });
  await until(sessionId, state => state.restores?.length === 1 && !state.restoring);
  await call('checkpoint.undo', { sessionId });
  await until(sessionId, state => state.restores?.length === 2 && !state.restoring);
  await call('checkpoint.branch', { sessionId, turn: 2, title: 'Another way' });
}

async function land(sessionId: string): Promise<void> {
  await call('changes.diff', { sessionId });
  await call('changes.folder', { sessionId, tree: 'proposed' });
  await call('changes.findPaths', { sessionId, query: 'list' });
  await call('landing.describe', { sessionId });
  const { id } = await call('landing.patch', { sessionId });
  await call('landing.read', { sessionId, id });
  await call('landing.bundle', { sessionId });
}

async function tidyUp(sessionId: string): Promise<void> {
  await call('session.rename', { sessionId, title: 'Recorded' });
  await call('session.get', { sessionId });
  await call('session.events', { sessionId, after: 0, limit: 1000 });
  await call('session.archive', { sessionId, archived: true });
  await until(sessionId, state => state.archived && !state.agent.running);
  await call('session.list', { archived: true });
  await call('session.delete', { sessionId });
  await call('session.listDeleted', {});
  await call('session.restore', { sessionId });
  await call('relay.collect', { dryRun: true });
}

/** The first state that fits. The session stays followed, so that all of its events are in the recording. */
function until(sessionId: string, fits: (state: SessionState) => boolean): Promise<SessionState> {
  return new Promise(resolve => {
    client.follow(sessionId, ({ state }) => state && fits(state) && resolve(state));
  });
}

/** The same socket; its frames are noted. */
function noting(inner: RelaySocket): RelaySocket {
  const note = (from: string, text: string): void => {
    frames.push(`{"from":"${from}","frame":${text}}`);
  };
  const outer: RelaySocket = {
    send: frame => {
      note('client', frame);
      inner.send(frame);
    },
    close: () => inner.close(),
    onOpen: () => {},
    onMessage: () => {},
    onError: () => {},
    onClose: () => {},
  };
  inner.onOpen = () => outer.onOpen();
  inner.onMessage = frame => {
    note('relay', frame);
    outer.onMessage(frame);
  };
  inner.onError = error => outer.onError(error);
  inner.onClose = (code, reason) => outer.onClose(code, reason);
  return outer;
}
