/** The right of this relay to work on the sessions of its data folder (I6). */
export interface Ownership {
  /** Higher than that of every relay that owned them before. */
  readonly epoch: number;
  /**
   * Resolves when nobody else can have taken over up to this moment; at once, except after a long pause. To be awaited
   * directly before whatever the store does not fence: starting, killing, pushing.
   * @throws `fenced`
   */
  confirm(): Promise<void>;
}

/** For programs that are alone by other means. */
export const SOLE_OWNER: Ownership = { epoch: 1, confirm: () => Promise.resolve() };
