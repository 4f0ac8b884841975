/**
 * Words of a command line to options and operands, strictly: what isn't known is wrong usage.
 */

import { parseArgs } from 'node:util'
import { nearest } from '../core/config/nearest.ts'
import { fail, ok, type Result } from '../core/result.ts'
import type { OperandForm, OptionSpec, OptionSpecs } from './command.ts'

export type Parsed = {
  readonly values: ReadonlyMap<string, string | number | boolean | readonly string[]>
  readonly operands: readonly string[]
}

/** The problem is a sentence without the command's name. */
export function parseArguments(words: readonly string[], specs: OptionSpecs): Result<Parsed, string> {
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [name, { type: spec.type === 'flag' ? ('boolean' as const) : ('string' as const) }]),
  )
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true })
  const values = new Map<string, string | number | boolean | readonly string[]>()
  const operands: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined
    if (spec === undefined) return fail(unknownOption(token.rawName, Object.keys(specs)))
    const value = valueOf(token.rawName, token.value, spec, values.get(token.name))
    if (!value.ok) return value
    values.set(token.name, value.value)
  }
  return ok({ values, operands })
}

/** A sentence if there are too many or too few operands, else null. */
export function operandProblem(form: OperandForm, operands: readonly string[]): string | null {
  const name = form.replaceAll(/[[\]…]/g, '')
  const least = form === 'none' || form.startsWith('[') ? 0 : 1
  const most = form === 'none' ? 0 : form.includes('…') ? Infinity : 1
  if (operands.length < least) return `${name} is missing`
  if (operands.length > most) return `"${operands[most]}" is one word too many`
  return null
}

type Value = string | number | boolean | readonly string[]

function valueOf(rawName: string, text: string | undefined, spec: OptionSpec, before: Value | undefined): Result<Value, string> {
  if (spec.type === 'flag') return text === undefined ? ok(true) : fail(`${rawName} takes no value`)
  if (text === undefined || text.startsWith('--')) return fail(`${rawName} needs a value: ${rawName} ${spec.type === 'choice' ? spec.choices.join('|') : spec.value}`)
  if (spec.type === 'list') return ok([...(Array.isArray(before) ? before : []), text])
  if (before !== undefined) return fail(`${rawName} is given twice`)
  if (spec.type === 'number') return /^[0-9]{1,9}$/.test(text) ? ok(Number(text)) : fail(`${rawName} needs a whole number, not "${text}"`)
  if (spec.type === 'choice' && !spec.choices.includes(text)) return fail(`${rawName} is one of ${spec.choices.join(', ')}, not "${text}"`)
  return ok(text)
}

function unknownOption(rawName: string, known: readonly string[]): string {
  const similar = nearest(rawName.replace(/^-+/, ''), known)
  return `unknown option ${rawName}${similar === null ? '' : `; did you mean --${similar}?`}`
}
