import type { SessionState } from '../../../protocol/session.ts';
import { summarize } from '../../../protocol/summarize.ts';
import type { Finding } from '../core/dataFolderTools.ts';
import { checkpointRef, proposedRef } from '../git/refs.ts';
import type { Runtime } from '../sessions/runtime.ts';
import type { RawRow, StoreInspection } from '../store/inspection.ts';
import type { JournalPosition } from '../store/store.ts';
import { refsOf } from './scanSession.ts';

/* What is wrong, decided on what was read. Pure. */

export const FROM_BACKUP =
  'Restore a backup into another folder: sandpiper backup restore <file> --into <folder>. Keep this folder: what is whole in it can still be read.';
const REPAIR = 'Stop the relay and run: sandpiper doctor --deep --repair';

/** The row of a session is derived from its log. */
export function rowFindings(state: SessionState, row: RawRow | undefined): Finding[] {
  const finding = (level: Finding['level'], text: string): Finding => ({
    level,
    part: 'row',
    sessionId: state.id,
    text,
    hint: REPAIR,
    repairable: true,
  });
  if (!row) {
    return [finding('error', 'The session has events and no row: no list shows it.')];
  }
  if (row.lastSeq !== state.seq) {
    return [finding('error', `The row says that the log ends at event ${row.lastSeq}; it ends at ${state.seq}.`)];
  }
  const stored = facts(row.summary);
  const expected = facts(summarize(state));
  if (
    row.archived !== state.archived ||
    row.updatedAt !== state.updatedAt ||
    canonical(stored) !== canonical(expected)
  ) {
    return [finding('warning', 'The row says something else than the log.')];
  }
  return [];
}

/** Without the words, which change between versions and are no fact of the log. */
function facts(summary: unknown): unknown {
  return typeof summary === 'object' && summary !== null
    ? Object.fromEntries(Object.entries(summary).filter(([name]) => name !== 'activity' && name !== 'doing'))
    : summary;
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_name, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
        : part,
    ) ?? ''
  );
}

type Inputs = Awaited<ReturnType<StoreInspection['inputs']>>;

/** Inputs are numbered from 1 in each segment, and no segment is later than the agent's. */
export function inputFindings(
  state: SessionState,
  runtime: Runtime | undefined,
  journal: JournalPosition | undefined,
  inputs: Inputs,
): Finding[] {
  const findings: Finding[] = [];
  const add = (part: 'input' | 'journal', text: string) =>
    findings.push({
      level: 'error',
      part,
      sessionId: state.id,
      text,
      hint: 'Recover the session: another process of the agent resumes the same conversation.',
      repairable: false,
    });
  for (const { segment, first, last, count } of inputs) {
    if (first !== 1 || last !== count) {
      add('input', `The inputs of segment ${segment} have a gap: ${count} from ${first} to ${last}.`);
    }
    if (segment > state.agent.segment) {
      add('input', `There are inputs for segment ${segment}, and the agent is at ${state.agent.segment}.`);
    }
  }
  const current = inputs.find(({ segment }) => segment === state.agent.segment);
  if (runtime && state.agent.segment > 0 && (current?.last ?? 0) !== runtime.inputs) {
    add('input', `The session has written ${runtime.inputs} inputs, and ${current?.last ?? 0} are stored.`);
  }
  if (journal && (journal.segment > state.agent.segment || journal.offset < 0)) {
    add(
      'journal',
      `The position in the journal is at ${journal.offset} of segment ${journal.segment}, which is not there.`,
    );
  }
  return findings;
}

export interface RefFacts {
  refs: ReadonlyMap<string, string>;
  /** Commits that the log names and the mirror does not have. */
  missing: ReadonlySet<string>;
}

/** Checkpoints are made only of turns that the log knows: one of a later turn shows that the end of the log is lost. */
export function lostEndFindings(state: SessionState, refs: ReadonlyMap<string, string>): Finding[] {
  const prefix = checkpointRef(state.id, 0).slice(0, -1);
  const last = Math.max(0, ...[...refs.keys()].flatMap(ref => turnOf(ref, prefix)));
  const known = state.turns.at(-1)?.number ?? 0;
  return last <= known
    ? []
    : [
        {
          level: 'error',
          part: 'log',
          sessionId: state.id,
          text: `The mirror has the checkpoint of turn ${last}, and the log ends in turn ${known}: the end of the log is lost.`,
          hint: `If relay.db was copied without its -wal file, put both back; or restore a backup. The work is in ${prefix}${last}.`,
          repairable: false,
        },
      ];
}

function turnOf(ref: string, prefix: string): number[] {
  const number = ref.startsWith(prefix) ? Number(ref.slice(prefix.length)) : Number.NaN;
  return Number.isSafeInteger(number) ? [number] : [];
}

/** The refs of a session are derived from its log as long as the commits are there. */
export function refFindings(
  state: SessionState,
  { refs, missing }: RefFacts,
): { ref: string; commit: string; finding: Finding }[] {
  // A checkpoint may be in the mirror a moment before its event is in the log.
  const checkpointing = state.turns.some(turn => !turn.checkpoint);
  return [...refsOf(state)].flatMap(([ref, commit]) => {
    const found = refs.get(ref);
    const finding = (text: string, hint: string, repairable: boolean) => [
      { ref, commit, finding: { level: 'error', part: 'ref', sessionId: state.id, text, hint, repairable } as const },
    ];
    if (missing.has(commit)) {
      return finding(`The commit ${commit} of ${ref} is not in the mirror.`, FROM_BACKUP, false);
    }
    if (found === commit || (checkpointing && found !== undefined && ref === proposedRef(state.id))) {
      return [];
    }
    return finding(`${ref} is at ${found ?? 'nothing'} instead of ${commit}.`, REPAIR, true);
  });
}
