import { strict as assert } from 'node:assert';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { calls } from '../../protocol/calls.ts';
import { isRecord } from '../../protocol/isRecord.ts';
import { startWireServer } from '../support/wireServer.ts';
import { ask } from '../support/wireHttp.ts';
import { syntheticEvent } from '../support/wireSynthetic.ts';

/** The parts of the OpenAPI 3.1 schema that our document uses, strict about what is not among them. */
const PARAMETER = {
  type: 'object',
  required: ['name', 'in', 'schema'],
  properties: {
    name: { type: 'string' },
    in: { enum: ['path', 'query', 'header'] },
    required: { type: 'boolean' },
    schema: { type: ['object', 'boolean'] },
  },
  additionalProperties: false,
  anyOf: [{ properties: { in: { enum: ['query', 'header'] } } }, { properties: { required: { const: true } } }],
};
const CONTENT = {
  type: 'object',
  additionalProperties: { type: 'object', properties: { schema: { type: 'object' } }, additionalProperties: false },
};
const OPERATION = {
  type: 'object',
  required: ['operationId', 'summary', 'responses'],
  properties: {
    operationId: { type: 'string' },
    summary: { type: 'string', minLength: 5 },
    parameters: { type: 'array', items: PARAMETER },
    requestBody: {
      type: 'object',
      required: ['content'],
      properties: { required: { type: 'boolean' }, content: CONTENT },
      additionalProperties: false,
    },
    responses: {
      type: 'object',
      minProperties: 1,
      patternProperties: {
        '^([1-5]\\d\\d|default)$': {
          anyOf: [
            { type: 'object', required: ['$ref'] },
            {
              type: 'object',
              required: ['description'],
              properties: { description: { type: 'string' }, headers: { type: 'object' }, content: CONTENT },
              additionalProperties: false,
            },
          ],
        },
      },
      additionalProperties: false,
    },
    security: { type: 'array' },
  },
  additionalProperties: false,
};
const DOCUMENT = {
  type: 'object',
  required: ['openapi', 'info', 'paths', 'components', 'security'],
  properties: {
    openapi: { const: '3.1.0' },
    info: { type: 'object', required: ['title', 'version'] },
    servers: { type: 'array' },
    security: { type: 'array', minItems: 1 },
    paths: {
      type: 'object',
      patternProperties: {
        '^/': {
          type: 'object',
          properties: { get: OPERATION, post: OPERATION, patch: OPERATION, delete: OPERATION },
          additionalProperties: false,
        },
      },
      additionalProperties: false,
    },
    components: { type: 'object', required: ['schemas', 'securitySchemes', 'responses'] },
  },
  additionalProperties: false,
};

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), value);
}

describe('http: OpenAPI', () => {
  let document: Record<string, unknown>;
  const ajv = new Ajv2020({ strict: false, allErrors: true });

  before(async () => {
    const server = await startWireServer();
    document = (await ask(`${server.url}/v1/openapi.json`)).body;
    await server.close();
  });

  it('is a well-formed document', () => {
    const valid = ajv.validate(DOCUMENT, document);
    assert.ok(valid, JSON.stringify(ajv.errors?.slice(0, 3)));
  });

  it('has every REST call, with the key of those that change something', () => {
    for (const [name, call] of Object.entries(calls)) {
      if ('rest' in call) {
        const operation = at(document, 'paths', call.rest.path, call.rest.method);
        assert.equal(at(operation, 'operationId'), name);
        const parameters = at(operation, 'parameters');
        const hasKey = Array.isArray(parameters) && parameters.some(one => at(one, 'name') === 'Idempotency-Key');
        assert.equal(hasKey, call.mutates, name);
        const inPath = [...call.rest.path.matchAll(/\{(\w+)\}/g)].map(match => match[1]);
        const declared = Array.isArray(parameters) ? parameters.filter(one => at(one, 'in') === 'path') : [];
        assert.deepEqual(
          declared.map(one => at(one, 'name')),
          inPath,
        );
      }
    }
  });

  it('points only to what is there, and every schema compiles', () => {
    const refs = new Set([...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(match => match[1] ?? ''));
    for (const ref of refs) {
      assert.ok(at(document, ...ref.split('/')) !== undefined, ref);
    }
    const schemas = at(document, 'components', 'schemas');
    assert.ok(isRecord(schemas));
    ajv.addSchema(document, 'openapi');
    for (const name of Object.keys(schemas)) {
      assert.ok(ajv.getSchema(`openapi#/components/schemas/${name}`), name);
    }
    const isEvent = ajv.getSchema('openapi#/components/schemas/SessionEvent');
    assert.equal(isEvent?.(syntheticEvent(1, 10)), true, JSON.stringify(isEvent?.errors));
    assert.equal(isEvent?.({ seq: 0, at: 1, body: {} }), false);
  });
});
