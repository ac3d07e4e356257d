/** What people said and did in one emulated repository, besides its pull requests. */
export class GithubTalk {
  readonly issues: GithubIssue[] = [];
  readonly comments: GithubComment[] = [];
  readonly reviews: GithubReview[] = [];
  readonly reviewComments: GithubReviewComment[] = [];
  readonly reactions: { target: string; content: string }[] = [];
  readonly checks: GithubCheck[] = [];
  /** `admin`, `write`, `read` or `none`, by login. */
  readonly permissions = new Map<string, string>();
  #lastId = 1000;

  nextId(): number {
    return ++this.#lastId;
  }

  /** A review with its comments, as a person submits it. */
  review(
    pull: number,
    by: string,
    review: { body?: string; state?: GithubReview['state']; comments?: NewComment[] },
  ): GithubReview {
    const at = now();
    const { body = '', state = 'COMMENTED', comments = [] } = review;
    const made = { id: this.nextId(), pull, by, body, state, at };
    this.reviews.push(made);
    for (const comment of comments) {
      this.reviewComments.push({ id: this.nextId(), pull, review: made.id, by, at, updatedAt: at, ...comment });
    }
    return made;
  }

  comment(number: number, by: string, body: string): GithubComment {
    const at = now();
    const made = { id: this.nextId(), number, by, body, at, updatedAt: at };
    this.comments.push(made);
    return made;
  }

  /** The comments of an issue or pull request whose texts are `parts`, one in each. */
  said(number: number): string[] {
    return this.comments.filter(comment => comment.number === number).map(({ body }) => body);
  }

  reactionsTo(target: string): string[] {
    return this.reactions.filter(reaction => reaction.target === target).map(({ content }) => content);
  }
}

export interface GithubIssue {
  number: number;
  title: string;
  body: string;
  by: string;
  state: 'open' | 'closed';
  updatedAt: string;
}

export interface GithubComment {
  id: number;
  number: number;
  by: string;
  body: string;
  at: string;
  updatedAt: string;
}

export interface GithubReview {
  id: number;
  pull: number;
  by: string;
  body: string;
  state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED';
  at: string;
}

interface NewComment {
  path: string;
  line: number;
  body: string;
}

export interface GithubReviewComment extends NewComment {
  id: number;
  pull: number;
  review: number;
  by: string;
  at: string;
  updatedAt: string;
  inReplyTo?: number;
}

export interface GithubCheck {
  id: number;
  commit: string;
  name: string;
  /** null while it runs. */
  conclusion: 'success' | 'failure' | null;
  log: string;
}

/** As GitHub writes times: whole seconds. */
export function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
