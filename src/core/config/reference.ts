/**
 * The schema as a manual page: docs/reference/settings.md, in Markdown.
 */

import { z } from 'zod'
import { FORMS } from './forms.ts'
import { configSchema } from './schema.ts'

export function renderSettingsReference(): string {
  const root = z.toJSONSchema(configSchema, { io: 'input' }) as Described
  const keys = Object.entries(root.properties ?? {})
  const sections = [
    INTRODUCTION,
    forms(),
    '## At the top\n\nAbove every `[header]`.',
    keyTable(keys.filter(([, schema]) => !isTable(schema)), root.required ?? []),
    ...keys.filter(([, schema]) => isTable(schema)).flatMap(([name, schema]) => tableSections(name, schema)),
  ]
  return `${sections.join('\n\n')}\n`
}

/** As much of JSON Schema as our own schema needs, with the `form` of forms.ts. */
type Described = {
  readonly description?: string
  readonly default?: unknown
  readonly form?: keyof typeof FORMS
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly string[]
  readonly anyOf?: readonly Described[]
  readonly items?: Described
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: { readonly [key: string]: Described }
  readonly required?: readonly string[]
}

const INTRODUCTION = `# Settings

<!-- Printed from src/core/config/schema.ts. To change this page, change the schema. -->

Everything that \`postern.toml\` may say. It is a [TOML](https://toml.io) file in the data directory. Every key but
\`hostname\` has a default; an unknown key is an error, with a suggestion. \`postern check\` reports all problems at once,
each with its line. A running Postern reads the file again on \`postern reload\` or SIGHUP; a file with problems is not taken.`

function forms(): string {
  const rows = Object.entries(FORMS).map(([form, words]) => `| ${form} | ${words} |`)
  return ['| a value called | is written as |', '|---|---|', ...rows].join('\n')
}

function tableSections(name: string, schema: Described): string[] {
  const table = schema.items ?? schema
  const keys = Object.entries(table.properties ?? {})
  const plain = keys.filter(([, inner]) => !isTable(inner))
  const header = schema.items === undefined ? `[${name}]` : `[[${name}]]`
  const own = [`## \`${header}\``, ...(schema.description === undefined ? [] : [schema.description])]
  return [
    ...(plain.length === 0 ? [] : [...own, keyTable(plain, table.required ?? [])]),
    ...keys.filter(([, inner]) => isTable(inner)).flatMap(([key, inner]) => tableSections(`${name}.${key}`, inner)),
  ]
}

function keyTable(keys: readonly (readonly [string, Described])[], required: readonly string[]): string {
  const rows = keys.map(([key, schema]) => {
    const fallback = required.includes(key) ? 'must be set' : defaultOf(schema)
    return `| \`${key}\` | ${valueOf(schema)} | ${fallback} | ${(schema.description ?? '').replaceAll('|', '\\|')} |`
  })
  return ['| key | value | default | |', '|---|---|---|---|', ...rows].join('\n')
}

function isTable(schema: Described): boolean {
  return schema.properties !== undefined || schema.items?.properties !== undefined
}

function defaultOf(schema: Described): string {
  if (schema.default === undefined) return 'not set'
  return `\`${JSON.stringify(schema.default).replaceAll('","', '", "')}\``
}

/** The kind of value, in a few words. */
function valueOf(schema: Described): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(valueOf).join(' or ')
  if (schema.items !== undefined) return `list of ${valueOf(schema.items)}`
  if (schema.enum !== undefined) return schema.enum.map(word => `\`"${word}"\``).join(', ')
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``
  if (schema.form !== undefined) return schema.form
  if (schema.type === 'integer') return `${schema.minimum} to ${schema.maximum}`
  return schema.type === 'boolean' ? '`true`, `false`' : 'text'
}
