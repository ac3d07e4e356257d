import { isRecord } from '../../protocol/isRecord.ts';

/** Names that a recording and its replay give to the same thing: the recorded one first. */
export type Names = Map<string, string>;

const NAME = /^[\w:.-]{8,}$/;
/** What it holds depends on the moment at which it was asked for. */
const MOMENTARY = new Set(['live', 'doing', 'notes']);

/**
 * What a reader of `recorded` would look for in vain in `now`: fields that are gone or have another type, variants that
 * became another one, lists without any element of a kind that was there. More than was recorded is no loss.
 *
 * @param names learns the names that differ
 */
export function missingFrom(recorded: unknown, now: unknown, names: Names, path = '$'): string[] {
  if (recorded === null || now === null) {
    return [];
  }
  if (Array.isArray(recorded)) {
    return Array.isArray(now) ? missingElements(recorded, now, names, path) : [`${path} is no list`];
  }
  if (isRecord(recorded)) {
    return isRecord(now) ? missingFields(recorded, now, names, path) : [`${path} is no object`];
  }
  if (typeof recorded !== typeof now) {
    return [`${path} is a ${typeof now}, was a ${typeof recorded}`];
  }
  if (typeof recorded === 'string' && typeof now === 'string' && recorded !== now && NAME.test(recorded)) {
    names.set(recorded, names.get(recorded) ?? now);
  }
  return [];
}

/** The same with every string that is a known name replaced. */
export function renamed(value: unknown, names: Names): unknown {
  if (typeof value === 'string') {
    return names.get(value) ?? value;
  }
  if (Array.isArray(value)) {
    return value.map(each => renamed(each, names));
  }
  return isRecord(value)
    ? Object.fromEntries(Object.entries(value).map(([field, each]) => [field, renamed(each, names)]))
    : value;
}

function missingFields(
  recorded: Record<string, unknown>,
  now: Record<string, unknown>,
  names: Names,
  path: string,
): string[] {
  const [was, is] = [variantOf(recorded), variantOf(now)];
  if (was !== is) {
    return [`${path} is ${is}, was ${was}`];
  }
  return Object.entries(recorded).flatMap(([field, value]) => {
    // Why something can or cannot be had is another matter on another machine: sandboxes of root have a warning.
    const ofTheMachine = field === 'reason' && typeof recorded['available'] === 'boolean';
    if (MOMENTARY.has(field) || ofTheMachine || value === undefined) {
      return [];
    }
    return Object.hasOwn(now, field)
      ? missingFrom(value, now[field], names, `${path}.${field}`)
      : [`${path}.${field} is missing`];
  });
}

/** Elements are told apart by their variant, and compared in the order of their kind. */
function missingElements(recorded: unknown[], now: unknown[], names: Names, path: string): string[] {
  const seen = new Map<string, number>();
  return recorded.flatMap(element => {
    const variant = variantOf(element);
    const index = seen.get(variant) ?? 0;
    seen.set(variant, index + 1);
    const same = now.filter(other => variantOf(other) === variant);
    const place = `${path}[${variant || index}]`;
    if (same.length === 0) {
      return [`${place} is missing`];
    }
    return index < same.length ? missingFrom(element, same[index], names, place) : [];
  });
}

/** What tells the members of a union apart: `type` or `kind`, of an event also that of its body. */
function variantOf(value: unknown): string {
  if (!isRecord(value)) {
    return '';
  }
  const own = value['type'] ?? value['kind'];
  return typeof own === 'string' ? own : isRecord(value['body']) ? variantOf(value['body']) : '';
}
