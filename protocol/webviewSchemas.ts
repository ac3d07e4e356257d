import * as z from 'zod';
import { messageWaySchema, settingsChangeSchema } from './composing.ts';
import {
  approvalDecisionSchema,
  blobRefSchema,
  messageIdSchema,
  permissionModeSchema,
  sessionIdSchema,
} from './events.ts';
import { imagesSchema } from './images.ts';
import { idPattern } from './ids.ts';
import { pullRequestDeedSchema } from './landingCalls.ts';
import type { RequestParams, WebviewMessage, WebviewMethod } from './webviewApi.ts';

/*
 * What a host accepts from the chat page. Imported by hosts only, never by the page (its bundle has no zod).
 * The page renders hostile text, so nothing it says is believed: unknown methods, fields of another type and oversized
 * values are refused here, before a handler runs.
 */

const ofSession = { sessionId: sessionIdSchema };
const ofMessage = { ...ofSession, messageId: messageIdSchema };
const text = z.string().min(1).max(1_000_000);
const empty = z.object({});
const key = z.string().regex(idPattern('key'));

type ParamSchemas = { [M in WebviewMethod]: z.ZodType<RequestParams<M>> };

const paramSchemas = {
  startSession: z.object({
    prompt: text,
    images: imagesSchema.exactOptional(),
    includeUncommitted: z.boolean(),
    permissionMode: permissionModeSchema,
    model: z.string().min(1).max(200).exactOptional(),
    acceptNoIsolation: z.boolean().exactOptional(),
  }),
  warm: empty,
  chooseRepository: empty,
  send: z.object({
    ...ofSession,
    text,
    key,
    way: messageWaySchema.exactOptional(),
    images: imagesSchema.exactOptional(),
  }),
  unqueue: z.object(ofMessage),
  hurry: z.object({ ...ofMessage, way: z.enum(['steer', 'interrupt']) }),
  findPaths: z.object({ ...ofSession, query: z.string().max(200) }),
  editorMentions: z.object({ query: z.string().max(200) }),
  describeSession: z.object(ofSession),
  configure: settingsChangeSchema.extend(ofSession),
  goBack: z.object({ ...ofSession, turn: z.int().nonnegative() }),
  withdraw: z.object({ key }),
  sendAgain: z.object({ key }),
  stop: z.object(ofSession),
  answer: z.object({
    ...ofSession,
    approvalId: z.string().min(1).max(200),
    decision: approvalDecisionSchema,
    key,
  }),
  retry: z.object(ofSession),
  openChanges: z.object(ofSession),
  openFile: z.object({
    ...ofSession,
    path: z.string().min(1).max(4096),
    itemId: z.string().min(1).max(200).exactOptional(),
  }),
  openPlan: z.object({ ...ofSession, approvalId: z.string().min(1).max(200) }),
  turnAction: z.object({
    ...ofSession,
    turn: z.int().nonnegative(),
    action: z.enum(['restore', 'branch', 'compare', 'openFiles', 'undo']),
  }),
  acceptAll: z.object(ofSession),
  applyChanges: z.object(ofSession),
  createPullRequest: z.object(ofSession),
  pinSession: z.object({ ...ofSession, pinned: z.boolean() }),
  tendPullRequest: z.object({ ...ofSession, deed: z.union([pullRequestDeedSchema, z.literal('updateFromBase')]) }),
  openExternal: z.object({ url: z.string().max(4096) }),
  selectSession: z.object({ sessionId: sessionIdSchema.nullable() }),
  readBlob: z.object({ ...ofSession, hash: blobRefSchema.shape.hash, offset: z.int().nonnegative() }),
  readEvents: z.object({ ...ofSession, after: z.int().nonnegative() }),
  reconnect: empty,
  showLog: empty,
  searchSessions: z.object({ query: z.string().min(1).max(500) }),
  showPlace: z.object({ ...ofSession, itemId: z.string().min(1).max(200).exactOptional() }),
  exportSession: z.object(ofSession),
  insertCode: z.object({ text: z.string().max(1_000_000) }),
  applyCode: z.object({
    text: z.string().max(1_000_000),
    language: z.string().max(100).exactOptional(),
    path: z.string().min(1).max(500).exactOptional(),
  }),
  copy: z.object({ text: z.string().max(10_000_000) }),
  setModelKey: empty,
} satisfies ParamSchemas;

const requestId = z.int().nonnegative();

const readySchema = z.object({
  type: z.literal('ready'),
  sessionId: sessionIdSchema.exactOptional(),
  seq: z.int().nonnegative().exactOptional(),
});
const requestSchema = z.object({ type: z.literal('request'), requestId, method: z.string(), params: z.unknown() });

export type PageMessage =
  | { ok: true; message: WebviewMessage }
  /** `requestId` is there when the page can be told that its request was refused. */
  | { ok: false; requestId?: number; problem: string };

/** Takes what the page posted. Never throws. */
export function parseWebviewMessage(value: unknown): PageMessage {
  const ready = readySchema.safeParse(value);
  if (ready.success) {
    return { ok: true, message: ready.data };
  }
  const request = requestSchema.safeParse(value);
  if (!request.success) {
    return { ok: false, problem: 'The message is neither "ready" nor a request.' };
  }
  const { requestId: id, method, params } = request.data;
  if (!isMethod(method)) {
    return { ok: false, requestId: id, problem: `There is no request "${method.slice(0, 50)}".` };
  }
  return parseRequest(id, method, params);
}

function parseRequest<M extends WebviewMethod>(requestId: number, method: M, params: unknown): PageMessage {
  const schemas: ParamSchemas = paramSchemas;
  const parsed = schemas[method].safeParse(params);
  if (!parsed.success) {
    return { ok: false, requestId, problem: `The request "${method}" is not valid: ${z.prettifyError(parsed.error)}` };
  }
  return { ok: true, message: toRequest(requestId, method, parsed.data) };
}

function toRequest<M extends WebviewMethod>(requestId: number, method: M, params: RequestParams<M>): WebviewMessage {
  const request: { type: 'request'; requestId: number; method: M; params: RequestParams<M> } = {
    type: 'request',
    requestId,
    method,
    params,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the union is made of exactly these pairs
  return request as WebviewMessage;
}

function isMethod(method: string): method is WebviewMethod {
  return Object.hasOwn(paramSchemas, method);
}
