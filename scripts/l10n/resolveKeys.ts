/** A manifest as VS Code shows it: every `%key%` replaced by its text. A key without a text stays as it is. */
export function resolveKeys(value: unknown, texts: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string') {
    const key = /^%(.+)%$/.exec(value)?.[1];
    return key === undefined ? value : (texts[key] ?? value);
  }
  if (Array.isArray(value)) {
    return value.map(each => resolveKeys(each, texts));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolveKeys(each, texts)]));
  }
  return value;
}
