/**
 * What the command line prints: text for people, tables, and JSON for programs.
 *
 * Colours only where a person looks: on a terminal, and not with NO_COLOR. Text that comes from a
 * peer or a file has its control characters made visible, so that it can't steer a terminal (S27).
 */

import { stripVTControlCharacters, styleText } from 'node:util'

export type Look = {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  warn(text: string): string
  bad(text: string): string
}

/** How to mark text that goes to this stream. */
export function lookFor(stream: NodeJS.WriteStream): Look {
  const style = (format: Parameters<typeof styleText>[0]) => (text: string) => styleText(format, text, { stream })
  return { bold: style('bold'), dim: style('dim'), good: style('green'), warn: style('yellow'), bad: style('red') }
}

/** For text that goes to a file or a program. */
export const PLAIN: Look = {
  bold: text => text,
  dim: text => text,
  good: text => text,
  warn: text => text,
  bad: text => text,
}

/** Columns as wide as they must be, two blanks between them. The header is in capitals. */
export function table(header: readonly string[], rows: readonly (readonly string[])[], look: Look): string {
  const widths = header.map((title, column) => Math.max(...[title, ...rows.map(row => row[column] ?? '')].map(displayWidth)))
  const line = (cells: readonly string[]) => cells.map((cell, column) => pad(cell, widths[column] ?? 0)).join('  ').trimEnd()
  return [look.dim(line(header)), ...rows.map(line)].join('\n')
}

/** `name: value` lines with the values under one another. */
export function fields(pairs: readonly (readonly [name: string, value: string])[], look: Look): string {
  const width = Math.max(...pairs.map(([name]) => name.length))
  return pairs.map(([name, value]) => `${look.dim(name.padEnd(width))}  ${value.replaceAll('\n', `\n${' '.repeat(width + 2)}`)}`).join('\n')
}

export function indent(text: string, by = '  '): string {
  return text.replaceAll(/^(?=.)/gm, by)
}

/** Control characters, line ends included, as `\x1b` and the like. */
export function visible(text: string): string {
  return text.replaceAll(STEERING, escaped)
}

/** The same for text of several lines, which stay lines. */
export function visibleLines(text: string): string {
  return text.replaceAll(STEERING, char => (char === '\n' || char === '\t' ? char : escaped(char)))
}

/** JSON as a program reads it, and as no terminal is steered by. JSON.stringify leaves DEL and all beyond ASCII as it is. */
export function visibleJson(data: unknown): string {
  return (JSON.stringify(data, null, 2) ?? '').replaceAll(STEERING, char => (char === '\n' ? char : escapedInJson(char)))
}

const STEERING = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}

/** By UTF-16 units, as JSON writes them (RFC 8259 §7). */
function escapedInJson(char: string): string {
  return Array.from({ length: char.length }, (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')
}

/** `3 messages`, `1 message`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** How long from now, roughly: `in 4 h`, `3 d ago`. */
export function relativeTime(instant: number, now: number): string {
  const seconds = Math.abs(instant - now) / 1000
  const [unit, size] = RELATIVE_UNITS.find(([, size]) => seconds >= size) ?? ['s', 1]
  const amount = `${Math.round(seconds / size)} ${unit}`
  return instant >= now ? `in ${amount}` : `${amount} ago`
}

const RELATIVE_UNITS = [
  ['d', 86400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)))
}

/** Without the marks of `Look`. */
function displayWidth(text: string): number {
  return [...stripVTControlCharacters(text)].length
}
