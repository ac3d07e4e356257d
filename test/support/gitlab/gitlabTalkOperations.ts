import { z } from 'zod';
import { operation, type EmulatedCall, type EmulatedReply } from '../forge/dialect.ts';
import { API_USER, isOn, now, type EmulatedComment, type EmulatedConversation } from '../forge/emulatedTalk.ts';

/*
 * Members, notes, threads and emoji of an emulated GitLab, by the ids of its description. Entities follow lib/api/entities of
 * gitlabhq/gitlabhq (MIT).
 */

type Call = Pick<EmulatedCall<unknown, unknown>, 'origin' | 'repository' | 'values'>;

const PROJECT = '^/projects/(?<repository>[^/]+)';
const dateTime = z.iso.datetime();
const userSchema = z.strictObject({ id: z.int(), username: z.string(), name: z.string(), state: z.string() });
const noteSchema = z.strictObject({
  id: z.int(),
  type: z.enum(['DiffNote', 'DiscussionNote']).nullable(),
  body: z.string(),
  author: userSchema,
  created_at: dateTime,
  updated_at: dateTime,
  system: z.boolean(),
  noteable_id: z.int(),
  noteable_iid: z.int(),
  noteable_type: z.enum(['Issue', 'MergeRequest']),
  resolvable: z.boolean(),
  internal: z.boolean(),
  confidential: z.boolean(),
  position: z.looseObject({ new_path: z.string(), new_line: z.int() }).optional(),
});
const pageQuery = z
  .strictObject({
    page: z.coerce.number().int(),
    per_page: z.coerce.number().int(),
    sort: z.enum(['asc', 'desc']),
    order_by: z.enum(['created_at', 'updated_at']),
    query: z.string(),
  })
  .partial();
const nothing = z.strictObject({});
const noBody = z.undefined();
const textBody = z.strictObject({ body: z.string().min(1) });
const emojiReply = z.strictObject({
  id: z.int(),
  name: z.string(),
  user: userSchema,
  created_at: dateTime,
  updated_at: dateTime,
  awardable_id: z.int(),
  awardable_type: z.string(),
});

/** The same for issues and merge requests. */
function conversationOperations(isPull: boolean) {
  const [segment, name] = isPull ? ['merge_requests', 'MergeRequests'] : ['issues', 'Issues'];
  const path = `${PROJECT}/${segment}/(?<iid>\\d+)`;
  const onOf = ({ values }: Call): EmulatedConversation => ({ number: Number(values['iid']), isPull });
  const isThere = (call: Call) =>
    (isPull ? call.repository.pulls : call.repository.talk.issues).some(({ number }) => number === onOf(call).number);
  return [
    operation({
      id: `getApiV4ProjectsId${name}NoteableIidNotes`,
      method: 'GET',
      path: new RegExp(`${path}/notes$`),
      query: pageQuery,
      body: noBody,
      reply: z.array(noteSchema),
      act: call => paged(call, call.repository.talk.comments.filter(one => isOn(one, onOf(call))).map(noteObject)),
    }),
    operation({
      id: `postApiV4ProjectsId${name}NoteableIidNotes`,
      method: 'POST',
      path: new RegExp(`${path}/notes$`),
      query: nothing,
      body: textBody,
      reply: noteSchema,
      act: call =>
        isThere(call)
          ? { status: 201, body: noteObject(call.repository.talk.comment(onOf(call), API_USER, call.body.body)) }
          : notFound(),
    }),
    operation({
      id: `putApiV4ProjectsId${name}NoteableIidNotesNoteId`,
      method: 'PUT',
      path: new RegExp(`${path}/notes/(?<id>\\d+)$`),
      query: nothing,
      body: textBody,
      reply: noteSchema,
      act: call => {
        const found = call.repository.talk.comments.find(({ id }) => id === Number(call.values['id']));
        Object.assign(found ?? {}, { body: call.body.body, updatedAt: now() });
        return found ? { status: 200, body: noteObject(found) } : notFound();
      },
    }),
    operation({
      id: `postApiV4ProjectsId${name}IidAwardEmoji`,
      method: 'POST',
      path: new RegExp(`${path}/award_emoji$`),
      query: nothing,
      body: z.strictObject({ name: z.string() }),
      reply: emojiReply,
      act: call => awarded(call, `${isPull ? '!' : '#'}${call.values['iid']}`, call.body.name),
    }),
    operation({
      id: `postApiV4ProjectsId${name}IidNotesNoteIdAwardEmoji`,
      method: 'POST',
      path: new RegExp(`${path}/notes/(?<id>\\d+)/award_emoji$`),
      query: nothing,
      body: z.strictObject({ name: z.string() }),
      reply: emojiReply,
      act: call =>
        call.repository.talk.comments.some(one => one.id === Number(call.values['id']) && isOn(one, onOf(call)))
          ? awarded(call, `comment ${call.values['id']}`, call.body.name)
          : notFound(),
    }),
  ];
}

export const gitlabTalkOperations = [
  operation({
    id: 'getApiV4ProjectsIdMembersAll',
    method: 'GET',
    path: new RegExp(`${PROJECT}/members/all$`),
    query: pageQuery,
    body: noBody,
    reply: z.array(userSchema.extend({ access_level: z.int(), expires_at: z.string().nullable() })),
    act: call => {
      const { query = '' } = call.query;
      // As there: it is looked for in names, too.
      const found = [...call.repository.talk.permissions].filter(([username]) => username.includes(query));
      return paged(
        call,
        found.map(([username, may]) => ({
          ...userObject(username),
          access_level: may === 'write' ? 30 : 20,
          expires_at: null,
        })),
      );
    },
  }),
  ...conversationOperations(false),
  ...conversationOperations(true),
  operation({
    id: 'getApiV4ProjectsIdMergeRequestsNoteableIdDiscussions',
    method: 'GET',
    path: new RegExp(`${PROJECT}/merge_requests/(?<iid>\\d+)/discussions$`),
    query: pageQuery,
    body: noBody,
    reply: z.array(z.strictObject({ id: z.string(), individual_note: z.boolean(), notes: z.array(noteSchema) })),
    act: call => paged(call, threads(call)),
  }),
  operation({
    id: 'postApiV4ProjectsIdMergeRequestsNoteableIdDiscussionsDiscussionIdNotes',
    method: 'POST',
    path: new RegExp(`${PROJECT}/merge_requests/(?<iid>\\d+)/discussions/(?<thread>[^/]+)/notes$`),
    query: nothing,
    body: textBody,
    reply: noteSchema,
    act: call => {
      const { talk } = call.repository;
      const on = { number: Number(call.values['iid']), isPull: true };
      const first = talk.comments.find(one => isOn(one, on) && threadOf(one) === call.values['thread']);
      return first
        ? { status: 201, body: noteObject(talk.comment(on, API_USER, call.body.body, first.line)) }
        : notFound();
    },
  }),
];

function paged(
  { query: { page = 1, per_page: size = 20 } }: { query: { page?: number | undefined; per_page?: number | undefined } },
  all: readonly object[],
): EmulatedReply {
  return { status: 200, body: all.slice((page - 1) * size, page * size) };
}

function threads({ repository, values }: Call): object[] {
  const on = { number: Number(values['iid']), isPull: true };
  const byThread = Map.groupBy(
    repository.talk.comments.filter(one => isOn(one, on)),
    threadOf,
  );
  return [...byThread].map(([id, notes]) => ({
    id,
    individual_note: !notes[0]?.line,
    notes: notes.map(noteObject),
  }));
}

function threadOf({ id, line }: EmulatedComment): string {
  return line?.thread.replaceAll('/', '-') ?? `note-${id}`;
}

function awarded({ repository }: Call, target: string, name: string): EmulatedReply {
  const { talk } = repository;
  if (talk.reactionsTo(target).includes(name)) {
    return { status: 404, body: { message: '404 Award Emoji Name has already been taken Not Found' } };
  }
  talk.reactions.push({ target, content: name });
  const body = {
    id: talk.nextId(),
    name,
    user: userObject(API_USER),
    created_at: now(),
    updated_at: now(),
    awardable_id: 1,
    awardable_type: 'Issue',
  };
  return { status: 201, body };
}

function notFound(): EmulatedReply {
  return { status: 404, body: { message: '404 Not found' } };
}

function userObject(username: string): z.input<typeof userSchema> {
  return { id: username.length, username, name: username, state: 'active' };
}

function noteObject({ id, on, by, body, at, updatedAt, line }: EmulatedComment): z.input<typeof noteSchema> {
  return {
    id,
    type: line ? 'DiffNote' : null,
    body,
    author: userObject(by),
    created_at: at,
    updated_at: updatedAt,
    system: false,
    noteable_id: on.number,
    noteable_iid: on.number,
    noteable_type: on.isPull ? 'MergeRequest' : 'Issue',
    resolvable: line !== undefined,
    internal: false,
    confidential: false,
    ...(line ? { position: { new_path: line.path, new_line: line.line } } : {}),
  };
}
