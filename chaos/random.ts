/** Numbers from 0 to 1, the same ones for the same seed and labels; other labels give numbers that are unrelated. */
export function randomOf(seed: number, ...labels: number[]): () => number {
  let state = seed >>> 0;
  for (const label of labels) {
    state = mix(state ^ Math.imul(label + 1, 0x9e37_79b9));
  }
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    return mix(state) / 2 ** 32;
  };
}

function mix(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
  return (bits ^ (bits >>> 14)) >>> 0;
}

/** A whole number from `least` to `most`, both possible. */
export function between(random: () => number, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** One of the entries, as often as its weight says against the others. */
export function weighted<T>(random: () => number, entries: readonly (readonly [T, number])[]): T {
  let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of entries) {
    left -= weight;
    if (left < 0) {
      return value;
    }
  }
  const last = entries.at(-1);
  if (!last) {
    throw new RangeError('There is nothing to choose from.');
  }
  return last[0];
}
