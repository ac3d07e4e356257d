const AT_ONCE = 16;

/**
 * Does something with every item, some at once, and gives the results in order. When one fails, those that were begun are
 * waited for, so that nothing goes on behind the caller's back.
 */
export async function inBatches<Item, Result>(
  items: readonly Item[],
  action: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    const settled = await Promise.allSettled(
      items.slice(start, start + AT_ONCE).map((item, index) => action(item, start + index)),
    );
    for (const one of settled) {
      if (one.status === 'rejected') {
        throw one.reason;
      }
      results.push(one.value);
    }
  }
  return results;
}
