import { z } from 'zod';
import { calls } from '../../../protocol/calls.ts';
import type { CallName } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { isRecord } from '../../../protocol/isRecord.ts';

export interface RestRequest {
  path: Readonly<Record<string, unknown>>;
  query: Readonly<Record<string, unknown>>;
  /** Parsed JSON; undefined when there was none. */
  body: unknown;
  idempotencyKey: string | undefined;
}

/** Makes the parameters of a call from the parts of a request, for `checkParams` to check. */
export type ParamsReader = (request: RestRequest) => Record<string, unknown>;

/** What stands where is decided by the call's own schema: GET takes its parameters from the query, the rest from the body. */
export function paramsReader(name: CallName, method: string): ParamsReader {
  const { mutates } = calls[name];
  let known: Map<string, unknown> | undefined;
  const isRead = method === 'get';
  return request => {
    // Not before the first request: a start of the relay has nothing to do with it.
    const types = (known ??= fieldTypes(name));
    const given = isRead ? fromQuery(request.query, types) : fromBody(name, request.body);
    const unknown = [...Object.keys(given), ...(isRead ? [] : Object.keys(request.query))].find(
      field => field === 'key' || !types.has(field) || (!isRead && Object.hasOwn(request.query, field)),
    );
    if (unknown !== undefined) {
      throw new SandpiperError(
        'invalid_params',
        `${name} takes no ${isRead ? 'query' : 'body'} field "${unknown.slice(0, 60)}".`,
        {
          hint: mutates && unknown === 'key' ? 'Send the key in the header Idempotency-Key.' : 'See /v1/openapi.json.',
          details: { issues: [{ path: unknown.slice(0, 60), message: 'unknown field' }] },
        },
      );
    }
    return { ...given, ...request.path, ...(mutates ? { key: requireKey(name, request.idempotencyKey) } : {}) };
  };
}

function requireKey(name: CallName, header: string | undefined): string {
  // The header is a structured string by its draft, and bare in the wild.
  const key = header?.trim().replace(/^"(.*)"$/, '$1');
  if (!key) {
    throw new SandpiperError('invalid_params', `${name} changes something and needs the header Idempotency-Key.`, {
      hint: 'Make a random one for each intent and send the same one when you try again.',
      details: { issues: [{ path: 'Idempotency-Key', message: 'missing' }] },
    });
  }
  return key;
}

function fromBody(name: CallName, body: unknown): Record<string, unknown> {
  if (body === undefined) {
    return {};
  }
  if (!isRecord(body)) {
    throw new SandpiperError('invalid_params', `The body of ${name} must be a JSON object.`);
  }
  return body;
}

function fromQuery(query: RestRequest['query'], types: ReadonlyMap<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(query).map(([field, text]) => [
      field,
      typeof text === 'string' ? coerce(text, types.get(field)) : text,
    ]),
  );
}

/** Text that is no such value stays text, and the schema says so. */
function coerce(text: string, type: unknown): unknown {
  if ((type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?$/.test(text)) {
    return Number(text);
  }
  if (type === 'boolean' && (text === 'true' || text === 'false')) {
    return text === 'true';
  }
  return text;
}

function fieldTypes(name: CallName): Map<string, unknown> {
  const { properties } = z.toJSONSchema(calls[name].params, { io: 'input', unrepresentable: 'any' });
  return new Map(
    Object.entries(properties ?? {}).map(([field, schema]) => [field, isRecord(schema) ? schema['type'] : undefined]),
  );
}
