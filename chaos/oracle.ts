import { isDeepStrictEqual } from 'node:util';
import type { SessionEvent } from '../protocol/events.ts';
import type { Entry } from './outbox.ts';
import type { SessionPlan } from './plan.ts';
import { isDenied } from './person.ts';
import { effectIn, textOf, workIn, type Effect } from './work.ts';

/** All that is left of a session at the end. */
export interface SessionEvidence {
  sessionId: string;
  plan: SessionPlan;
  /** The log in the store. */
  stored: readonly SessionEvent[];
  /** The client's copy of it. */
  copied: readonly SessionEvent[];
  /** What the person typed into this session, the first message included. */
  typed: readonly Entry[];
  /** The effects file in the last checkpoint. */
  effects: string;
  /** How often a fault of ours ended its agent. */
  agentKills: number;
}

export type Kind = 'lost' | 'duplicated' | 'broken' | 'stuck' | 'orphan' | 'agent';

export interface Problem {
  kind: Kind;
  sessionId?: string;
  text: string;
}

type Add = (kind: Kind, text: string) => void;

/** What is wrong with a session, compared with what must be. Pure. */
export function judge(evidence: SessionEvidence): Problem[] {
  const problems: Problem[] = [];
  const add: Add = (kind, text) => problems.push({ kind, sessionId: evidence.sessionId, text });
  judgeLog(evidence, add);
  judgeMessages(evidence, add);
  judgeApprovals(evidence, add);
  judgeTools(evidence, add);
  judgeAgents(evidence, add);
  return problems;
}

function judgeLog({ stored, copied }: SessionEvidence, add: Add): void {
  stored.forEach((event, index) => {
    if (event.seq !== index + 1) {
      add('broken', `The log has seq ${event.seq} at place ${index + 1}.`);
    }
  });
  if (copied.length < stored.length) {
    add('lost', `The client has ${copied.length} of ${stored.length} events.`);
  }
  copied.forEach((event, index) => {
    if (!isDeepStrictEqual(event, stored[index])) {
      add('broken', `Event ${event.seq} of the client is not the one in the store.`);
    }
  });
}

/** Every message is in the log once, in the order of typing, is taken by the agent once, and its turn has an end. */
function judgeMessages({ plan, stored, typed, agentKills }: SessionEvidence, add: Add): void {
  const queued = stored.flatMap(({ body }) => (body.type === 'messageQueued' ? [body] : []));
  const wanted = plan.messages.map(textOf);
  for (const text of wanted) {
    const times = queued.filter(body => body.text === text).length;
    if (times === 0) {
      add('lost', `"${text}" is not in the log.`);
    } else if (times > 1) {
      add('duplicated', `"${text}" is in the log ${times} times.`);
    }
  }
  const order = queued.map(body => workIn(body.text)?.message ?? 0);
  if (order.some((number, index) => index > 0 && number < (order[index - 1] ?? 0))) {
    add('broken', `The messages stand in the order ${order.join(', ')}.`);
  }
  for (const { messageId, text } of queued) {
    const taken = stored.filter(({ body }) => body.type === 'messageTaken' && body.messageId === messageId).length;
    if (taken === 0) {
      add('lost', `The agent never took "${text}".`);
    } else if (taken > 1 + agentKills) {
      // An agent that goes on after a kill may say again what it had taken.
      add('duplicated', `The agent took "${text}" ${taken} times.`);
    }
  }
  for (const { typed: call, outcome } of typed) {
    // An answer can come too late: its turn has ended meanwhile. Everything else that was refused is lost.
    const isLate = call.call === 'session.answer' && outcome.kind === 'refused' && outcome.code === 'conflict';
    if (outcome.kind === 'refused' && !isLate) {
      add('lost', `${call.call} was refused: ${outcome.message} (${outcome.code})`);
    } else if (outcome.kind === 'open') {
      add('lost', `${call.call} was never answered by the relay.`);
    }
  }
  const ended = count(stored, 'agentFinished');
  const finished = count(stored, 'turnFinished');
  const begun = count(stored, 'turnStarted');
  if (ended !== begun || finished !== begun) {
    add('lost', `Of ${begun} turns ${ended} ended and ${finished} have a checkpoint.`);
  }
}

function judgeApprovals({ stored, plan }: SessionEvidence, add: Add): void {
  const lastEnd = stored.findLast(({ body }) => body.type === 'agentEnded')?.seq ?? 0;
  for (const { seq, body } of stored) {
    if (body.type !== 'approvalAsked') {
      continue;
    }
    const answers = stored.flatMap(({ body: other }) =>
      other.type === 'approvalAnswered' && other.approvalId === body.approvalId ? [other] : [],
    );
    if (answers.length > 1) {
      add('duplicated', `The question of ${body.title} was answered ${answers.length} times.`);
    }
    const wanted = isDenied(plan, body.input.text) ? 'deny' : 'allow';
    if (answers.some(({ decision }) => decision.kind !== wanted)) {
      add('broken', `The question of ${body.title} has another answer than the person gave.`);
    }
    const tool = stored.find(({ body: other }) => other.type === 'toolFinished' && other.toolId === body.toolId)?.body;
    const outcome = tool?.type === 'toolFinished' ? tool.outcome : undefined;
    const expected = wanted === 'deny' ? 'denied' : 'ok';
    // An agent that was killed says no more what became of its tool.
    const isCutOff = outcome === undefined ? seq < lastEnd : outcome === 'stopped';
    if (!isCutOff && (answers.length === 0 || outcome === undefined)) {
      add('lost', `${body.title} ended as ${outcome ?? 'nothing'} with ${answers.length} answers.`);
    } else if (!isCutOff && outcome !== expected) {
      add('broken', `${body.title} ended as ${outcome}, the person said ${wanted}.`);
    }
  }
}

/** Every tool that the log says was run left its line in the checkpoint, once and in order; nothing else is there. */
function judgeTools({ stored, plan, effects }: SessionEvidence, add: Add): void {
  const started = new Map<string, Effect>();
  const perhaps = new Set<string>();
  const certain = new Set<string>();
  let sinceCheckpoint: string[] = [];
  for (const { body } of stored) {
    const effect = body.type === 'toolStarted' ? effectIn(body.input.text) : undefined;
    if (body.type === 'toolStarted' && effect) {
      if (started.has(body.toolId)) {
        add('duplicated', `The log starts ${body.toolId} twice.`);
      }
      started.set(body.toolId, effect);
      perhaps.add(body.toolId);
    } else if (body.type === 'toolFinished') {
      perhaps.delete(body.toolId);
      if (body.outcome === 'ok') {
        certain.add(body.toolId);
        sinceCheckpoint.push(body.toolId);
      } else if (body.outcome !== 'denied') {
        perhaps.add(body.toolId);
      }
    } else if (body.type === 'turnFinished' && body.changed) {
      sinceCheckpoint = [];
    } else if (body.type === 'sandboxLost') {
      // The sandbox was destroyed: what was done since the last checkpoint is gone with it.
      for (const toolId of sinceCheckpoint) {
        certain.delete(toolId);
        perhaps.add(toolId);
      }
      sinceCheckpoint = [];
    }
  }
  compareEffects(effects, { started, perhaps, certain }, add);
  judgeSteps(stored, plan, [...started.values()], add);
}

/** A turn that completed ran every step of its message, in order. */
function judgeSteps(stored: readonly SessionEvent[], plan: SessionPlan, started: readonly Effect[], add: Add): void {
  const completed = new Set(
    stored.flatMap(({ body }) => (body.type === 'agentFinished' && body.outcome === 'completed' ? [body.turn] : [])),
  );
  const textOfMessage = new Map(
    stored.flatMap(({ body }) => (body.type === 'messageQueued' ? [[body.messageId, body.text] as const] : [])),
  );
  for (const { body } of stored) {
    for (const messageId of body.type === 'turnStarted' && completed.has(body.turn) ? body.messageIds : []) {
      const number = workIn(textOfMessage.get(messageId) ?? '')?.message;
      const work = plan.messages.find(({ message }) => message === number);
      const steps = started.filter(({ message }) => message === number).map(({ step }) => step);
      // After a kill a step may begin again, or all of them: then the last run counts.
      const done = steps.slice(steps.lastIndexOf(1)).filter((step, index, run) => step !== run[index - 1]);
      const wanted = Array.from({ length: work?.tools ?? 0 }, (_, index) => index + 1).join();
      if (done.join() !== wanted) {
        add('broken', `Message ${number} ran the steps ${steps.join(', ')} of ${work?.tools}.`);
      }
    }
  }
}

function compareEffects(
  effects: string,
  known: { started: ReadonlyMap<string, Effect>; perhaps: ReadonlySet<string>; certain: ReadonlySet<string> },
  add: Add,
): void {
  const lines = effects.split('\n').filter(line => line !== '');
  const seen = new Map<string, number>();
  for (const line of lines) {
    const effect = effectIn(line);
    if (!effect) {
      add('broken', `The checkpoint has the line "${line.slice(0, 80)}", which no tool writes.`);
    } else {
      seen.set(effect.toolId, (seen.get(effect.toolId) ?? 0) + 1);
      if (!known.certain.has(effect.toolId) && !known.perhaps.has(effect.toolId)) {
        const why = known.started.has(effect.toolId) ? 'was denied' : 'is not in the log';
        add('broken', `The checkpoint has the effect of ${effect.toolId}, which ${why}.`);
      }
    }
  }
  for (const [toolId, times] of seen) {
    if (times > 1) {
      add('duplicated', `${toolId} left its line ${times} times.`);
    }
  }
  for (const toolId of known.certain) {
    if (!seen.has(toolId)) {
      add('lost', `The effect of ${toolId} is not in the checkpoint.`);
    }
  }
  const order = lines.flatMap(line => effectIn(line)?.toolId ?? []).filter(toolId => known.certain.has(toolId));
  const wanted = [...known.certain].filter(toolId => seen.has(toolId));
  if (order.join() !== wanted.join()) {
    add('broken', 'The effects in the checkpoint are not in the order of the log.');
  }
}

/** No agent ended but by our hand. */
function judgeAgents({ stored, agentKills }: SessionEvidence, add: Add): void {
  const ends = stored.flatMap(({ body }) => (body.type === 'agentEnded' ? [body] : []));
  if (ends.length > agentKills) {
    const causes = ends.map(({ cause, expected }) => `${cause}${expected ? ' (expected)' : ''}`).join(' ');
    add('agent', `${ends.length} agents ended, ${agentKills} were killed. ${causes}`);
  }
}

function count(events: readonly SessionEvent[], type: string): number {
  return events.filter(({ body }) => body.type === type).length;
}
