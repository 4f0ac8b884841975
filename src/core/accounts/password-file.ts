/**
 * The file `users`: passwords of people and machines, one JSON object a line, hashed.
 *
 * The first line is the site's: a secret from which every salt is made, and what a hash costs. A salt
 * made of the secret and a name is there for names that nobody has, too, always the same; so what a
 * stranger is told of a name does not say whether it exists (S16). The file is checked whole when it
 * is read, and never half believed (S10).
 */

import { z } from 'zod'
import { fail, ok, type Result } from '../result.ts'

export type PasswordFile = { readonly site: SiteRecord; readonly passwords: readonly PasswordRecord[] }
export type SiteRecord = z.infer<typeof siteRecord>
export type PasswordRecord = z.infer<typeof passwordRecord>

/** `file` names it in problems. */
export function parsePasswordFile(text: string, file: string): Result<PasswordFile, string> {
  const damaged = (line: number, what: string): Result<PasswordFile, string> =>
    fail(`${file}:${line}: ${what}; restore the file from a backup, or remove it and set the passwords anew`)
  const [first = '', ...rest] = text.trimEnd().split('\n')
  const site = parseLine(siteRecord, first)
  if (!site.ok) return damaged(1, site.problem)
  const passwords: PasswordRecord[] = []
  for (const [at, line] of rest.entries()) {
    const record = parseLine(passwordRecord, line)
    if (!record.ok) return damaged(at + 2, record.problem)
    if (passwords.some(({ id }) => id === record.value.id)) return damaged(at + 2, `the password ${record.value.id} is there twice`)
    passwords.push(record.value)
  }
  return ok({ site: site.value, passwords })
}

export function formatPasswordFile({ site, passwords }: PasswordFile): string {
  return [site, ...passwords].map(record => `${JSON.stringify(record)}\n`).join('')
}

function parseLine<Value>(schema: z.ZodType<Value>, line: string): Result<Value, string> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return fail('is not JSON')
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return ok(parsed.data)
  const issue = parsed.error.issues[0]
  return fail(`${issue?.path.join('.') ?? 'the record'}: ${issue?.message ?? 'is not a record'}`)
}

/** 32 octets. */
const key = z.base64().length(44)

const siteRecord = z.strictObject({
  record: z.literal('site'),
  secret: key,
  /** RFC 9106. Memory in KiB. */
  argon2id: z.strictObject({ memory: z.int().min(8), passes: z.int().min(1), parallelism: z.int().min(1) }),
  /** RFC 7677 §4: at least 4096. */
  scramIterations: z.int().min(4096),
})

const scramKeys = z.strictObject({
  hash: z.enum(['SHA-256', 'SHA-1']),
  /** The name that the client logs in with, in lower case: its salt is part of the keys. */
  login: z.string().min(1).max(320),
  storedKey: z.base64(),
  serverKey: z.base64(),
})

const passwordRecord = z.strictObject({
  record: z.literal('password'),
  id: z.string().regex(/^[a-z0-9]{8,32}$/, 'is no id'),
  holder: z.string().min(1).max(64),
  device: z.string().min(1).max(64),
  createdAt: z.int(),
  /** In CIDR form; none for anywhere. */
  networks: z.array(z.string()).readonly(),
  /** For PLAIN and LOGIN. */
  argon2id: key,
  scram: z.array(scramKeys).readonly(),
})
