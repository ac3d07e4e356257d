import { SandpiperError } from '../../../../protocol/errors.ts';
import type { EventBody } from '../../../../protocol/events.ts';
import type { SessionSummary } from '../../../../protocol/session.ts';

/*
 * JSON that this relay wrote after it had checked it: only enough is looked at here to tell it from damage. Events of a
 * type that this version does not know pass, as readers ignore those.
 */

export function parseEventBody(text: string): EventBody {
  const value = parse(text);
  if (!isEventBody(value)) {
    throw damaged('an event');
  }
  return value;
}

export function parseSummary(text: string): SessionSummary {
  const value = parse(text);
  if (!isSummary(value)) {
    throw damaged('a session');
  }
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isEventBody(value: unknown): value is EventBody {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function isSummary(value: unknown): value is SessionSummary {
  return typeof value === 'object' && value !== null && 'id' in value && 'updatedAt' in value;
}

function damaged(what: string): SandpiperError {
  return new SandpiperError('internal', `The store holds something in the place of ${what}.`, {
    hint: 'The database is damaged. Run `sandpiper doctor --deep` to see where, and restore a backup.',
  });
}
