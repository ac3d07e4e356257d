import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type AnySchemaObject, type ValidateFunction } from 'ajv';

export interface SpecOperation {
  operationId: string;
  parameters?: { name: string; in: string; schema: AnySchemaObject }[];
  requestBody?: { required?: boolean; content: Record<string, { schema: AnySchemaObject }> };
  responses: Record<string, { content?: Record<string, { schema: AnySchemaObject }> }>;
}

interface Spec {
  paths: Record<string, Record<string, SpecOperation>>;
  components: Record<string, Record<string, AnySchemaObject>>;
}

const FILE = join(import.meta.dirname, '../../fixtures/github/openapi-slice.json');
const FORMATS = {
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/,
  uri: /^https?:\/\/\S+$/,
  email: /^\S+@\S+$/,
};

let shared: GithubSpec | undefined;

/** The description, read once: its validators cost more than anything else that an emulator does. */
export function githubSpec(): GithubSpec {
  shared ??= new GithubSpec();
  return shared;
}

/** GitHub's published description: what a request may be, and what an answer must be. Validators are made when needed. */
class GithubSpec {
  readonly #spec: Spec;
  readonly #ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false, logger: false, formats: FORMATS });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor() {
    this.#spec = inlineComponents(toJsonSchema(JSON.parse(readFileSync(FILE, 'utf8'))));
    for (const [name, schema] of Object.entries(this.#spec.components['schemas'] ?? {})) {
      this.#ajv.addSchema(schema, `schema:${name}`);
    }
  }

  /** The operation of a request, with the values of its path. Fixed paths win over those with parameters. */
  match(method: string, path: string): { operation: SpecOperation; values: Record<string, string> } | undefined {
    for (const [template, item] of Object.entries(this.#spec.paths)) {
      const pattern = template.replace(/[.]/g, '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
      const found = new RegExp(`^${pattern}$`).exec(path);
      const operation = item[method.toLowerCase()];
      if (found && operation) {
        return { operation, values: { ...found.groups } };
      }
    }
    return undefined;
  }

  /** What is wrong with a request: types, and names that GitHub does not know. */
  checkRequest(operation: SpecOperation, query: URLSearchParams, body: unknown): string[] {
    const parameters = operation.parameters ?? [];
    const unknownQuery = [...query.keys()].filter(
      name => !parameters.some(parameter => parameter.in === 'query' && parameter.name === name),
    );
    const problems = unknownQuery.map(name => `query ${name} is unknown`);
    const schema = operation.requestBody?.content['application/json']?.schema;
    if (!schema) {
      return body === undefined ? problems : [...problems, 'this operation takes no body'];
    }
    const value = body ?? {};
    const unknownFields = Object.keys(value).filter(name => !Object.hasOwn(schema['properties'] ?? {}, name));
    problems.push(...unknownFields.map(name => `body ${name} is unknown`));
    return [...problems, ...this.#check(`${operation.operationId} request`, schema, value)];
  }

  /** What is wrong with an answer. Errors that an operation does not list have GitHub's common form. */
  checkReply(operation: SpecOperation, status: number, body: unknown): string[] {
    const listed = operation.responses[String(status)];
    if (!listed) {
      return status >= 400
        ? this.#check('error', { $ref: 'schema:basic-error' }, body)
        : [`status ${status} is unknown`];
    }
    const schema = listed.content?.['application/json']?.schema;
    return schema ? this.#check(`${operation.operationId} ${status}`, schema, body) : [];
  }

  #check(name: string, schema: AnySchemaObject, value: unknown): string[] {
    const validate = this.#validators.get(name) ?? this.#ajv.compile(schema);
    this.#validators.set(name, validate);
    return validate(value)
      ? []
      : (validate.errors ?? []).map(error => `${name}: ${error.instancePath} ${error.message}`);
  }
}

/** OpenAPI 3.0 says `nullable` where JSON Schema says `null`, also beside a reference. */
function toJsonSchema(spec: Spec): Spec {
  return JSON.parse(JSON.stringify(spec), (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return value;
    }
    const { nullable, ...schema }: { nullable?: unknown; $ref?: unknown } = value;
    if (typeof schema.$ref === 'string') {
      schema.$ref = schema.$ref.replace('#/components/schemas/', 'schema:');
    }
    return nullable === true ? { anyOf: [schema, { type: 'null' }] } : schema;
  });
}

/** Puts parameters and responses where they are referred to; schemas stay references. */
function inlineComponents(spec: Spec): Spec {
  return JSON.parse(JSON.stringify(spec), (_, value: unknown) => {
    const reference = typeof value === 'object' && value !== null && '$ref' in value ? value.$ref : undefined;
    const [, kind, name] = /^#\/components\/(\w+)\/(.+)$/.exec(typeof reference === 'string' ? reference : '') ?? [];
    return kind === undefined || name === undefined ? value : spec.components[kind]?.[name];
  });
}
