/* Apart from what speaks JSON-RPC, which a page inside VS Code does not load. */

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
