export interface Summary {
  count: number;
  least: number;
  median: number;
  p95: number;
  most: number;
}

/** @throws RangeError without samples */
export function summarize(samples: readonly number[]): Summary {
  return {
    count: samples.length,
    least: quantile(samples, 0),
    median: median(samples),
    p95: quantile(samples, 0.95),
    most: quantile(samples, 1),
  };
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/**
 * Linear between the two nearest samples (definition 7 of Hyndman and Fan, the usual one of R and NumPy).
 *
 * @param share 0 for the least, 1 for the most
 * @throws RangeError without samples
 */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const rank = share * (sorted.length - 1);
  const below = sorted[Math.floor(rank)];
  const above = sorted[Math.ceil(rank)];
  if (below === undefined || above === undefined) throw new RangeError('a quantile of no samples');
  return below + (above - below) * (rank - Math.floor(rank));
}

/**
 * How many times `other` one thing takes: the median of the ratios within each round. Rounds measure both right after
 * each other, so what slows the machine for a while slows both and leaves the ratio alone.
 *
 * @throws RangeError when the two have not the same number of samples, or none
 */
export function pairedRatio(one: readonly number[], other: readonly number[]): number {
  if (one.length !== other.length) throw new RangeError('pairs need as many samples of one as of the other');
  return median(one.map((value, round) => value / (other[round] ?? NaN)));
}
