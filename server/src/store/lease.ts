/*
 * Who owns the store. One row says it; every write of the owner names the epoch that it owns by, and a write by an older
 * epoch changes nothing. Pure: the store applies these decisions inside a transaction.
 */

export interface LeaseRow {
  /** Grows by one with every owner; never falls. */
  epoch: number;
  /** Names one start of one relay. */
  holder: string;
  pid: number;
  version: string;
  /** Grows with every sign of life. */
  beat: number;
  /** The owner also holds the lock of the data folder, so whoever gets that lock knows that the owner is dead. */
  locked: boolean;
  /** The owner has let go. */
  released: boolean;
}

export interface LeaseClaim {
  holder: string;
  pid: number;
  version: string;
  /** Whether the claimant holds the lock of the data folder. */
  locked: boolean;
  /** An owner that was seen to give no sign of life for the whole time of a lease; it must not have given one since. */
  silent?: Pick<LeaseRow, 'epoch' | 'beat'>;
}

export type LeaseDecision =
  | { kind: 'granted'; row: LeaseRow }
  /** Another owner lives, or may. */
  | { kind: 'refused'; owner: LeaseRow };

/** No clock is asked: silence was measured by the claimant (`observeLease`), and what changed since then refutes it. */
export function decideLease(row: LeaseRow | undefined, claim: LeaseClaim): LeaseDecision {
  const isFree = row === undefined || row.released;
  const isDead = claim.locked && row?.locked === true;
  const isSilent = claim.silent?.epoch === row?.epoch && claim.silent?.beat === row?.beat;
  if (row !== undefined && !isFree && !isDead && !isSilent) {
    return { kind: 'refused', owner: row };
  }
  const { holder, pid, version, locked } = claim;
  return {
    kind: 'granted',
    row: { epoch: (row?.epoch ?? 0) + 1, holder, pid, version, beat: 0, locked, released: false },
  };
}

/** Whether whoever owns by `epoch` (undefined: by none) may write. Without a lease one may while nobody has one. */
export function mayWrite(row: Pick<LeaseRow, 'epoch' | 'released'> | undefined, epoch: number | undefined): boolean {
  return (row === undefined || row.released ? undefined : row.epoch) === epoch;
}

/** What somebody who waits for an owner's silence knows. */
export interface LeaseObservation {
  row: LeaseRow;
  /** When `row` was read last, on the observer's clock. */
  at: number;
  silentMs: number;
}

/**
 * Takes another look at the row into account. A step counts for at most `maxStepMs` and never backwards: neither a clock
 * that is set nor an observer that was stopped makes a living owner look dead.
 */
export function observeLease(
  before: LeaseObservation | undefined,
  row: LeaseRow,
  now: number,
  maxStepMs: number,
): LeaseObservation {
  if (before?.row.epoch !== row.epoch || before.row.beat !== row.beat) {
    return { row, at: now, silentMs: 0 };
  }
  const stepMs = Math.min(Math.max(now - before.at, 0), maxStepMs);
  return { row, at: now, silentMs: before.silentMs + stepMs };
}
