import { between, weighted } from './random.ts';

/*
 * What the person does in a session beside sending messages and answering: reviewing, commenting, going back, branching.
 * When it is done is told by turns, not by the clock. What exactly it is then (which hunk, which turn) follows from what
 * the session has at that moment and from `pick`.
 */

const DEED_WEIGHTS = {
  accept: 14,
  reject: 12,
  acceptAll: 3,
  edit: 10,
  resolve: 8,
  undo: 8,
  comment: 8,
  editComment: 3,
  deleteComment: 3,
  restore: 9,
  undoRestore: 5,
  branch: 3,
} as const;

export type DeedKind = keyof typeof DEED_WEIGHTS;

export interface Deed {
  /** Counts the deeds of a session from 1; they are done in this order. */
  number: number;
  kind: DeedKind;
  /** So many turns of the session have ended before it. */
  after: number;
  /** From 0 to 1: which of the files, hunks, comments or turns that there are then. */
  pick: number;
  code: boolean;
  conversation: boolean;
}

/** The deeds of a session with so many messages, in order. */
export function planDeeds(random: () => number, messages: number, mayBranch: boolean): Deed[] {
  const kinds = DEED_KINDS.filter(kind => mayBranch || kind !== 'branch').map(
    kind => [kind, DEED_WEIGHTS[kind]] as const,
  );
  const afters = Array.from({ length: Math.round(messages * 1.5) }, () => between(random, 1, messages));
  return afters
    .sort((one, other) => one - other)
    .map((after, index) => {
      const code = random() < 0.7;
      return {
        number: index + 1,
        kind: weighted(random, kinds),
        after,
        pick: random(),
        code,
        conversation: !code || random() < 0.5,
      };
    });
}

const DEED_KINDS = [
  'accept',
  'reject',
  'acceptAll',
  'edit',
  'resolve',
  'undo',
  'comment',
  'editComment',
  'deleteComment',
  'restore',
  'undoRestore',
  'branch',
] as const satisfies readonly DeedKind[];
