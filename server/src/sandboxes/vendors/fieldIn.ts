/** A text of an error's body that may be JSON, or anything. */
export function fieldIn(body: string, name: string): string | undefined {
  try {
    const value: unknown = JSON.parse(body);
    const field: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
    return typeof field === 'string' ? field : undefined;
  } catch {
    return undefined;
  }
}
