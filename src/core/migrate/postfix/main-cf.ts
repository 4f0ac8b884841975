/**
 * Postfix's main.cf: parameters with their lines, and what their values come to.
 *
 * `name = value`; a line that begins with white space continues the one above, comments in between or
 * not; the last of two lines with one name counts. `$name`, `${name}`, `${name?text}`, `${name:text}`
 * stand for other parameters' values.
 */

import type { Source } from '../report.ts'
import type { SiteText } from '../site-files.ts'

export type Parameter = Source & {
  readonly name: string
  /** As written. */
  readonly raw: string
  /** With what other parameters stand for; filled in by `MainCf`. */
  readonly value: string
}

export class MainCf {
  readonly file: string
  readonly #all: readonly Parameter[]
  readonly #last: ReadonlyMap<string, Parameter>

  constructor(main: SiteText) {
    this.file = main.name
    const read = readParameters(main)
    this.#last = new Map(read.map(parameter => [parameter.name, parameter]))
    this.#all = read.map(parameter => ({ ...parameter, value: this.expand(parameter.raw) }))
  }

  /** In the order of the file. */
  get parameters(): readonly Parameter[] {
    return this.#all.filter(({ name, line }) => this.#last.get(name)?.line === line)
  }

  /** Lines that a later one takes the place of. */
  get overridden(): readonly Parameter[] {
    return this.#all.filter(({ name, line }) => this.#last.get(name)?.line !== line)
  }

  /** Null if the file does not set it, or sets it to nothing. */
  get(name: string): Parameter | null {
    const found = this.#all.findLast(parameter => parameter.name === name)
    return found === undefined || found.value === '' ? null : found
  }

  /** What Postfix would take where the file is silent. */
  value(name: string): string {
    return new Expansion(this.#raw).valueOf(name, 0)
  }

  expand(text: string): string {
    return new Expansion(this.#raw).expand(text, 0)
  }

  readonly #raw = (name: string): string => this.#last.get(name)?.raw ?? DEFAULTS.get(name) ?? ''
}

/** One value on its way to what it comes to. What stands for itself, or grows without end, ends as nothing. */
class Expansion {
  readonly #raw: (name: string) => string
  #left = MOST_REFERENCES

  constructor(raw: (name: string) => string) {
    this.#raw = raw
  }

  valueOf(name: string, depth: number): string {
    return this.expand(this.#raw(name), depth + 1)
  }

  expand(text: string, depth: number): string {
    if (!text.includes('$')) return text
    if (depth > DEEPEST) return ''
    return text.replaceAll(REFERENCE, (whole, bare: string | undefined, braced: string | undefined, sign: string | undefined, other: string | undefined) => {
      if (whole === '$$') return '$'
      this.#left -= 1
      if (this.#left < 0) return ''
      const value = this.valueOf(bare ?? braced ?? '', depth)
      if (sign === undefined) return value
      return (sign === '?') === (value !== '') ? this.expand(other ?? '', depth + 1) : ''
    }).trim()
  }
}

const DEEPEST = 20
const MOST_REFERENCES = 2000
const REFERENCE = /\$\$|\$(?:(\w+)|[{(](\w+)(?:([?:])\{?([^{}()]*)\}?)?[})])/g

function readParameters({ name: file, text }: SiteText): readonly Parameter[] {
  const parameters: Parameter[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue
    const last = parameters.at(-1)
    if (/^\s/.test(line)) {
      if (last !== undefined) parameters[parameters.length - 1] = { ...last, raw: `${last.raw} ${line.trim()}`.trim(), text: `${last.text} ${line.trim()}` }
      continue
    }
    const [, name = '', raw = ''] = /^(\S+)\s*=\s*(.*)$/.exec(line.trimEnd()) ?? []
    parameters.push({ file, line: index + 1, text: line.trim(), name, raw: raw.trim(), value: '' })
  }
  return parameters.map(parameter => (isSecret(parameter) ? { ...parameter, text: `${parameter.name} = …` } : parameter))
}

/** `smtp_sasl_password_maps = static:user:password`: the table is in the value. */
function isSecret({ name, raw }: Parameter): boolean {
  return /password/i.test(name) && /\b(?:static|inline):/.test(raw)
}

/** A list's members, which blanks or commas part. */
export function listed(value: string): readonly string[] {
  return value.split(/[\s,]+/).filter(member => member !== '')
}

/** As far as other values build on them. */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['mydestination', '$myhostname, localhost.$mydomain, localhost'],
  ['myorigin', '$myhostname'],
  ['smtpd_relay_restrictions', 'permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination'],
  ['smtpd_tls_key_file', '$smtpd_tls_cert_file'],
  ['smtp_tls_key_file', '$smtp_tls_cert_file'],
  ['smtpd_tls_fingerprint_digest', 'sha256'],
  ['inet_interfaces', 'all'],
  ['inet_protocols', 'all'],
  ['config_directory', '/etc/postfix'],
  ['default_database_type', 'hash'],
])
