import type { SpecDocument } from '../../../protocol/specCalls.ts';
import { checksOf } from '../../../protocol/specChecks.ts';
import { readSpec } from '../../../protocol/specText.ts';
import type { SpecRow } from '../store/store.ts';
import type { Dependencies } from './dependencies.ts';

/**
 * Tells all clients what a spec is now. It is read anew, so that of two changes at once the last that is told is the last
 * that was written. What was changed stays changed when nobody could be told.
 */
export async function tellSpec(
  { store, specNews, log }: Pick<Dependencies, 'store' | 'specNews' | 'log'>,
  specId: string,
): Promise<void> {
  try {
    const row = await store.readSpec(specId);
    if (row) {
      specNews.tell(documentOf(row));
    }
  } catch (error) {
    log.log('warn', 'session', `Nobody was told of a change of a spec: ${String(error)}`, { specId });
  }
}

export function documentOf({ specId, revision, title, text, at, createdAt, removed }: SpecRow): SpecDocument {
  const { spec, problems } = readSpec(text);
  return {
    specId,
    revision,
    title,
    at,
    createdAt,
    removed,
    items: spec?.items.length ?? 0,
    checks: spec ? checksOf(spec).length : 0,
    problems,
  };
}
