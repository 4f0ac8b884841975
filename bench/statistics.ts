/** Middle and edge of a list of measurements. */

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The smallest value that at least this part of all values does not exceed; for an even count, the median is the mean of the middle two. */
export function quantile(values: readonly number[], part: number): number {
  if (values.length === 0) return Number.NaN
  const sorted = [...values].sort((a, b) => a - b)
  const at = (index: number): number => sorted[Math.min(sorted.length - 1, Math.max(0, index))] ?? Number.NaN
  if (part === 0.5 && sorted.length % 2 === 0) return (at(sorted.length / 2 - 1) + at(sorted.length / 2)) / 2
  return at(Math.ceil(part * sorted.length) - 1)
}
