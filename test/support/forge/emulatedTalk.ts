/** What people said and did in one emulated repository, besides its pull requests. */
export class EmulatedTalk {
  readonly issues: EmulatedIssue[] = [];
  readonly comments: EmulatedComment[] = [];
  readonly reviews: EmulatedReview[] = [];
  readonly reactions: { target: string; content: string }[] = [];
  /** `write` or `read`, by login; those who are not here may nothing. */
  readonly permissions = new Map<string, 'write' | 'read'>();
  #lastId = 1000;

  nextId(): number {
    return ++this.#lastId;
  }

  issue(number: number, by: string, texts: { title: string; body: string; labels?: string[] }): EmulatedIssue {
    const made = { number, by, labels: [], state: 'open' as const, updatedAt: now(), ...texts };
    this.issues.push(made);
    return made;
  }

  comment(on: EmulatedConversation, by: string, body: string, line?: EmulatedLine): EmulatedComment {
    const at = now();
    const made = { id: this.nextId(), on, by, body, at, updatedAt: at, ...(line ? { line } : {}) };
    this.comments.push(made);
    return made;
  }

  /** A review with its comments, as a person submits it. */
  review(
    pull: number,
    by: string,
    { body = '', state = 'COMMENT', lines = [] }: NewReview,
  ): { review: EmulatedReview; comments: EmulatedComment[] } {
    const review = { id: this.nextId(), pull, by, body, state, at: now() };
    this.reviews.push(review);
    const comments = lines.map(({ path, line, body: text }) =>
      this.comment({ number: pull, isPull: true }, by, text, {
        path,
        line,
        review: review.id,
        thread: `thread-${path}-${line}`,
      }),
    );
    return { review, comments };
  }

  /** What stands below an issue or pull request, without what stands on its lines. */
  said(on: EmulatedConversation): string[] {
    return this.comments.filter(one => isOn(one, on) && !one.line).map(({ body }) => body);
  }

  reactionsTo(target: string): string[] {
    return this.reactions.filter(reaction => reaction.target === target).map(({ content }) => content);
  }
}

export interface EmulatedConversation {
  number: number;
  isPull: boolean;
}

export interface EmulatedIssue {
  number: number;
  title: string;
  body: string;
  by: string;
  labels: string[];
  state: 'open' | 'closed';
  updatedAt: string;
}

export interface EmulatedLine {
  path: string;
  line: number;
  review: number;
  thread: string;
}

export interface EmulatedComment {
  id: number;
  on: EmulatedConversation;
  by: string;
  body: string;
  at: string;
  updatedAt: string;
  line?: EmulatedLine;
}

export interface EmulatedReview {
  id: number;
  pull: number;
  by: string;
  body: string;
  state: 'APPROVED' | 'COMMENT' | 'REQUEST_CHANGES';
  at: string;
}

interface NewReview {
  body?: string;
  state?: EmulatedReview['state'];
  lines?: { path: string; line: number; body: string }[];
}

/** Whose token the relay has. */
export const API_USER = 'sandpiper';

export function isOn({ on }: Pick<EmulatedComment, 'on'>, { number, isPull }: EmulatedConversation): boolean {
  return on.number === number && on.isPull === isPull;
}

export function now(): string {
  return new Date().toISOString();
}
