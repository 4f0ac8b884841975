/**
 * The authority's index: what was issued, revoked and taken off the list, one JSON object a line.
 *
 * Lines are only ever added, so the file is also its own history. It decides who may relay, so every
 * line is checked when it is read, and against the lines before it; a damaged index is refused with
 * the number of the line, never half believed (S10).
 */

import { z } from 'zod'
import { assert, fail, ok } from '../result.ts'
import type { Result } from '../result.ts'

export type IndexRecord = z.infer<typeof indexRecord>
export type IssuedRecord = Extract<IndexRecord, { record: 'issued' }>

/** One certificate, with what happened to it since. */
export type RegisteredCertificate = IssuedRecord & {
  readonly revokedAt: number | null
  /** False once its holder was removed. */
  readonly isListed: boolean
}

/** A certificate of a person or a machine. */
export type ClientCertificate = RegisteredCertificate & { readonly purpose: 'person' | 'machine' }

export type ReadIndex = {
  readonly issued: IssuedCertificates
  /** Length in bytes of the lines that count. */
  readonly soundBytes: number
  /** What stands behind them without a line's end; null if the file ends with a line. */
  readonly unfinished: Unfinished | null
}

/**
 * The end of an index that was cut short. A part of a record was promised to nobody. A whole one lacks
 * only its line's end, perhaps because an editor took it away: it counts.
 */
export type Unfinished = { readonly text: string; readonly record: IndexRecord | null }

/** Reads the whole index. `file` names it in problems. */
export function readIndex(text: string, file: string): Result<ReadIndex, string> {
  const lines = text.split('\n')
  const rest = lines.pop() ?? ''
  const issued = new IssuedCertificates()
  for (const [at, line] of lines.entries()) {
    const record = parseRecord(line)
    const problem = record.ok ? issued.add(record.value) : record.problem
    if (problem !== null) return fail(`${file}:${at + 1}: ${problem}; restore the file from a backup: it decides who may relay`)
  }
  const soundBytes = new TextEncoder().encode(text.slice(0, text.length - rest.length)).length
  return ok({ issued, soundBytes, unfinished: rest === '' ? null : unfinished(rest) })
}

export function formatRecord(record: IndexRecord): string {
  return `${JSON.stringify(record)}\n`
}

/** All certificates ever issued, and their state now. */
export class IssuedCertificates {
  readonly #byFingerprint = new Map<string, RegisteredCertificate>()
  readonly #serials = new Set<string>()

  /** Takes one more line in. Returns why it cannot follow what is there, or null. */
  add(record: IndexRecord): string | null {
    switch (record.record) {
      case 'issued':
        return this.#issued(record)
      case 'revoked':
        return this.#revoked(record.fingerprints, record.at)
      case 'removed':
        return this.#removed(record.name, record.at)
    }
  }

  hasSerial(serial: string): boolean {
    return this.#serials.has(serial)
  }

  /** In order of issuing. */
  all(): readonly RegisteredCertificate[] {
    return [...this.#byFingerprint.values()]
  }

  /** Certificates of persons and machines. */
  clients(): readonly ClientCertificate[] {
    return this.all().filter(isClient)
  }

  /** What is on the list under a name. Names that differ in case only are one name, as in access maps. */
  listedAs(name: string): readonly ClientCertificate[] {
    return this.clients().filter(certificate => certificate.isListed && certificate.name.toLowerCase() === name.toLowerCase())
  }

  #issued(certificate: IssuedRecord): string | null {
    if (this.#byFingerprint.has(certificate.fingerprint)) return `the certificate ${certificate.fingerprint} is there twice`
    // RFC 5280 §4.1.2.2: unique for each certificate of a CA.
    if (this.#serials.has(certificate.serial)) return `the serial number ${certificate.serial} is there twice`
    this.#serials.add(certificate.serial)
    this.#byFingerprint.set(certificate.fingerprint, { ...certificate, revokedAt: null, isListed: true })
    return null
  }

  #revoked(fingerprints: readonly string[], at: number): string | null {
    const unknown = fingerprints.find(fingerprint => !this.#byFingerprint.has(fingerprint))
    if (unknown !== undefined) return `the revoked certificate ${unknown} was never issued`
    for (const fingerprint of fingerprints) this.#change(fingerprint, { revokedAt: at })
    return null
  }

  #removed(name: string, at: number): string | null {
    const listed = this.listedAs(name)
    if (listed.length === 0) return `${name} was removed and is not on the list`
    for (const { fingerprint } of listed) this.#change(fingerprint, { revokedAt: at, isListed: false })
    return null
  }

  #change(fingerprint: string, change: { readonly revokedAt: number; readonly isListed?: boolean }): void {
    const certificate = this.#byFingerprint.get(fingerprint)
    assert(certificate !== undefined, 'only what was issued changes')
    // The first revocation is the one that counts.
    this.#byFingerprint.set(fingerprint, { ...certificate, ...change, revokedAt: certificate.revokedAt ?? change.revokedAt })
  }
}

function isClient(certificate: RegisteredCertificate): certificate is ClientCertificate {
  return certificate.purpose === 'person' || certificate.purpose === 'machine'
}

function unfinished(text: string): Unfinished {
  const record = parseRecord(text)
  return { text, record: record.ok ? record.value : null }
}

function parseRecord(line: string): Result<IndexRecord, string> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return fail('is not JSON')
  }
  const parsed = indexRecord.safeParse(value)
  if (parsed.success) return ok(parsed.data)
  const issue = parsed.error.issues[0]
  return fail(`${issue?.path.join('.') ?? 'the record'}: ${issue?.message ?? 'is not a record'}`)
}

const fingerprint = z.string().regex(/^[0-9a-f]{64}$/, 'is no SHA-256 fingerprint')
const instant = z.int()
const holderName = z.string().min(1).max(255)

const indexRecord = z.discriminatedUnion('record', [
  z.strictObject({
    record: z.literal('issued'),
    at: instant,
    /** Lower-case hex without leading zeros. */
    serial: z.string().regex(/^[1-9a-f][0-9a-f]*$/, 'is no serial number').max(40),
    fingerprint,
    /** In access-map form. */
    subject: z.string(),
    purpose: z.enum(['root', 'issuing', 'server', 'person', 'machine']),
    name: holderName,
    addresses: z.array(z.string()).readonly(),
    senders: z.array(z.string()).readonly(),
    notBefore: instant,
    notAfter: instant,
    /** The certificate itself: base64 of its DER. */
    certificate: z.base64(),
  }),
  z.strictObject({ record: z.literal('revoked'), at: instant, fingerprints: z.array(fingerprint).min(1).readonly() }),
  /** Takes a holder off the list, and revokes whatever it still has. */
  z.strictObject({ record: z.literal('removed'), at: instant, name: holderName }),
])
