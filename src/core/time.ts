/**
 * Durations and sizes as people write them: a whole number and a unit.
 *
 * Inside Postern a duration is a number of seconds and a size a number of bytes; the names of
 * variables say so. Instants are milliseconds since 1970. Parsing is strict: a number without a unit
 * is refused rather than guessed at, because `lifetime = 5` means five days to one reader and five
 * seconds to another.
 */

import { fail, ok, type Result } from './result.ts'

export const DURATION_HINT = 'write a duration as a number and a unit: 30s, 5m, 4h, 5d'
export const SIZE_HINT = 'write a size as a number and a unit: 512B, 64KiB, 50MiB, 2GiB'

/** `4h` to 14400 seconds. */
export function parseDuration(text: string): Result<number, string> {
  return parseWithUnit(text, SECONDS_PER, DURATION_HINT)
}

/** `64KiB` to 65536 bytes. */
export function parseSize(text: string): Result<number, string> {
  return parseWithUnit(text, BYTES_PER, SIZE_HINT)
}

/** The shortest exact form: 14400 seconds to `4h`, 90 seconds to `90s`. Read back, it is the same number. */
export function formatDuration(seconds: number): string {
  return formatWithUnit(seconds, SECONDS_PER)
}

/** The shortest exact form: 65536 bytes to `64KiB`. Read back, it is the same number. */
export function formatSize(bytes: number): string {
  return formatWithUnit(bytes, BYTES_PER)
}

/** An instant as ISO 8601 in UTC, to the second: `2026-11-23T19:26:00Z`. */
export function formatInstant(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z')
}

type Units = readonly (readonly [unit: string, factor: number])[]

function parseWithUnit(text: string, units: Units, hint: string): Result<number, string> {
  const [, digits, unit] = /^([0-9]{1,15})([A-Za-z]+)$/.exec(text) ?? []
  const factor = units.find(([name]) => name === unit)?.[1]
  if (digits === undefined || factor === undefined) return fail(hint)
  const value = Number(digits) * factor
  return Number.isSafeInteger(value) ? ok(value) : fail(hint)
}

function formatWithUnit(value: number, units: Units): string {
  const whole = units.findLast(([, factor]) => value !== 0 && value % factor === 0)
  const [unit, factor] = whole ?? units[0] ?? ['', 1]
  return `${value / factor}${unit}`
}

const SECONDS_PER: Units = [
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86400],
]

const BYTES_PER: Units = [
  ['B', 1],
  ['KiB', 1024],
  ['MiB', 1024 ** 2],
  ['GiB', 1024 ** 3],
]
