import fc from 'fast-check';
import * as z from 'zod';
import { eventBodySchema } from '../../protocol/events.ts';
import type { EventBody, SessionEvent } from '../../protocol/events.ts';
import { isRecord } from '../../protocol/isRecord.ts';
import { anySpec } from './specArbitrary.ts';
import { CREATED } from './wireSource.ts';

/*
 * Logs made from the schemas of the events, so that a new event is in every property at once. Names come from small pools,
 * so that events speak of the same things; steps that belong together come together, so that deep states are reached.
 */

const document: Record<string, unknown> = z.toJSONSchema(eventBodySchema, { unrepresentable: 'any' });
const definitions = recordAt(document, '$defs');

/** What the same name means everywhere. */
const POOLS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  messageId: pool(1, 2, 3, 4).map(n => `msg_${String(n).repeat(26)}`),
  commentId: pool(1, 2, 3).map(n => `cmt_${String(n).repeat(26)}`),
  toolId: pool('t1', 't2', 't3', 't4'),
  parentToolId: pool('t1', 't2'),
  itemId: pool('i1', 'i2', 'i3'),
  approvalId: pool('a1', 'a2', 'a3', 'spec:2:1:1.1', 'spec:3:1:1.1'),
  path: pool('a.ts', 'b.ts', 'c/d.ts'),
  turn: pool(1, 2, 3),
  segment: pool(1, 2),
  tag: pool('ui', 'docs', 'Größe'),
  url: pool('https://forge.example/issues/1', 'http://localhost:3000/a?b=c'),
  RuleText: pool('Edit', 'Bash(npm test:*)'),
  // Names of events that went before.
  restore: pool(2, 3, 4, 5, 6, 7, 8),
  update: pool(2, 3, 4, 5, 6, 7, 8),
  undoes: pool(2, 3, 4, 5, 6, 7, 8),
  work: pool(2, 3, 4, 5, 6, 7, 8),
  round: pool(1, 2),
  check: pool('1.1', '1.2', '2.1'),
  // Its texts have a grammar of their own.
  document: anySpec,
};

/** Any event, for itself. */
export const anyBody: fc.Arbitrary<EventBody> = asBody(
  fc.oneof(...listAt(document, 'oneOf').map(schema => arbitraryOf(schema, ''))),
);

const typed = (type: EventBody['type']): fc.Arbitrary<EventBody> =>
  asBody(
    fc.oneof(
      ...listAt(document, 'oneOf')
        .filter(schema => recordAt(recordAt(schema, 'properties'), 'type')['const'] === type)
        .map(schema => arbitraryOf(schema, '')),
    ),
  );

/** What a relay writes one after the other. */
const STRETCHES: readonly (readonly EventBody['type'][])[] = [
  ['messageQueued', 'messageSent', 'turnStarted', 'messageTaken'],
  ['turnStarted', 'stopRequested'],
  ['toolStarted', 'approvalAsked'],
  ['approvalAsked', 'approvalAnswered', 'toolFinished'],
  ['agentFinished', 'turnFinished'],
  ['agentEnded', 'recoveryStarted', 'agentStarted'],
  ['stuckNoticed', 'recoveryStarted', 'recoveryEnded'],
  ['reviewDecided', 'reviewDecided'],
  ['restoreStarted', 'restoreFinished'],
  ['baseUpdateStarted', 'baseUpdated'],
  ['moveStarted', 'sandboxReady', 'sessionMoved'],
  ['sandboxLost', 'preparing', 'agentStarted'],
  ['specWorkStarted', 'specRoundStarted', 'specChecked', 'specTurnAsked'],
  ['approvalAsked', 'approvalAnswered', 'specWorkEnded'],
];

const stretch = fc.oneof(
  { weight: 3, arbitrary: anyBody.map(body => [body]) },
  { weight: 2, arbitrary: fc.oneof(...STRETCHES.map(types => fc.tuple(...types.map(typed)))) },
);

/** A whole log, from its first event. */
export const anyLog: fc.Arbitrary<SessionEvent[]> = fc
  .array(stretch, { maxLength: 25 })
  .map(stretches =>
    [CREATED, ...stretches.flat()].map((body, index) => ({ seq: index + 1, at: (index + 1) * 1000, body })),
  );

function asBody(arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<EventBody> {
  // As it comes off the wire: no field that is named but undefined.
  return arbitrary.map(value => eventBodySchema.parse(JSON.parse(JSON.stringify(value))));
}

function arbitraryOf(schema: Record<string, unknown>, name: string): fc.Arbitrary<unknown> {
  const known = Object.hasOwn(POOLS, name) ? POOLS[name] : undefined;
  if (known) {
    return known;
  }
  if (typeof schema['$ref'] === 'string') {
    const definition = schema['$ref'].replace('#/$defs/', '');
    return arbitraryOf(recordAt(definitions, definition), Object.hasOwn(POOLS, definition) ? definition : name);
  }
  if ('const' in schema) {
    return fc.constant(schema['const']);
  }
  if (Array.isArray(schema['enum'])) {
    return fc.constantFrom(...schema['enum']);
  }
  const choices = [...listAt(schema, 'oneOf'), ...listAt(schema, 'anyOf')];
  if (choices.length > 0) {
    return fc.oneof(...choices.map(choice => arbitraryOf(choice, name)));
  }
  return ofType(schema, name);
}

function ofType(schema: Record<string, unknown>, name: string): fc.Arbitrary<unknown> {
  switch (schema['type']) {
    case 'object':
      return objectOf(schema);
    case 'array':
      return fc.array(arbitraryOf(recordAt(schema, 'items'), name.replace(/s$/, '')), {
        minLength: Number(schema['minItems'] ?? 0),
        maxLength: 3,
      });
    case 'string':
      return typeof schema['pattern'] === 'string'
        ? digits(schema['pattern'])
        : // Some texts are trimmed before they are looked at.
          fc
            .string({ maxLength: 12 })
            // A heading has a meaning in a spec, and space around a text has none.
            .map(text => text.replaceAll('#', '-').trim())
            .map(text => (schema['minLength'] === undefined ? text : `x${text}`));
    case 'integer':
    case 'number':
      return fc.integer({
        min: Math.max('exclusiveMinimum' in schema ? 1 : 0, Number(schema['minimum'] ?? 0)),
        max: 9,
      });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      throw new Error(`No values are known for ${JSON.stringify(schema)}.`);
  }
}

function objectOf(schema: Record<string, unknown>): fc.Arbitrary<unknown> {
  const properties = recordAt(schema, 'properties');
  if (Object.keys(properties).length === 0 && isRecord(schema['additionalProperties'])) {
    return fc.dictionary(fc.string({ maxLength: 5 }), arbitraryOf(schema['additionalProperties'], ''), { maxKeys: 2 });
  }
  const required: unknown = schema['required'];
  return fc.record(
    Object.fromEntries(Object.keys(properties).map(key => [key, arbitraryOf(recordAt(properties, key), key)])),
    { requiredKeys: Array.isArray(required) ? required : [] },
  );
}

/** A few texts that fit a pattern; ids and commits are made of one digit. */
function digits(pattern: string): fc.Arbitrary<string> {
  const expression = new RegExp(pattern, 'u');
  const prefix = /^\^([a-z]+_)/.exec(pattern)?.[1] ?? '';
  const fitting = [1, 2, 3].flatMap(digit =>
    [26, 40, 64]
      .map(length => prefix + String(digit).repeat(length))
      .filter(text => expression.test(text))
      .slice(0, 1),
  );
  return fitting.length > 0 ? fc.constantFrom(...fitting) : fc.stringMatching(expression);
}

function pool<T>(...values: T[]): fc.Arbitrary<T> {
  return fc.constantFrom(...values);
}

function recordAt(value: Record<string, unknown>, key: string): Record<string, unknown> {
  const found = value[key];
  return isRecord(found) ? found : {};
}

function listAt(value: Record<string, unknown>, key: string): Record<string, unknown>[] {
  const found = value[key];
  return Array.isArray(found) ? found.filter(isRecord) : [];
}
