import { SandpiperError, toError } from '../../../protocol/errors.ts';
import { isRecord } from '../../../protocol/isRecord.ts';

/* JSON of others: an object, no deeper than what is looked into. Pure. */

const MAX_DEPTH = 32;

/** @throws `invalid_request` when it is not JSON, no object or nested too deeply */
export function parseBounded(text: string): Record<string, unknown> {
  // Before it is parsed: what follows walks through it and may do so by recursion.
  if (depthOf(text) > MAX_DEPTH) {
    throw new SandpiperError('invalid_request', `The webhook is nested more than ${MAX_DEPTH} deep.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SandpiperError('invalid_request', `The webhook is not JSON: ${toError(error).message}.`);
  }
  if (!isRecord(value)) {
    throw new SandpiperError('invalid_request', 'The webhook is no JSON object.');
  }
  return value;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quoted) {
      at += char === '\\' ? 1 : 0;
      quoted = char !== '"';
    } else if (char === '"') {
      quoted = true;
    } else if (char === '{' || char === '[') {
      deepest = Math.max(deepest, ++depth);
    } else if (char === '}' || char === ']') {
      depth--;
    }
  }
  return deepest;
}

/** A field by its path, `alerts.0.labels.name`; undefined when there is none. Only what the object itself has counts. */
export function fieldAt(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>(member, value);
}

function member(value: unknown, name: string): unknown {
  if (Array.isArray(value)) {
    return /^\d{1,6}$/.test(name) ? value[Number(name)] : undefined;
  }
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** The same with every text in it changed. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') {
    return change(value);
  }
  if (Array.isArray(value)) {
    return value.map(item => mapTexts(item, change));
  }
  return isRecord(value)
    ? Object.fromEntries(Object.entries(value).map(([name, item]) => [change(name), mapTexts(item, change)]))
    : value;
}
