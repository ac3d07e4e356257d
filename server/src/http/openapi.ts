import { z } from 'zod';
import { calls } from '../../../protocol/calls.ts';
import { ERROR_CODES } from '../../../protocol/errors.ts';
import { sessionEventSchema } from '../../../protocol/events.ts';
import { isRecord } from '../../../protocol/isRecord.ts';
import { restCalls } from './restRoutes.ts';
import type { RestCall } from './restRoutes.ts';

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of the REST routes, made from the same schemas that check the requests. */
export function openApiDocument(version: string): Json {
  const components: Json = { Problem: PROBLEM };
  const schemaOf = (schema: z.ZodType): Json => hoist(schema, components);
  const paths: Record<string, Json> = structuredClone(FIXED_PATHS);
  for (const call of restCalls) {
    paths[call.path] = { ...paths[call.path], [call.method]: operation(call, schemaOf) };
  }
  schemaOf(sessionEventSchema);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sandpiper relay',
      version,
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'The operations of the relay for scripts. The live wire is the WebSocket at /v1/ws: docs/protocol.md.',
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'The token in relay.json, or one from a redeemed ticket',
        },
      },
      responses: {
        Problem: {
          description: 'The call failed: RFC 9457',
          content: { 'application/problem+json': { schema: ref('Problem') } },
        },
      },
      schemas: components,
    },
  };
}

function operation({ name, method, path }: RestCall, schemaOf: (schema: z.ZodType) => Json): Json {
  const call = calls[name];
  const params = schemaOf(call.params);
  const fields = isRecord(params['properties']) ? params['properties'] : {};
  const required = Array.isArray(params['required']) ? params['required'] : [];
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(match => match[1] ?? '');
  const rest = Object.entries(fields).filter(([field]) => field !== 'key' && !inPath.includes(field));
  const parameters: Json[] = inPath.map(field => ({ name: field, in: 'path', required: true, schema: fields[field] }));
  if (method === 'get') {
    parameters.push(
      ...rest.map(([field, schema]) => ({ name: field, in: 'query', required: required.includes(field), schema })),
    );
  }
  if (call.mutates) {
    parameters.push({ name: 'Idempotency-Key', in: 'header', required: true, schema: fields['key'] });
  }
  if (name === 'session.get') {
    parameters.push({ name: 'If-None-Match', in: 'header', required: false, schema: { type: 'string' } });
  }
  return {
    operationId: name,
    summary: call.summary,
    parameters,
    ...(method === 'get' || rest.length === 0 ? {} : { requestBody: body(rest, required) }),
    responses: responses(name, schemaOf(call.result)),
  };
}

function body(fields: [string, unknown][], required: unknown[]): Json {
  const needed = fields.map(([field]) => field).filter(field => required.includes(field));
  const schema = { type: 'object', properties: Object.fromEntries(fields), required: needed };
  return { required: needed.length > 0, content: { 'application/json': { schema } } };
}

function responses(name: string, schema: Json): Json {
  const content = { 'application/json': { schema } };
  const failed = { default: { $ref: '#/components/responses/Problem' } };
  if (name === 'session.create') {
    const headers = { Location: { description: 'The path of the session', schema: { type: 'string' } } };
    return { 201: { description: 'Created', headers, content }, ...failed };
  }
  if (name === 'session.get') {
    const headers = { ETag: { description: 'The seq of the session, quoted', schema: { type: 'string' } } };
    return { 200: { description: 'Done', headers, content }, 304: { description: 'Not changed' }, ...failed };
  }
  return { 200: { description: 'Done', content }, ...failed };
}

/** The JSON Schema of one zod schema; named parts go to the components. */
function hoist(schema: z.ZodType, components: Json): Json {
  const made = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const { $schema: _dialect, $defs: definitions, ...rest } = pointToComponents(made);
  for (const [id, definition] of Object.entries(isRecord(definitions) ? definitions : {})) {
    components[id] = definition;
  }
  // A schema that is named itself comes inline, with its name as `id`.
  if (typeof rest['id'] === 'string') {
    const { id, ...named } = rest;
    components[rest['id']] = named;
    return ref(String(id));
  }
  return rest;
}

function pointToComponents(schema: unknown): Json {
  const text = JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/');
  const copy: unknown = JSON.parse(text, (key, value: unknown) => {
    // The name repeated inside a definition means nothing in JSON Schema.
    if (isRecord(value) && key !== '' && typeof value['id'] === 'string' && !('$ref' in value)) {
      const { id: _id, ...named } = value;
      return named;
    }
    return value;
  });
  return isRecord(copy) ? copy : {};
}

function ref(id: string): Json {
  return { $ref: `#/components/schemas/${id}` };
}

const PROBLEM: Json = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'retryable'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What happened and why' },
    instance: { type: 'string' },
    code: { type: 'string', enum: Object.keys(ERROR_CODES) },
    retryable: { type: 'boolean', description: 'The same call may succeed later without anything being changed' },
    hint: { type: 'string', description: 'What to do next' },
    details: { type: 'object' },
  },
};

const failed = { default: { $ref: '#/components/responses/Problem' } };
const sessionParameter = { name: 'sessionId', in: 'path', required: true, schema: ref('SessionId') };

function issued(field: string): Json {
  const properties = { [field]: { type: 'string' }, expiresAt: { type: 'number' } };
  return { 'application/json': { schema: { type: 'object', required: [field, 'expiresAt'], properties } } };
}

/** Routes that are no calls. */
const FIXED_PATHS: Record<string, Json> = {
  '/livez': {
    get: {
      operationId: 'livez',
      summary: 'The process answers; depends on nothing',
      security: [],
      responses: { 200: { description: 'Alive' } },
    },
  },
  '/readyz': {
    get: {
      operationId: 'readyz',
      summary: 'The relay can work: its store reads and writes',
      responses: { 200: { description: 'Ready' }, ...failed },
    },
  },
  '/v1/openapi.json': {
    get: { operationId: 'openapi', summary: 'This document', responses: { 200: { description: 'OpenAPI 3.1' } } },
  },
  '/v1/tickets': {
    post: {
      operationId: 'tickets.issue',
      summary: 'A one-time ticket, valid for 60 s, with which a browser gets in; needs the token of the relay itself',
      responses: { 201: { description: 'Issued', content: issued('ticket') }, ...failed },
    },
  },
  '/v1/tickets/redeem': {
    post: {
      operationId: 'tickets.redeem',
      summary: 'Exchange a ticket for a browser token, valid for 12 h or until the relay restarts',
      security: [],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: { type: 'object', required: ['ticket'], properties: { ticket: { type: 'string' } } },
          },
        },
      },
      responses: { 201: { description: 'Issued', content: issued('token') }, ...failed },
    },
  },
  '/v1/sessions/{sessionId}/events/stream': {
    get: {
      operationId: 'session.stream',
      summary: 'The log as Server-Sent Events: the rest after a seq, then what happens',
      parameters: [
        sessionParameter,
        { name: 'after', in: 'query', required: false, schema: { type: 'integer', minimum: 0 } },
        { name: 'deltas', in: 'query', required: false, schema: { type: 'string', enum: ['0', '1'] } },
        { name: 'Last-Event-ID', in: 'header', required: false, schema: { type: 'integer', minimum: 0 } },
      ],
      responses: {
        200: {
          description: 'One SessionEvent a message, `id` is its seq; `event: delta` for text that is being written',
          content: { 'text/event-stream': { schema: { type: 'string' } } },
        },
        ...failed,
      },
    },
  },
  '/v1/sessions/{sessionId}/blobs/{hash}': {
    get: {
      operationId: 'blob.get',
      summary: 'A payload that stands outside the log; ranges are honoured',
      parameters: [
        sessionParameter,
        { name: 'hash', in: 'path', required: true, schema: { type: 'string', pattern: '^[0-9a-f]{64}$' } },
        { name: 'Range', in: 'header', required: false, schema: { type: 'string' } },
      ],
      responses: {
        200: { description: 'The blob', content: { 'application/octet-stream': {} } },
        206: { description: 'The part asked for', content: { 'application/octet-stream': {} } },
        416: { description: 'The range lies outside the blob' },
        ...failed,
      },
    },
  },
};
