import { toSandpiperError } from '../../../protocol/errors.ts';

/** A branch of the forge that has commits of others. */
export interface TakenBranch {
  branch: string;
  /** A name near it that is free. */
  suggestedBranch: string;
  /** Whether their commits can be merged with the session's change. */
  mayKeepTheirs: boolean;
}

/** What the relay says of the branch when others pushed to it; undefined for every other failure. */
export function takenBranch(thrown: unknown): TakenBranch | undefined {
  const { code, details = {} } = toSandpiperError(thrown);
  const { branch, suggestedBranch, mayKeepTheirs } = details;
  return code === 'conflict' && typeof branch === 'string' && typeof suggestedBranch === 'string'
    ? { branch, suggestedBranch, mayKeepTheirs: mayKeepTheirs === true }
    : undefined;
}
