import { z } from 'zod';
import type {
  Colleague,
  Conversation,
  FailedCheck,
  ForgeReview,
  IssueComment,
  Place,
  PullRequestNow,
  Reaction,
  ReactionTarget,
  ReviewComment,
} from '../colleague.ts';
import { RestForges, type RepositoryApi, type RestForgeOptions } from '../restForge.ts';
import { GITLAB, gitlabPath } from './gitlab.ts';
import { withoutQuickActions } from './gitlabMergeRequest.ts';

const PAGE = 100;
/** Longer conversations are not read to their end. */
const MAX_PAGES = 20;
const MAX_BODY_CHARS = 200_000;
/** Developer: who may push. */
const MAY_WRITE = 30;

const authorSchema = z
  .object({ username: z.string() })
  .nullish()
  .transform(author => author?.username ?? 'ghost');
const noteSchema = z.object({
  id: z.int(),
  type: z.string().nullish(),
  body: z.string(),
  author: authorSchema,
  created_at: z.string(),
  updated_at: z.string(),
  system: z.boolean(),
  internal: z.boolean().nullish(),
  position: z.object({ new_path: z.string().nullish(), new_line: z.int().nullish() }).nullish(),
});
type Note = z.infer<typeof noteSchema>;
const discussionSchema = z.object({ id: z.string(), notes: z.array(noteSchema) });
type Discussion = z.infer<typeof discussionSchema>;
const mergeSchema = z.object({
  state: z.enum(['opened', 'closed', 'locked', 'merged']),
  // Null while the merge request has no commit.
  sha: z.string().nullish(),
  merged_at: z.string().nullish(),
  closed_at: z.string().nullish(),
});
const memberSchema = z.object({ username: z.string(), access_level: z.int(), state: z.string().nullish() });
const done = z.unknown();

const BOT = /^((project|group)_\d+_bot|service_account_|support-bot$|alert-bot$|ghost$)/i;

export function createGitlabColleague(options: RestForgeOptions): Colleague {
  return new GitlabColleague(new RestForges(GITLAB, options));
}

/** A review is there one comment on a line, each told for itself. */
class GitlabColleague implements Colleague {
  readonly #forges: RestForges;

  constructor(forges: RestForges) {
    this.#forges = forges;
  }

  /** Also by a group that the project is in or that it was shared with. */
  async mayWrite(place: Place, login: string): Promise<boolean> {
    const api = this.#api(place);
    const found = await pages(api, memberSchema, `${pathOf(place)}/members/all`, {
      query: { query: login },
      what: `ask what ${login} may do`,
    });
    return found.some(
      ({ username, access_level: level, state }) =>
        username.toLowerCase() === login.toLowerCase() && level >= MAY_WRITE && (state ?? 'active') === 'active',
    );
  }

  async react(place: Place, target: ReactionTarget, reaction: Reaction): Promise<void> {
    const api = this.#api(place);
    const path = `${pathOf(place)}${targetPath(target)}/award_emoji`;
    const answer = await api.request('POST', path, { body: { name: reaction } });
    // It may be there already, from this token's user.
    if (!('failure' in answer) || answer.failure.status !== 404) {
      api.read(done, answer, 'react to it');
    }
  }

  async say(place: Place, { marker, body, ...on }: Parameters<Colleague['say']>[1]): Promise<void> {
    const api = this.#api(place);
    const text = marked(body, marker);
    const found = (await notes(api, place, on)).find(note => note.body.includes(marker));
    if (found?.body === text) {
      return;
    }
    const path = `${pathOf(place)}${conversationPath(on)}/notes`;
    const answer = found
      ? await api.request('PUT', `${path}/${found.id}`, { body: { body: text } })
      : await api.request('POST', path, { body: { body: text } });
    api.read(done, answer, `comment on ${nameOf(on)}`);
  }

  async answer(
    place: Place,
    { number, reviewCommentId, marker, body }: Parameters<Colleague['answer']>[1],
  ): Promise<void> {
    const api = this.#api(place);
    const all = await discussions(api, place, number);
    if (all.some(discussion => discussion.notes.some(note => note.body.includes(marker)))) {
      return;
    }
    const thread = all.find(discussion => discussion.notes.some(({ id }) => id === reviewCommentId));
    if (!thread) {
      await this.say(place, { number, isPull: true, marker, body });
      return;
    }
    const path = `${pathOf(place)}/merge_requests/${number}/discussions/${encodeURIComponent(thread.id)}/notes`;
    const answer = await api.request('POST', path, { body: { body: marked(body, marker) } });
    api.read(done, answer, `answer in merge request !${number}`);
  }

  async readPullRequest(place: Place, number: number): Promise<PullRequestNow> {
    const api = this.#api(place);
    const answer = await api.request('GET', `${pathOf(place)}/merge_requests/${number}`);
    const read = api.read(mergeSchema, answer, `read merge request !${number}`);
    const isOpen = read.state === 'opened' || read.state === 'locked';
    return {
      state: isOpen ? 'open' : 'closed',
      merged: read.state === 'merged',
      closedAt: read.merged_at ?? read.closed_at ?? '',
      headCommit: read.sha ?? '',
    };
  }

  async listReviews(place: Place, number: number): Promise<ForgeReview[]> {
    const found = await this.#lineNotes(place, number);
    return found.map(({ note: { id, author: by, created_at: at } }) => ({
      id,
      body: '',
      approves: false,
      by,
      isBot: BOT.test(by),
      url: pageOf(place, { number, isPull: true }, id),
      at,
    }));
  }

  async listReviewComments(place: Place, number: number, reviewId: number): Promise<ReviewComment[]> {
    const found = (await this.#lineNotes(place, number)).filter(({ note }) => note.id === reviewId);
    return found.map(({ note, threadId }) => ({
      id: note.id,
      threadId,
      path: note.position?.new_path ?? '',
      line: note.position?.new_line ?? undefined,
      diffHunk: '',
      body: note.body,
      by: note.author,
      updatedAt: Date.parse(note.updated_at),
    }));
  }

  async listComments(place: Place, on: Conversation): Promise<IssueComment[]> {
    const found = await notes(this.#api(place), place, on);
    return found
      .filter(({ type }) => type !== 'DiffNote')
      .map(({ id, body, author: by, created_at: createdAt, updated_at: updatedAt }) => ({
        id,
        body,
        by,
        isBot: BOT.test(by),
        url: pageOf(place, on, id),
        createdAt: Date.parse(createdAt),
        updatedAt: Date.parse(updatedAt),
      }));
  }

  /** Checks are looked at on GitHub only. */
  async failedChecks(): Promise<FailedCheck[]> {
    return [];
  }

  async #lineNotes(place: Place, number: number): Promise<{ note: Note; threadId: number }[]> {
    const all = await discussions(this.#api(place), place, number);
    return all.flatMap(discussion =>
      discussion.notes
        .filter(({ type, system, internal }) => type === 'DiffNote' && !system && internal !== true)
        .map(note => ({ note, threadId: discussion.notes[0]?.id ?? note.id })),
    );
  }

  #api({ repository, token }: Place): RepositoryApi {
    return this.#forges.api(repository, token);
  }
}

/** What people wrote for everybody who sees it. */
async function notes(api: RepositoryApi, place: Place, on: Conversation): Promise<Note[]> {
  const found = await pages(api, noteSchema, `${pathOf(place)}${conversationPath(on)}/notes`, {
    query: { sort: 'asc', order_by: 'created_at' },
    what: `read the comments of ${nameOf(on)}`,
  });
  return found.filter(({ system, internal }) => !system && internal !== true);
}

async function discussions(api: RepositoryApi, place: Place, number: number): Promise<Discussion[]> {
  return pages(api, discussionSchema, `${pathOf(place)}/merge_requests/${number}/discussions`, {
    query: {},
    what: `read the threads of !${number}`,
  });
}

async function pages<Schema extends z.ZodType>(
  api: RepositoryApi,
  schema: Schema,
  path: string,
  { query, what }: { query: Record<string, string>; what: string },
): Promise<z.infer<Schema>[]> {
  const all: z.infer<Schema>[] = [];
  for (let page = 1; page <= MAX_PAGES; page++) {
    const answer = await api.request('GET', path, { query: { ...query, per_page: `${PAGE}`, page: `${page}` } });
    const found = api.read(z.array(schema), answer, what);
    all.push(...found);
    if (found.length < PAGE) {
      break;
    }
  }
  return all;
}

function pathOf({ repository }: Place): string {
  return gitlabPath(repository);
}

function targetPath(target: ReactionTarget): string {
  switch (target.kind) {
    case 'issue':
      return `/issues/${target.number}`;
    case 'comment':
      return `${conversationPath(target.on)}/notes/${target.id}`;
    case 'reviewComment':
      return `/merge_requests/${target.pull}/notes/${target.id}`;
  }
}

function conversationPath({ number, isPull }: Conversation): string {
  return `/${isPull ? 'merge_requests' : 'issues'}/${number}`;
}

function nameOf({ number, isPull }: Conversation): string {
  return `${isPull ? '!' : '#'}${number}`;
}

function pageOf({ repository: { host, owner, name } }: Place, on: Conversation, note: number): string {
  return `https://${host}/${owner}/${name}/-${conversationPath(on)}#note_${note}`;
}

/** GitLab carries out lines that begin like `/close`, also of a comment. */
function marked(body: string, marker: string): string {
  return `${withoutQuickActions(body.slice(0, MAX_BODY_CHARS))}\n\n${marker}`;
}
