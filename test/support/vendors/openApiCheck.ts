import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { z } from 'zod';

/*
 * Holds what goes over a wire to the vendor's own description of it.
 */

const operationSchema = z.looseObject({
  requestBody: z
    .looseObject({ content: z.record(z.string(), z.looseObject({ schema: z.unknown().optional() })) })
    .optional(),
  parameters: z.array(z.looseObject({ in: z.string(), schema: z.unknown().optional() })).optional(),
  responses: z.record(
    z.string(),
    z.looseObject({
      content: z.record(z.string(), z.looseObject({ schema: z.unknown().optional() })).optional(),
      schema: z.unknown().optional(),
    }),
  ),
});
const documentSchema = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });

export interface Exchange {
  method: string;
  /** As the description has it, without the prefix that the server adds. */
  path: string;
  request: unknown;
  status: number;
  answer: unknown;
}

export type Check = (exchange: Exchange) => string[];

/** @param file below test/fixtures; OpenAPI 3 or Swagger 2 as JSON */
export function openApiCheck(file: string): Check {
  const text = readFileSync(join(import.meta.dirname, '../../fixtures', file), 'utf8');
  const document = documentSchema.parse(JSON.parse(text));
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ ...document, $id: 'api' });
  const compiled = new Map<string, ValidateFunction>();
  const problemsOf = (what: string, schema: unknown, value: unknown): string[] => {
    const validate = compiled.get(what) ?? ajv.compile(withBase(schema));
    compiled.set(what, validate);
    return validate(value)
      ? []
      : (validate.errors ?? []).map(
          error => `${what}${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
        );
  };
  const paths = Object.keys(document.paths)
    // The one with fewer variables wins.
    .sort((one, other) => one.split('{').length - other.split('{').length)
    .map(path => ({ path, pattern: new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`) }));

  return ({ method, path, request, status, answer }) => {
    const found = paths.find(
      entry => entry.pattern.test(path) && method.toLowerCase() in (document.paths[entry.path] ?? {}),
    );
    if (!found) {
      return [`${method} ${path} is not described`];
    }
    const operation = operationSchema.parse(document.paths[found.path]?.[method.toLowerCase()]);
    const name = `${method} ${found.path}`;
    const asked =
      operation.requestBody?.content['application/json']?.schema ??
      operation.parameters?.find(parameter => parameter.in === 'body')?.schema;
    const described = operation.responses[String(status)];
    const given = described?.content?.['application/json']?.schema ?? described?.schema;
    return [
      ...(asked !== undefined && request !== undefined ? problemsOf(`request ${name}`, asked, request) : []),
      // What goes wrong is described for few calls.
      ...(!described && status < 400 ? [`status ${status} of ${name} is not described`] : []),
      ...(given !== undefined && answer !== undefined ? problemsOf(`answer ${status} of ${name}`, given, answer) : []),
    ];
  };
}

function withBase(schema: unknown): object {
  const value: unknown = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/'));
  return typeof value === 'object' && value !== null ? value : {};
}
