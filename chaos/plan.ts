import type { EventType } from '../protocol/events.ts';
import { planDeeds, type Deed } from './deeds.ts';
import { between, randomOf, weighted } from './random.ts';
import type { Work } from './work.ts';

/*
 * What a seed means: the sessions with their messages, and the faults with the points at which they strike. Pure. A point
 * is told by what the system did (so many events after the last fault, then an event of this type, then so many
 * milliseconds), not by the clock, so that the same seed strikes at the same places on a faster machine.
 */

export const FAULT_KINDS = [
  'relay',
  'agent',
  'client',
  'sandbox',
  'pauseRelay',
  'pauseAgent',
  'cut',
  'slow',
  'stall',
  'disk',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Faults that end a process or more; the others only get in the way. */
const KILLS: readonly FaultKind[] = ['relay', 'agent', 'client', 'sandbox'];

export function isKill(kind: FaultKind): boolean {
  return KILLS.includes(kind);
}

export interface Fault {
  number: number;
  kind: FaultKind;
  /** How many events after the previous fault. */
  afterEvents: number;
  /** Then the next event of this type, if one is named. */
  at: EventType | undefined;
  /** Then this long, to fall between two steps. */
  delayMs: number;
  /** From 0 to 1: which of the sessions or processes that there are then. */
  pick: number;
  /** How long a pause, a slow link or a full disk lasts; for `relay` how long its next start lives, 0 for ever. */
  forMs: number;
  /** Bytes that a connection still carries before it is cut, or a second for a slow one. */
  bytes: number;
}

export interface SessionPlan {
  index: number;
  permissionMode: 'ask' | 'autopilot';
  messages: Work[];
  /** How many messages the person types ahead of the agent. */
  ahead: number;
  /** What the person does beside, in this order. */
  deeds: Deed[];
}

const WEIGHTS: Record<FaultKind, number> = {
  relay: 40,
  agent: 22,
  client: 28,
  sandbox: 4,
  pauseRelay: 8,
  pauseAgent: 8,
  cut: 16,
  slow: 8,
  stall: 8,
  disk: 3,
};

const POINTS: readonly (readonly [EventType | undefined, number])[] = [
  [undefined, 10],
  ['messageQueued', 3],
  ['messageSent', 3],
  ['messageTaken', 2],
  ['turnStarted', 2],
  ['toolStarted', 3],
  ['toolFinished', 2],
  ['approvalAsked', 3],
  ['approvalAnswered', 3],
  ['agentFinished', 4],
  ['turnFinished', 3],
  ['agentStarted', 2],
  ['reviewDecided', 4],
  ['commentWritten', 1],
  ['reviewSubmitted', 2],
  ['reviewApplied', 2],
  ['restoreStarted', 4],
  ['restoreFinished', 3],
  ['sessionBranched', 2],
  ['sandboxReady', 1],
  ['preparing', 2],
  ['sessionCreated', 1],
];

export interface PlanOptions {
  seed: number;
  kills: number;
  /** How many events there are for each kill, on average. */
  eventsPerKill: number;
  kinds: readonly FaultKind[];
}

/** The faults of a run, in order: exactly `kills` of them kill. */
export function planFaults({ seed, kills, eventsPerKill, kinds }: PlanOptions): Fault[] {
  const random = randomOf(seed, 1);
  const weights = kinds.map(kind => [kind, WEIGHTS[kind]] as const);
  const killing = weights.filter(([kind]) => isKill(kind)).reduce((sum, [, weight]) => sum + weight, 0);
  if (killing === 0) {
    throw new RangeError('None of these faults kills anything.');
  }
  // The faults that do not kill come in between and share the events.
  const share = killing / weights.reduce((sum, [, weight]) => sum + weight, 0);
  const meanEvents = eventsPerKill * share;
  const faults: Fault[] = [];
  for (let killed = 0; killed < kills;) {
    const kind = weighted(random, weights);
    killed += isKill(kind) ? 1 : 0;
    faults.push({
      number: faults.length + 1,
      kind,
      afterEvents: Math.round(meanEvents * (0.5 + random())),
      at: weighted(random, POINTS),
      delayMs: random() < 0.5 ? 0 : between(random, 1, 60),
      pick: random(),
      forMs: kind === 'relay' ? (random() < 0.25 ? between(random, 50, 1500) : 0) : between(random, 100, 1200),
      bytes: Math.floor(10 ** (random() * 4)),
    });
  }
  return faults;
}

/** One session of the endless row of them. */
export function planSession(
  seed: number,
  index: number,
  options: { mayAutopilot: boolean; longest: number },
): SessionPlan {
  const random = randomOf(seed, 2, index);
  const permissionMode = !options.mayAutopilot || random() < 0.4 ? 'ask' : 'autopilot';
  const messages = Array.from({ length: between(random, 2, options.longest) }, (_, at) =>
    planWork(random, at + 1, permissionMode),
  );
  const ahead = between(random, 0, 3);
  const deeds = planDeeds(random, messages.length, true);
  return { index, permissionMode, messages: withReviews(random, messages), ahead, deeds };
}

/** The session that a deed of another one branches off. Its messages are numbered after all of that one's. */
export function planBranch(seed: number, origin: SessionPlan, deed: number): SessionPlan {
  const random = randomOf(seed, 3, origin.index, deed);
  const messages = Array.from({ length: between(random, 1, 3) }, (_, at) =>
    planWork(random, origin.messages.length + 1 + at, origin.permissionMode),
  );
  return {
    index: origin.index,
    permissionMode: origin.permissionMode,
    messages: withReviews(random, messages),
    ahead: between(random, 0, 1),
    deeds: planDeeds(random, messages.length, false),
  };
}

function planWork(random: () => number, message: number, permissionMode: SessionPlan['permissionMode']): Work {
  const tools = between(random, 1, 10);
  const steps = Array.from({ length: tools }, (_step, step) => step + 1);
  return {
    message,
    tools,
    paceMs: between(random, 5, 60),
    denied: permissionMode === 'ask' ? steps.filter(() => random() < 0.15) : [],
    asReview: false,
  };
}

/** The first message begins a session, so there is nothing yet to review. */
function withReviews(random: () => number, messages: readonly Work[]): Work[] {
  return messages.map((work, index) => ({ ...work, asReview: random() < 0.25 && index > 0 }));
}
