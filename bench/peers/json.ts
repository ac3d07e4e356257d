import { isRecord } from '../../protocol/isRecord.ts';

/** What stands at a place in a value that came as JSON, or undefined. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value;
  for (const part of path) {
    if (typeof part === 'number') {
      found = Array.isArray(found) ? found[part] : undefined;
    } else {
      found = isRecord(found) ? found[part] : undefined;
    }
  }
  return found;
}

/** @throws when there is no text at this place */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  if (typeof found !== 'string') {
    throw new Error(`There is no text at ${path.join('.')} of ${JSON.stringify(value)?.slice(0, 300)}.`);
  }
  return found;
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One HTTP call with JSON both ways. */
export async function callJson(
  url: string,
  options: { method?: string; body?: unknown; token?: string } = {},
): Promise<unknown> {
  const { method = options.body === undefined ? 'GET' : 'POST', body, token } = options;
  const response = await fetch(url, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(60_000),
  });
  return parsed(await response.text());
}
