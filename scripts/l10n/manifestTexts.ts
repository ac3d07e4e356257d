/** The keys of the manifest under which a person reads text. */
const READ = new Set(
  (
    'title shortTitle category label contents displayName fullName userDescription description ' +
    'markdownDescription enumDescriptions markdownEnumDescriptions deprecationMessage placeholder'
  ).split(' '),
);
/** A name is the same in every language, and what a model reads is not for people. */
const NAME = 'Sandpiper';
const FOR_MODELS = new Set(['modelDescription', 'inputSchema']);

/** Where a part of the manifest has a text itself instead of naming one of package.nls.json, as `commands.3.title`. */
export function literalTexts(part: unknown, path = '', isRead = false): string[] {
  if (typeof part === 'string') {
    return isRead && part !== NAME && !/^%[^%]+%$|^\$\{\w+\}$/.test(part) ? [path] : [];
  }
  if (typeof part !== 'object' || part === null) {
    return [];
  }
  const inList = Array.isArray(part);
  return Object.entries(part).flatMap(([key, value]) =>
    FOR_MODELS.has(key) ? [] : literalTexts(value, path ? `${path}.${key}` : key, inList ? isRead : READ.has(key)),
  );
}
