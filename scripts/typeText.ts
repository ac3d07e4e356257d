import { z } from 'zod';
import { isRecord } from '../protocol/isRecord.ts';

type Json = Record<string, unknown>;

/**
 * A schema as TypeScript, for readers. Parts that have a name are put into `named` and only named in the text.
 * Descriptions become comments.
 */
export function typeText(schema: z.ZodType, named: Map<string, string>): string {
  const { $defs: definitions, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  for (const [name, definition] of Object.entries(definitions ?? {})) {
    if (isRecord(definition)) {
      named.set(name, definitionText(definition));
    }
  }
  if (typeof json.id === 'string') {
    named.set(json.id, definitionText(json));
    return json.id;
  }
  return text(json, 0);
}

function definitionText(schema: Json): string {
  const note = noteOf(schema);
  return `${text({ ...schema, id: undefined }, 0)};${note === '' ? '' : ` // ${note}`}`;
}

function text(schema: unknown, depth: number): string {
  if (!isRecord(schema)) {
    return 'unknown';
  }
  if (typeof schema['$ref'] === 'string') {
    return schema['$ref'].split('/').at(-1) ?? 'unknown';
  }
  if (typeof schema['id'] === 'string') {
    return schema['id'];
  }
  if ('const' in schema) {
    return literal(schema['const']);
  }
  if (Array.isArray(schema['enum'])) {
    return schema['enum'].map(literal).join(' | ');
  }
  const union = schema['oneOf'] ?? schema['anyOf'];
  if (Array.isArray(union)) {
    return union.map(option => text(option, depth)).join(' | ');
  }
  return plain(schema, depth);
}

function plain(schema: Json, depth: number): string {
  switch (schema['type']) {
    case 'object':
      return objectText(schema, depth);
    case 'array': {
      const item = text(schema['items'], depth);
      return /^\w+$/.test(item) || item.startsWith('{') ? `${item}[]` : `(${item})[]`;
    }
    case 'integer':
      return 'number';
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return schema['type'];
    default:
      return 'unknown';
  }
}

function objectText(schema: Json, depth: number): string {
  const properties = isRecord(schema['properties']) ? schema['properties'] : undefined;
  if (!properties) {
    const values = schema['additionalProperties'];
    return isRecord(values) ? `Record<string, ${text(values, depth)}>` : 'object';
  }
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const indent = '  '.repeat(depth + 1);
  const lines = Object.entries(properties).map(([name, value]) => {
    const note = isRecord(value) ? noteOf(value) : '';
    const optional = required.includes(name) ? '' : '?';
    return `${indent}${name}${optional}: ${text(value, depth + 1)};${note === '' ? '' : ` // ${note}`}`;
  });
  return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${'  '.repeat(depth)}}`;
}

/** What a type cannot say: bounds, defaults, meaning. */
function noteOf(schema: Json): string {
  const bounds = [
    ['minimum', 'at least'],
    ['exclusiveMinimum', 'above'],
    ['maximum', 'at most'],
    ['exclusiveMaximum', 'below'],
    ['minLength', 'from'],
    ['maxLength', 'up to'],
    ['pattern', 'matches'],
    ['default', 'default'],
  ] as const;
  const parts = bounds.flatMap(([key, word]) => {
    const value = schema[key];
    const isTrivial = Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
    const unit = key === 'minLength' || key === 'maxLength' ? ' characters' : '';
    return value === undefined || isTrivial
      ? []
      : [`${word} ${typeof value === 'string' && key !== 'default' ? value : literal(value)}${unit}`];
  });
  const integer = schema['type'] === 'integer' ? ['whole'] : [];
  const description = typeof schema['description'] === 'string' ? [schema['description']] : [];
  return [...description, ...integer, ...parts].join('; ');
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}
