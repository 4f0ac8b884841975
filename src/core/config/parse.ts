/**
 * The text of postern.toml to a Config, or to all its problems at once.
 *
 * A problem names the file, the line and the dotted key, and says what would be right. Nothing of a
 * file with problems is used.
 */

import { parse as parseToml, TomlError } from 'smol-toml'
import { z } from 'zod'
import { assert, fail, ok, type Result } from '../result.ts'
import { keyLines, type KeyPath } from './key-lines.ts'
import { nearest } from './nearest.ts'
import { configSchema, type Config } from './schema.ts'

export type ConfigProblem = {
  readonly file: string
  readonly line: number
  /** `queue.delay-warning`, `route[0].to`; empty where the text is not TOML. */
  readonly key: string
  readonly message: string
}

/** `file` is only for the words of problems. */
export function parseConfig(text: string, file: string): Result<Config, readonly ConfigProblem[]> {
  return parseBySchema(configSchema, text, file)
}

/** Any file of settings. */
export function parseBySchema<Schema extends z.ZodType>(schema: Schema, text: string, file: string): Result<z.output<Schema>, readonly ConfigProblem[]> {
  const raw = readToml(text, file)
  if (!raw.ok) return raw
  const parsed = schema.safeParse(raw.value)
  if (parsed.success) return ok(parsed.data)

  const lineOf = keyLines(text)
  const problems = parsed.error.issues
    .flatMap(issue => describe(issue, raw.value, schema))
    .map(({ path, message }) => ({ file, line: lineOf(path) ?? 1, key: dotted(path), message }))
  return fail(problems.sort((a, b) => a.line - b.line))
}

/** `postern.toml:14: queue.lifetime: write a duration …` */
export function formatConfigProblem(problem: ConfigProblem): string {
  const key = problem.key === '' ? '' : `${problem.key}: `
  return `${problem.file}:${problem.line}: ${key}${problem.message}`
}

/** The configuration of a file that sets nothing but the host name. */
export function defaultConfig(hostname: string): Config {
  const parsed = parseConfig(`hostname = ${JSON.stringify(hostname)}`, 'defaults')
  assert(parsed.ok, 'the defaults satisfy the schema')
  return parsed.value
}

type Table = { readonly [key: string]: unknown }

function readToml(text: string, file: string): Result<Table, readonly ConfigProblem[]> {
  try {
    return ok(parseToml(text))
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // The first line says what is wrong; a picture of the place follows, which file:line replaces.
    const [what = ''] = error.message.split('\n')
    return fail([{ file, line: error.line, key: '', message: what.replace(/^Invalid TOML document: /, 'not valid TOML: ') }])
  }
}

function describe(issue: z.core.$ZodIssue, raw: unknown, schema: z.ZodType): { path: KeyPath; message: string }[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => ({ path: [...issue.path, key], message: unknownKey(issue.path, key, schema) }))
  }
  const missing = valueAt(raw, issue.path) === undefined
  return [{ path: issue.path, message: missing ? `is missing: ${issue.message}` : issue.message }]
}

function unknownKey(table: KeyPath, key: string, schema: z.ZodType): string {
  const known = keysByTable(schema)
  const here = table.filter(step => typeof step === 'string').join('.')
  const similar = nearest(key, known.get(here) ?? [])
  if (similar !== null) return `unknown key; did you mean "${similar}"?`
  for (const [name, keys] of known) {
    if (!keys.includes(key)) continue
    return name === '' ? 'unknown key here; it belongs at the top, above every [header]' : `unknown key here; it belongs under [${name}]`
  }
  return 'unknown key; docs/reference/settings.md lists the known ones'
}

/** Every table's dotted name with the keys that it may hold. */
function keysByTable(schema: z.ZodType): ReadonlyMap<string, readonly string[]> {
  const tables = new Map<string, readonly string[]>()
  const visit = (name: string, schema: z.core.JSONSchema.BaseSchema): void => {
    const { properties } = schema
    if (properties === undefined) return
    tables.set(name, Object.keys(properties))
    for (const [key, inner] of Object.entries(properties)) {
      if (typeof inner === 'boolean') continue
      const item = inner.items
      const table = typeof item === 'object' && !Array.isArray(item) ? item : inner
      visit(name === '' ? key : `${name}.${key}`, table)
    }
  }
  visit('', z.toJSONSchema(schema, { io: 'input' }))
  return tables
}

function valueAt(raw: unknown, path: KeyPath): unknown {
  let value = raw
  for (const step of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[step]
  return value
}

function dotted(path: KeyPath): string {
  return path.reduce<string>((name, step) => {
    if (typeof step === 'number') return `${name}[${step}]`
    return name === '' ? String(step) : `${name}.${String(step)}`
  }, '')
}
