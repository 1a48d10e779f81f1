// Work on many files at once, but not on all of them.

/** Open files at the same time; enough to keep a disk busy and far below every limit. */
const atOnce = 16;

/** Calls `act` for every item, a few at a time, and ends with the first error after those under way have ended. */
export async function forEachBounded<T>(
  items: readonly T[],
  act: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (!failed && next < items.length) {
      const index = next;
      next += 1;
      try {
        await act(items[index] as T, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  for (const result of workers) if (result.status === 'rejected') throw result.reason;
}
