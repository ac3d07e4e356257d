import { createHash } from 'node:crypto';
import { SandpiperError } from '../../protocol/errors.ts';
import { newId } from '../../protocol/ids.ts';
import { summarize } from '../../protocol/summarize.ts';
import type { CallContext } from '../../server/src/core/callContext.ts';
import type { RelayHandlers } from '../../server/src/core/dispatch.ts';
import type { MemorySessions } from './wireSource.ts';

interface SeenCall {
  method: string;
  key: string;
  context: CallContext;
}

export interface WireHandlers extends RelayHandlers {
  /** Every call that changed something or asked to, in order. */
  seen: SeenCall[];
  blobs: Map<string, Buffer>;
  /** Awaited by `repository.inspect`. */
  gate: () => Promise<void>;
}

/** Handlers over sessions in memory; what the wire's tests do not need answers `unavailable`. */
export function wireHandlers(sessions: MemorySessions): WireHandlers {
  const answered = new Map<string, { messageId: string; seq: number }>();
  const unused = (): Promise<never> => Promise.reject(new SandpiperError('unavailable', 'Not here.'));
  const handlers: WireHandlers = {
    seen: [],
    blobs: new Map(),
    gate: () => Promise.resolve(),
    'relay.handOver': () => Promise.resolve({}),
    'relay.info': () =>
      Promise.resolve({
        version: '0.1.0',
        protocolVersion: 1,
        startedAt: 0,
        pid: process.pid,
        dataFolder: '/data',
        providers: [],
        agents: [],
        modelKey: { present: false, source: 'none' },
      }),
    'session.create': (params, context) => {
      handlers.seen.push({ method: 'session.create', key: params.key, context });
      return Promise.resolve({ sessionId: sessions.create(), seq: 1 });
    },
    'session.list': ({ limit, archived }) => {
      const all = [...sessions.sessions.values()].map(({ state }) => summarize(state));
      const shown = all.filter(summary => summary.archived === archived);
      return Promise.resolve({
        sessions: shown.slice(0, limit),
        ...(shown.length > limit ? { nextCursor: 'more' } : {}),
      });
    },
    'session.get': ({ sessionId }) => sessions.snapshot(sessionId, 200),
    'session.configure': unused,
    'session.move': unused,
    'session.network': unused,
    'session.allowNetwork': unused,
    'session.findSecrets': unused,
    'session.setBudget': unused,
    'changes.findPaths': unused,
    'session.search': unused,
    'forge.signIn': unused,
    'forge.signInState': unused,
    'forge.signOut': unused,
    'forge.accounts': unused,
    'hooks.list': unused,
    'hooks.show': unused,
    'hooks.retry': unused,
    'hooks.secret': unused,
    'hooks.connections': unused,
    'hooks.connect': unused,
    'hooks.disconnect': unused,
    'hooks.add': unused,
    'hooks.named': unused,
    'hooks.rotate': unused,
    'hooks.remove': unused,
    'schedules.add': unused,
    'schedules.list': unused,
    'schedules.remove': unused,
    'schedules.run': unused,
    'triggers.list': unused,
    'triggers.retry': unused,
    'message.hurry': unused,
    'message.withdraw': unused,
    'session.events': async ({ sessionId, after, limit }) => ({
      events: await sessions.read(sessionId, after, limit),
      lastSeq: sessions.session(sessionId).state.seq,
    }),
    'session.send': ({ sessionId, key, text }, context) => {
      handlers.seen.push({ method: 'session.send', key, context });
      const before = answered.get(key);
      if (before) {
        return Promise.resolve(before);
      }
      const messageId = newId('msg');
      sessions.append(sessionId, { type: 'messageQueued', messageId, text, by: context.client.name });
      const answer = { messageId, seq: sessions.session(sessionId).state.seq };
      answered.set(key, answer);
      return Promise.resolve(answer);
    },
    'session.rename': ({ sessionId, title, key }, context) => {
      handlers.seen.push({ method: 'session.rename', key, context });
      sessions.append(sessionId, { type: 'sessionRenamed', title });
      return Promise.resolve({});
    },
    'session.answer': (params, context) => {
      handlers.seen.push({ method: 'session.answer', key: JSON.stringify(params.decision), context });
      return Promise.resolve({ seq: 1 });
    },
    'repository.warm': async () => ({}),
    'repository.inspect': async ({ source }) => {
      await handlers.gate();
      const repository = { id: 'r1', name: source, source };
      return { repository, head: 'a'.repeat(40), detached: false, uncommitted: 0, notes: [] };
    },
    'relay.checks': () => Promise.reject(new Error('a defect')),
    'blob.read': ({ hash, offset, maxBytes }) => {
      const blob = handlers.blobs.get(hash);
      return blob
        ? Promise.resolve({ content: blob.subarray(offset, offset + maxBytes).toString('base64'), bytes: blob.length })
        : Promise.reject(new SandpiperError('not_found', 'There is no such blob.'));
    },
    'relay.setModelKey': unused,
    'relay.collect': unused,
    'session.stop': unused,
    'session.retry': unused,
    'session.archive': unused,
    'attention.away': unused,
    'attention.claim': unused,
    'attention.seen': unused,
    'import.list': unused,
    'import.preview': unused,
    'import.start': unused,
    'session.sample': unused,
    'rules.add': unused,
    'rules.list': unused,
    'rules.remove': unused,
    'session.pin': unused,
    'session.tag': unused,
    'session.delete': unused,
    'session.restore': unused,
    'session.listDeleted': unused,
    'changes.list': unused,
    'changes.diff': unused,
    'changes.file': unused,
    'changes.folder': unused,
    'checkpoint.restore': unused,
    'checkpoint.undo': unused,
    'checkpoint.branch': unused,
    'changes.acceptAll': unused,
    'review.list': unused,
    'review.decide': unused,
    'review.edit': unused,
    'review.resolve': unused,
    'review.undo': unused,
    'review.comments': unused,
    'review.comment': unused,
    'review.editComment': unused,
    'review.deleteComment': unused,
    'review.resolveComment': unused,
    'review.submit': unused,
    'review.blame': unused,
    'pullRequest.look': unused,
    'pullRequest.tend': unused,
    'pullRequest.updateFromBase': unused,
    'policy.check': unused,
    'policy.validate': unused,
    'landing.describe': unused,
    'landing.bundle': unused,
    'landing.patch': unused,
    'landing.read': unused,
    'pullRequest.open': unused,
    'spec.list': unused,
    'spec.get': unused,
    'spec.revisions': unused,
    'spec.create': unused,
    'spec.save': unused,
    'spec.remove': unused,
    'spec.build': unused,
    'spec.check': unused,
    'spec.extract': unused,
  };
  return handlers;
}

export function addBlob(handlers: WireHandlers, content: Buffer): string {
  const hash = createHash('sha256').update(content).digest('hex');
  handlers.blobs.set(hash, content);
  return hash;
}
