import { currentCheckpoint } from '../protocol/checkpoints.ts';
import type { EventOf, SessionEvent } from '../protocol/events.ts';
import { reduceSession } from '../protocol/reducer.ts';
import type { SessionState } from '../protocol/session.ts';
import type { Contents } from './commitFiles.ts';
import { judgeDecision } from './judgeDecision.ts';
import { hasLines, mergedLines, sameLines, tailAfter } from './lines.ts';
import type { Add, SessionEvidence } from './oracle.ts';
import type { Entry } from './outbox.ts';
import type { DeedCall } from './typedCall.ts';
import { effectIn, EFFECTS_FILES } from './work.ts';

const NONE: Contents = {};

/** What made an event. A call that found nothing to change answers with the last event, which another one made. */
export function typedBySeq(typed: readonly Entry[]): Map<number, Entry> {
  const bySeq = new Map<number, Entry>();
  for (const entry of typed) {
    const seq = entry.outcome.kind === 'acknowledged' ? entry.outcome.answer.seq : undefined;
    if (seq !== undefined && !bySeq.has(seq)) {
      bySeq.set(seq, entry);
    }
  }
  return bySeq;
}

/** Turns that went with their sandbox before their checkpoint; they begin anew, and the session says so. */
export function lostTurns({ stored, origin = [] }: Pick<SessionEvidence, 'stored' | 'origin'>): Set<number> {
  const branched = stored.findLast(({ body }) => body.type === 'sessionBranched')?.body;
  const shared = branched?.type === 'sessionBranched' ? branched.turn : 0;
  const turns = (events: readonly SessionEvent[]): number[] =>
    events.flatMap(({ body }) => (body.type === 'sandboxLost' ? (body.turn ?? []) : []));
  // A branch may have been made between the end of such a turn and the word that it is lost.
  return new Set([...turns(stored), ...turns(origin).filter(turn => turn <= shared)]);
}

/** Every commit that a log names, for `SessionEvidence.contents`. */
export function commitsIn(stored: readonly SessionEvent[]): string[] {
  return stored.flatMap(({ body }) => {
    switch (body.type) {
      case 'sessionCreated':
        return [body.base];
      case 'turnFinished':
        return [body.checkpoint, ...(body.proposed === undefined ? [] : [body.proposed])];
      case 'reviewDecided':
        return [body.accepted, body.proposed];
      case 'reviewSubmitted':
        return [body.agents, body.proposed];
      case 'reviewApplied':
        return [body.commit, ...(body.proposed === undefined ? [] : [body.proposed])];
      case 'restoreFinished':
        return body.code
          ? [body.code.saved, body.code.checkpoint, ...(body.code.proposed === undefined ? [] : [body.code.proposed])]
          : [];
      default:
        return [];
    }
  });
}

/**
 * Follows the files of the agent and the two trees of the review through the log, and compares what git has at every step
 * with what must be there: every effect of every tool, every decision of the person, and nothing else.
 */
export function judgeTrees(evidence: SessionEvidence, add: Add): void {
  const { sessionId, stored, contents } = evidence;
  const missing = commitsIn(stored).filter(commit => !contents.has(commit));
  if (missing.length > 0) {
    add('lost', `The mirror lacks ${missing.length} of its commits, the first is ${missing[0]}.`);
    return;
  }
  const judge = new TreeJudge(evidence, add);
  const inherited = stored.findLast(({ body }) => body.type === 'sessionBranched')?.seq ?? 0;
  let state: SessionState | undefined;
  for (const event of stored) {
    const before = state;
    try {
      state = reduceSession(state, event, sessionId);
    } catch {
      // Said already: the log has a gap.
      return;
    }
    if (before && event.seq > inherited) {
      judge.step(before, event, state);
    }
  }
}

class TreeJudge {
  readonly #contents: SessionEvidence['contents'];
  readonly #add: Add;
  readonly #lost: ReadonlySet<number>;
  /** By the seq of the event that they made. */
  readonly #typed: ReadonlyMap<number, Entry>;
  /** Tools that may have left their line, and those that did since the last checkpoint. */
  readonly #started = new Set<string>();
  readonly #perhaps = new Set<string>();
  readonly #certain = new Set<string>();

  constructor(evidence: SessionEvidence, add: Add) {
    const { contents, typed } = evidence;
    this.#lost = lostTurns(evidence);
    this.#contents = contents;
    this.#add = add;
    this.#typed = typedBySeq(typed);
  }

  step(before: SessionState, { seq, body }: SessionEvent, after: SessionState): void {
    switch (body.type) {
      case 'toolStarted':
      case 'toolFinished':
        this.#tool(body);
        break;
      case 'sandboxLost':
        this.#lose();
        break;
      case 'turnFinished':
        if (this.#lost.has(body.turn)) {
          this.#lose();
        }
        this.#turn(before, body);
        this.#offer(`Turn ${body.turn}`, before, body.checkpoint, { after, body });
        break;
      case 'reviewDecided':
        this.#decision(before, body, this.#typed.get(seq));
        break;
      case 'reviewApplied':
        this.#applied(before, body);
        this.#offer(`Review ${body.submission}`, before, body.commit, { after, body });
        break;
      case 'restoreFinished':
        this.#restored(before, body, after);
        break;
      default:
    }
  }

  #of(commit: string): Contents {
    return this.#contents.get(commit) ?? NONE;
  }

  /** The sandbox was destroyed: what was done since the last checkpoint is gone with it. */
  #lose(): void {
    this.#certain.forEach(toolId => this.#perhaps.add(toolId));
    this.#certain.clear();
  }

  #tool(body: EventOf<'toolStarted'> | EventOf<'toolFinished'>): void {
    const { toolId } = body;
    if (body.type === 'toolStarted') {
      if (effectIn(body.input.text)) {
        this.#started.add(toolId);
        this.#perhaps.add(toolId);
      }
      return;
    }
    this.#perhaps.delete(toolId);
    if (body.outcome === 'ok') {
      this.#certain.add(toolId);
    } else if (body.outcome !== 'denied') {
      this.#perhaps.add(toolId);
    }
  }

  /** The checkpoint is what was there before the turn, and the lines of its tools. */
  #turn(before: SessionState, { turn, checkpoint }: EventOf<'turnFinished'>): void {
    const seen = this.#growth(`The checkpoint of turn ${turn}`, this.#of(currentCheckpoint(before)), checkpoint);
    if (!seen) {
      return;
    }
    const lost = [...this.#certain].filter(toolId => !seen.includes(toolId));
    if (lost.length > 0) {
      this.#add('lost', `The checkpoint of turn ${turn} lacks the effect of ${lost.join(', ')}.`);
    }
    const certain = seen.filter(toolId => this.#certain.has(toolId));
    const files = EFFECTS_FILES.map(path => (this.#of(checkpoint)[path] ?? []).flatMap(line => toolIn(line) ?? []));
    const inOrder = files.every(tools => isOrdered(tools, [...this.#certain]));
    if (certain.length > 0 && !inOrder) {
      this.#add('broken', `The effects in the checkpoint of turn ${turn} are not in the order of the log.`);
    }
    seen.forEach(toolId => this.#perhaps.delete(toolId));
    this.#certain.clear();
  }

  /** The tools whose lines came to the files; undefined, and a problem, when something else changed. */
  #growth(what: string, from: Contents, to: string): string[] | undefined {
    const tools: string[] = [];
    for (const path of EFFECTS_FILES) {
      const tail = tailAfter(from[path] ?? [], this.#of(to)[path] ?? []);
      if (!tail) {
        this.#add('broken', `${what} does not go on from what ${path} was.`);
        return undefined;
      }
      for (const line of tail) {
        const toolId = toolIn(line);
        if (toolId === undefined) {
          this.#add('broken', `${what} has the line "${line.slice(0, 80)}", which no tool writes.`);
        } else if (!this.#certain.has(toolId) && !this.#perhaps.has(toolId)) {
          const why = this.#started.has(toolId) ? 'was denied, or is there already' : 'is not in the log';
          this.#add('broken', `${what} has the effect of ${toolId}, which ${why}.`);
        } else if (tools.includes(toolId)) {
          this.#add('duplicated', `${what} has the effect of ${toolId} twice.`);
        } else {
          tools.push(toolId);
        }
      }
    }
    return tools;
  }

  /** The proposed tree takes what changed in the agent's files, and keeps what the reviewer made of it. */
  #offer(
    what: string,
    before: SessionState,
    checkpoint: string,
    { after, body }: { after: SessionState; body: { conflicts?: { path: string }[] | undefined } },
  ): void {
    const base = currentCheckpoint(before);
    if (after.accepted !== before.accepted) {
      this.#add('broken', `${what} changed what was accepted.`);
    }
    if (base !== checkpoint) {
      const applied = before.feedback?.applied;
      const sides = { base, ours: before.proposed, theirs: checkpoint, result: after.proposed };
      this.#merge(what, sides, body.conflicts, applied?.commit === base ? applied.agents : undefined);
    } else if (after.proposed !== before.proposed) {
      this.#add('broken', `${what} changed nothing, and what is proposed is another commit.`);
    }
  }

  #merge(
    what: string,
    sides: { base: string; ours: string; theirs: string; result: string },
    conflicts: readonly { path: string }[] = [],
    agents?: string,
  ): void {
    for (const path of EFFECTS_FILES) {
      const of = (side: keyof typeof sides): readonly string[] => this.#of(sides[side])[path] ?? [];
      // What was the reviewer's when the base was made stays so, whatever the other side has of it.
      const theirs =
        agents === undefined ? of('theirs') : [...mergedLines(this.#of(agents)[path] ?? [], of('base'), of('theirs'))];
      const wanted = mergedLines(of('base'), of('ours'), theirs);
      const isMerged = hasLines(of('result'), wanted, line => this.#isUncertain(line));
      const isKept = conflicts.some(conflict => conflict.path === path) && sameLines(of('result'), of('ours'));
      if (!isMerged && !isKept) {
        const lacks = [...wanted].filter(line => !of('result').includes(line));
        const excess = of('result').filter(line => !wanted.has(line));
        this.#add('broken', `${what}: ${path} lacks ${quoted(lacks)} and has ${quoted(excess)} in excess.`);
      }
    }
  }

  #isUncertain(line: string): boolean {
    const toolId = toolIn(line);
    return toolId !== undefined && this.#perhaps.has(toolId);
  }

  #decision(before: SessionState, body: EventOf<'reviewDecided'>, entry: Entry | undefined): void {
    const typed = entry?.typed;
    if (body.undoes !== undefined) {
      this.#undo(before, body);
    } else if (typed && 'deed' in typed) {
      const sides = ({ accepted, proposed }: { accepted: string; proposed: string }) => ({
        accepted: this.#of(accepted),
        proposed: this.#of(proposed),
      });
      const checkpoint = currentCheckpoint(before);
      const applied = before.feedback?.applied;
      const agents = applied?.commit === checkpoint ? applied.agents : checkpoint;
      const wrong = judgeDecision(typed, sides(before), sides(body), this.#of(agents));
      wrong.forEach(text => this.#add('broken', `A decision (${body.verdict}) ${text}.`));
      if (typed.call === 'review.decide' && !isSeen(typed.params, before)) {
        this.#add('broken', `A decision (${body.verdict}) was made on what the person did not see.`);
      }
    }
  }

  #undo(before: SessionState, { undoes, accepted, proposed }: EventOf<'reviewDecided'>): void {
    const decision = before.review.decisions.find(({ seq }) => seq === undoes);
    if (!decision) {
      this.#add('broken', `A decision takes back ${undoes}, which is none.`);
      return;
    }
    const now = { accepted, proposed };
    for (const side of ['accepted', 'proposed'] as const) {
      this.#merge(`The undo of ${undoes}`, {
        base: decision.after[side],
        ours: before[side],
        theirs: decision.before[side],
        result: now[side],
      });
    }
  }

  #applied(before: SessionState, { submission, commit, left, failure }: EventOf<'reviewApplied'>): void {
    const review = before.feedback?.submissions.find(({ number }) => number === submission);
    const ours = currentCheckpoint(before);
    const conflicts = failure === undefined ? left.map(path => ({ path })) : EFFECTS_FILES.map(path => ({ path }));
    if (!review || review.applied) {
      this.#add('duplicated', `Review ${submission} was brought into the files twice, or there is none.`);
    } else {
      const sides = { base: review.agents, ours, theirs: review.proposed, result: commit };
      this.#merge(`Bringing review ${submission} into the files`, sides, conflicts);
    }
  }

  #restored(before: SessionState, { restore, code }: EventOf<'restoreFinished'>, after: SessionState): void {
    const { restoring } = before;
    if (!code || !restoring) {
      return;
    }
    const what = `Restore ${restore}`;
    // A review that was about to be brought into the files may be in them already.
    if (!before.feedback?.submissions.some(({ applied, agents, proposed }) => !applied && agents !== proposed)) {
      this.#growth(`What ${what} saved`, this.#of(currentCheckpoint(before)), code.saved);
    }
    const undone = before.restores?.find(({ seq }) => seq === restoring.undoes);
    const turn = before.turns.find(({ number }) => number === restoring.turn);
    const target = undone ? undone.saved : (turn?.checkpoint?.commit ?? before.base);
    if (target !== code.checkpoint) {
      this.#add('broken', `${what} brought back ${code.checkpoint}, not ${target}.`);
    }
    if (undone?.after.proposed === before.proposed) {
      if (after.proposed !== undone.before.proposed) {
        this.#add('broken', `${what} did not give back what was proposed before.`);
      }
    } else {
      this.#offer(what, before, code.checkpoint, { after, body: code });
    }
  }
}

/** Hunks are named by what they are; a whole file is decided on as it was seen, or not at all. */
function isSeen(
  { files, expected }: Extract<DeedCall, { call: 'review.decide' }>['params'],
  now: SessionState,
): boolean {
  const isSame = expected.accepted === now.accepted && expected.proposed === now.proposed;
  return isSame || files.every(({ hunks }) => hunks !== undefined);
}

function toolIn(line: string): string | undefined {
  return effectIn(line)?.toolId;
}

/** Whether those of a list that are in another stand in its order. */
function isOrdered(list: readonly string[], order: readonly string[]): boolean {
  const places = list.map(one => order.indexOf(one)).filter(place => place >= 0);
  return places.every((place, index) => index === 0 || place > (places[index - 1] ?? 0));
}

function quoted(lines: readonly string[]): string {
  return lines.length === 0 ? 'nothing' : lines.slice(0, 3).join(' | ') + (lines.length > 3 ? ' ...' : '');
}
