import type { ForgeRepository } from './forge.ts';

/*
 * Where people talk about work: issues, comments, reviews, checks. Everything here may be repeated: what is said twice with
 * the same marker stands there once. Failures are those of forge.ts.
 */

/** A repository, and the token that everything about it is asked with. */
export interface Place {
  repository: ForgeRepository;
  token: string;
}

export type Reaction = 'eyes' | 'rocket' | 'confused';

/** An issue or a pull request: some forges count them apart. */
export interface Conversation {
  number: number;
  isPull: boolean;
}

export type ReactionTarget =
  | { kind: 'issue'; number: number }
  | { kind: 'comment'; id: number; on: Conversation }
  | { kind: 'reviewComment'; id: number; pull: number };

export interface ReviewComment {
  id: number;
  /** The first comment of its thread, where the answer goes; itself when it is the first. */
  threadId: number;
  path: string;
  /** In the new version of the file; undefined when that line is gone. */
  line: number | undefined;
  diffHunk: string;
  body: string;
  by: string;
  /** When it was last changed; milliseconds since the epoch. */
  updatedAt: number;
}

export interface ForgeReview {
  id: number;
  body: string;
  approves: boolean;
  by: string;
  isBot: boolean;
  url: string;
  /** ISO 8601 */
  at: string;
}

export interface IssueComment {
  id: number;
  body: string;
  by: string;
  isBot: boolean;
  url: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
  updatedAt: number;
}

export interface FailedCheck {
  name: string;
  url: string;
  /** What it says of itself, and its log where there is one; as it came. */
  summary: string;
  log: string;
}

export interface PullRequestNow {
  headCommit: string;
  state: 'open' | 'closed';
  merged: boolean;
  /** ISO 8601; empty while it is open. */
  closedAt: string;
}

export interface Colleague {
  /** Whether somebody may write to the repository; asked of the forge every time. */
  mayWrite(place: Place, login: string): Promise<boolean>;
  react(place: Place, target: ReactionTarget, reaction: Reaction): Promise<void>;
  /**
   * Writes a comment to an issue or pull request, or brings the one with this marker up to date.
   * @param marker hidden in the text; nobody else can guess it
   */
  say(place: Place, comment: Conversation & { marker: string; body: string }): Promise<void>;
  /** Answers in the thread of a review comment, unless that answer is there. */
  answer(place: Place, reply: { number: number; reviewCommentId: number; marker: string; body: string }): Promise<void>;
  readPullRequest(place: Place, number: number): Promise<PullRequestNow>;
  /** Oldest first. */
  listReviews(place: Place, number: number): Promise<ForgeReview[]>;
  listReviewComments(place: Place, number: number, reviewId: number): Promise<ReviewComment[]>;
  /** Oldest first. */
  listComments(place: Place, on: Conversation): Promise<IssueComment[]>;
  /** Of the newest run of every check of a commit. */
  failedChecks(place: Place, commit: string): Promise<FailedCheck[]>;
}
