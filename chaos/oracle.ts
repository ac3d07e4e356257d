import { isDeepStrictEqual } from 'node:util';
import type { EventOf, SessionEvent } from '../protocol/events.ts';
import type { Entry } from './outbox.ts';
import type { SessionPlan } from './plan.ts';
import { isDenied } from './person.ts';
import type { Contents } from './commitFiles.ts';
import { judgeComments } from './judgeComments.ts';
import { judgeBranch, judgeDeeds, judgeMemory, mayBeRefused } from './judgeDeeds.ts';
import { judgeTrees } from './judgeTrees.ts';
import { effectIn, workIn, type Effect } from './work.ts';

/** All that is left of a session at the end. */
export interface SessionEvidence {
  sessionId: string;
  plan: SessionPlan;
  /** The log in the store. */
  stored: readonly SessionEvent[];
  /** The client's copy of it. */
  copied: readonly SessionEvent[];
  /** Of it, what is this session's own: of a branch, what came after it branched. */
  own: readonly SessionEvent[];
  /** Of a branch, the log of the session that it was branched from. */
  origin?: readonly SessionEvent[];
  /** What the person typed into this session, what began it included. */
  typed: readonly Entry[];
  /** The effects files of every commit that the log names, as far as the mirror has it. */
  contents: ReadonlyMap<string, Contents>;
  /** As the relay lists them. */
  comments: readonly { id: string; text: string; state: string }[];
  /** How often a fault of ours ended its agent. */
  agentKills: number;
}

export type Kind = 'lost' | 'duplicated' | 'broken' | 'stuck' | 'orphan' | 'agent';

export interface Problem {
  kind: Kind;
  sessionId?: string;
  text: string;
}

export type Add = (kind: Kind, text: string) => void;

/** What is wrong with a session, compared with what must be. Pure. */
export function judge(evidence: SessionEvidence): Problem[] {
  const problems: Problem[] = [];
  const add: Add = (kind, text) => problems.push({ kind, sessionId: evidence.sessionId, text });
  judgeLog(evidence, add);
  judgeMessages(evidence, add);
  judgeApprovals(evidence, add);
  judgeTools(evidence, add);
  judgeSteps(evidence, add);
  judgeTrees(evidence, add);
  judgeDeeds(evidence, add);
  judgeComments(evidence, add);
  judgeMemory(evidence, add);
  judgeBranch(evidence, add);
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
function judgeMessages({ plan, own, typed, agentKills }: SessionEvidence, add: Add): void {
  const queued = own.flatMap(({ body }) => (body.type === 'messageQueued' ? [body] : []));
  for (const { message } of plan.messages) {
    const times = queued.filter(body => workIn(body.text)?.message === message).length;
    if (times === 0) {
      add('lost', `Message ${message} is not in the log.`);
    } else if (times > 1) {
      add('duplicated', `Message ${message} is in the log ${times} times.`);
    }
  }
  const order = queued.map(body => workIn(body.text)?.message ?? 0);
  if (order.some((number, index) => index > 0 && number < (order[index - 1] ?? 0))) {
    add('broken', `The messages stand in the order ${order.join(', ')}.`);
  }
  const restores = count(own, 'restoreStarted');
  for (const { messageId, text } of queued) {
    const taken = own.filter(({ body }) => body.type === 'messageTaken' && body.messageId === messageId).length;
    if (taken === 0) {
      add('lost', `The agent never took "${text}".`);
    } else if (taken > 1 + agentKills + restores) {
      // An agent that goes on after a kill may say again what it had taken.
      add('duplicated', `The agent took "${text}" ${taken} times.`);
    }
  }
  for (const entry of typed) {
    const { typed: call, outcome } = entry;
    // What is refused because the session has moved on is not lost; everything else is.
    if (outcome.kind === 'refused' && !mayBeRefused(entry)) {
      add('lost', `${call.call} was refused: ${outcome.message} (${outcome.code})`);
    } else if (outcome.kind === 'open') {
      add('lost', `${call.call} was never answered by the relay.`);
    }
  }
  const ended = count(own, 'agentFinished');
  const finished = count(own, 'turnFinished');
  const begun = count(own, 'turnStarted');
  if (ended !== begun || finished !== begun) {
    add('lost', `Of ${begun} turns ${ended} ended and ${finished} have a checkpoint.`);
  }
}

function judgeApprovals({ own, plan }: SessionEvidence, add: Add): void {
  const lastEnd = own.findLast(({ body }) => body.type === 'agentEnded')?.seq ?? 0;
  for (const { seq, body } of own) {
    if (body.type === 'approvalAsked') {
      judgeApproval(
        own,
        body,
        { wanted: isDenied(plan, body.input.text) ? 'deny' : 'allow', isLast: seq > lastEnd },
        add,
      );
    }
  }
}

/** @param isLast no agent ended after it was asked */
function judgeApproval(
  own: readonly SessionEvent[],
  { approvalId, toolId, title }: EventOf<'approvalAsked'>,
  { wanted, isLast }: { wanted: 'allow' | 'deny'; isLast: boolean },
  add: Add,
): void {
  const answers = own.flatMap(({ body }) =>
    body.type === 'approvalAnswered' && body.approvalId === approvalId ? [body.decision.kind] : [],
  );
  const isWithdrawn = own.some(({ body }) => body.type === 'approvalWithdrawn' && body.approvalId === approvalId);
  const tool = own.find(({ body }) => body.type === 'toolFinished' && body.toolId === toolId)?.body;
  const outcome = tool?.type === 'toolFinished' ? tool.outcome : undefined;
  if (answers.length > 1) {
    add('duplicated', `The question of ${title} was answered ${answers.length} times.`);
  }
  if (answers.some(kind => kind !== wanted)) {
    add('broken', `The question of ${title} has another answer than the person gave.`);
  }
  if (isWithdrawn && answers.length === 0) {
    if (outcome === 'ok') {
      add('broken', `${title} ran, and its question was withdrawn.`);
    }
    return;
  }
  // An agent that was killed says no more what became of its tool.
  if (outcome === undefined ? !isLast : outcome === 'stopped') {
    return;
  }
  if (answers.length === 0 || outcome === undefined) {
    add('lost', `${title} ended as ${outcome ?? 'nothing'} with ${answers.length} answers.`);
  } else if (outcome !== (wanted === 'deny' ? 'denied' : 'ok')) {
    add('broken', `${title} ended as ${outcome}, the person said ${wanted}.`);
  }
}

/** No tool is started twice. What tools left is judged with the trees. */
function judgeTools({ own }: SessionEvidence, add: Add): void {
  const started = new Set<string>();
  for (const { body } of own) {
    if (body.type === 'toolStarted' && effectIn(body.input.text)) {
      if (started.has(body.toolId)) {
        add('duplicated', `The log starts ${body.toolId} twice.`);
      }
      started.add(body.toolId);
    }
  }
}

/**
 * A turn that completed has run every step of its message by then, in order. What comes later does not count: a turn whose
 * sandbox is lost before its checkpoint is run once more, and a restore may stop that.
 */
function judgeSteps({ own, plan }: SessionEvidence, add: Add): void {
  const messageOf = new Map<string, number>();
  const taken = new Map<number, readonly string[]>();
  const ran = new Map<string, Effect>();
  for (const { body } of own) {
    const effect = body.type === 'toolStarted' ? effectIn(body.input.text) : undefined;
    if (body.type === 'messageQueued') {
      messageOf.set(body.messageId, workIn(body.text)?.message ?? 0);
    } else if (body.type === 'turnStarted') {
      taken.set(body.turn, body.messageIds);
    } else if (effect && !ran.has(effect.toolId)) {
      ran.set(effect.toolId, effect);
    } else if (body.type === 'agentFinished' && body.outcome === 'completed') {
      const numbers = (taken.get(body.turn) ?? []).map(id => messageOf.get(id) ?? 0);
      numbers.forEach(number => judgeRun(number, [...ran.values()], plan, add));
    }
  }
}

/** After a kill a step may begin again, or all of them: then the last run counts. */
function judgeRun(number: number, ran: readonly Effect[], plan: SessionPlan, add: Add): void {
  const work = plan.messages.find(({ message }) => message === number);
  const steps = ran.filter(({ message }) => message === number).map(({ step }) => step);
  const done = steps.slice(steps.lastIndexOf(1)).filter((step, index, run) => step !== run[index - 1]);
  const wanted = Array.from({ length: work?.tools ?? 0 }, (_, index) => index + 1).join();
  if (done.join() !== wanted) {
    add('broken', `Message ${number} ran the steps ${steps.join(', ')} of ${work?.tools}.`);
  }
}

/** No agent ended but by our hand, or for a restore. */
function judgeAgents({ own, agentKills }: SessionEvidence, add: Add): void {
  const ends = own.flatMap(({ body }) => (body.type === 'agentEnded' ? [body] : []));
  const allowed = agentKills + count(own, 'restoreStarted');
  if (ends.length > allowed) {
    const causes = ends.map(({ cause, expected }) => `${cause}${expected ? ' (expected)' : ''}`).join(' ');
    add('agent', `${ends.length} agents ended, ${allowed} were to. ${causes}`);
  }
}

function count(events: readonly SessionEvent[], type: string): number {
  return events.filter(({ body }) => body.type === type).length;
}
