/**
 * So much in so much time: `120/1m`, `2GiB/1h`.
 *
 * What was used is remembered as one instant: the moment at which all of it will have been worked off
 * at the allowed pace. That costs one number for each rate and client, needs no timer, and stays
 * right when the rate is changed meanwhile. A client that was quiet may use the whole allowance at
 * once; after that it gets more as time passes.
 */

import { formatDuration, formatSize } from '../time.ts'

export type Rate = { readonly amount: number; readonly seconds: number }

/** Is there room for so much more? With an amount of 0: has anything been left of the allowance? */
export function hasRoom(rate: Rate, workedOffAt: number, amount: number, now: number): boolean {
  const debt = Math.max(workedOffAt - now, 0)
  const allowance = rate.seconds * 1000
  return amount === 0 ? debt < allowance : debt + amount * millisecondsEach(rate) <= allowance + ROUNDING
}

/** How much later everything will be worked off when so much more is used. */
export function costOf(rate: Rate, amount: number): number {
  return amount * millisecondsEach(rate)
}

/** As it is written in postern.toml. */
export function formatRate({ amount, seconds }: Rate, isOctets: boolean): string {
  return `${isOctets ? formatSize(amount) : amount}/${formatDuration(seconds)}`
}

function millisecondsEach(rate: Rate): number {
  return (rate.seconds * 1000) / rate.amount
}

/** A thousandth of a millisecond: sums of thirds must not end a hair above the whole. */
const ROUNDING = 1e-3
