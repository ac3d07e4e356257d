/*
 * What can be done with a data folder as a whole, whether or not a relay runs on it. The command line knows these by
 * their interface; the composition root has the parts.
 */

export interface BackupCounts {
  sessions: number;
  events: number;
  blobs: number;
  mirrors: number;
  commits: number;
  /** Deleted sessions that can be restored. */
  archives: number;
}

export interface BackupSummary {
  file: string;
  bytes: number;
  /** Version of the Sandpiper that made it. */
  version: string;
  /** Milliseconds since the epoch: the point in time that it holds. */
  createdAt: number;
  counts: BackupCounts;
  /** What could not be taken along, because it was damaged or missing already; one sentence each. */
  warnings: string[];
}

export interface Finding {
  level: 'error' | 'warning';
  /** Where it is. */
  part: 'database' | 'log' | 'row' | 'blob' | 'ref' | 'input' | 'journal' | 'archive' | 'search';
  sessionId?: string;
  text: string;
  /** What to do. */
  hint: string;
  /** Derived from the log (I1), so that a repair can make it anew. */
  repairable: boolean;
  repaired?: boolean;
}

export interface DeepCheckResult {
  counts: BackupCounts;
  findings: Finding[];
}

/** What is being done, for a line of progress. */
export type OnProgress = (step: string) => void;

export interface DataFolderTools {
  /**
   * Writes a backup of one consistent point; a relay that runs meanwhile is not held up.
   * @param target a file that does not exist, or a folder, which then gets a file with the time in its name
   * @throws `conflict` when the file exists, `not_found` without a relay's data, `disk_full`, `stopped` when aborted
   */
  makeBackup(options: {
    dataFolder: string;
    target: string;
    onProgress: OnProgress;
    signal: AbortSignal;
  }): Promise<BackupSummary>;
  /** Reads a backup whole and compares every checksum. @throws `invalid_params` when it is damaged, `version_mismatch` */
  verifyBackup(file: string, onProgress: OnProgress): Promise<BackupSummary>;
  /**
   * Fills an empty folder from a backup, after all of it was verified.
   * @throws `conflict` when the folder is not empty or a relay uses it; as `verifyBackup`
   */
  restoreBackup(options: {
    file: string;
    dataFolder: string;
    onProgress: OnProgress;
  }): Promise<{ backup: BackupSummary; check: DeepCheckResult }>;
  /**
   * Compares everything that is stored with everything else.
   * @param repair also makes anew what is derived from the log; only while no relay runs
   * @throws `conflict` for a repair while a relay runs, `not_found` without a relay's data
   */
  checkDeeply(options: { dataFolder: string; repair: boolean; onProgress: OnProgress }): Promise<DeepCheckResult>;
}
