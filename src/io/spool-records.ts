/**
 * A message in the spool as bytes, and back.
 *
 * A record is one format byte, a CRC-32 of the rest, and JSON. JSON because it keeps every string
 * apart from every other whatever bytes a client sent (S10); the checksum because a record that was
 * damaged or edited must not be mistaken for mail. What does not validate is a problem that says
 * where; nothing is guessed or filled in.
 */

import { crc32 } from 'node:zlib'
import type { DeliverBy, Envelope, EnvelopeRecipient, Hold, Origin, QueuedMessage, Recipient } from '../core/message/envelope.ts'
import { assert, fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'

/** Where the body of a message is, and the checksum it must have. */
export type StoredBody =
  | { readonly kind: 'inline'; readonly crc: number }
  | { readonly kind: 'file'; readonly name: string; readonly crc: number }

export type SpoolRecord = { readonly message: QueuedMessage; readonly body: StoredBody }

/** Raised when a record changes so that an older Postern would misread it. */
export const RECORD_FORMAT = 1

export function encodeRecord(record: SpoolRecord): Uint8Array {
  const problem = spoolRecord(record)
  assert(problem === null, `a message that is stored can be read back; wrong here: record${problem}`)
  const json = JSON.stringify(record)
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + Buffer.byteLength(json))
  bytes.write(json, HEADER_BYTES)
  bytes.writeUInt8(RECORD_FORMAT, 0)
  bytes.writeUInt32BE(crc32(bytes.subarray(HEADER_BYTES)), 1)
  return bytes
}

export function decodeRecord(bytes: Buffer): Result<SpoolRecord, string> {
  const format = bytes[0]
  if (format === undefined || bytes.length < HEADER_BYTES) return fail('the record is cut short')
  if (format > RECORD_FORMAT) {
    return fail(`the record has format ${format}; this Postern reads formats up to ${RECORD_FORMAT}`)
  }
  if (format !== RECORD_FORMAT) return fail('the record has no known format')
  const json = bytes.subarray(HEADER_BYTES)
  if (crc32(json) !== bytes.readUInt32BE(1)) return fail('the record does not match its checksum')
  let value: unknown
  try {
    value = JSON.parse(json.toString('utf8'))
  } catch {
    return fail('the record is not JSON')
  }
  const problem = spoolRecord(value)
  return problem === null ? ok(value as SpoolRecord) : fail(`the record is wrong at ${problem}`)
}

/** Sorts by time, then by age of the message: the first key is the next thing to do. */
export function dueKey(dueAt: number, id: string): string {
  return String(dueAt).padStart(INSTANT_DIGITS, '0') + id
}

export function parseDueKey(key: string): { readonly dueAt: number; readonly id: string } {
  return { dueAt: Number(key.slice(0, INSTANT_DIGITS)), id: key.slice(INSTANT_DIGITS) }
}

/** Names of body files are ours, from random bytes; nothing that a client sent is part of one. */
export function isBodyName(name: string): boolean {
  return /^[0-9a-f]{32}$/.test(name)
}

/** Null if the value is as it should be, else where it is not: `.message.recipients[0].state`. */
type Check = (value: unknown) => string | null

/** One check for each field of a type: a new field is a compile error here. */
type Checks<Value> = { readonly [Field in keyof Required<Value>]: Check }

const text: Check = value => (typeof value === 'string' ? null : '')
const flag: Check = value => (typeof value === 'boolean' ? null : '')
const count: Check = value => (Number.isSafeInteger(value) && Number(value) >= 0 ? null : '')
const whole: Check = value => (Number.isSafeInteger(value) ? null : '')
const instant: Check = value => (count(value) === null && Number(value) < MOST_INSTANT ? null : '')
const id: Check = value => (typeof value === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(value) ? null : '')
const bodyName: Check = value => (typeof value === 'string' && isBodyName(value) ? null : '')

function oneOf(...allowed: readonly string[]): Check {
  return value => (typeof value === 'string' && allowed.includes(value) ? null : '')
}

function anyOf(...allowed: readonly string[]): Check {
  return value => (Array.isArray(value) && value.every(item => allowed.includes(item)) ? null : '')
}

function orNull(check: Check): Check {
  return value => (value === null ? null : check(value))
}

function listOf(check: Check): Check {
  return value => {
    if (!Array.isArray(value) || value.length === 0) return ''
    for (const [index, item] of value.entries()) {
      const problem = check(item)
      if (problem !== null) return `[${index}]${problem}`
    }
    return null
  }
}

/** Exactly these fields: one that is missing or unknown makes the record wrong. */
function shape<Value>(checks: Checks<Value>): Check {
  const fields = Object.entries<Check>(checks)
  return value => {
    if (typeof value !== 'object' || value === null || Object.keys(value).length !== fields.length) return ''
    for (const [field, check] of fields) {
      const problem = check((value as Record<string, unknown>)[field])
      if (problem !== null) return `.${field}${problem}`
    }
    return null
  }
}

const envelopeRecipient = shape<EnvelopeRecipient>({
  forwardPath: text,
  notify: orNull(anyOf('SUCCESS', 'FAILURE', 'DELAY')),
  originalRecipient: orNull(text),
})

const holdFor = shape<Extract<Hold, { kind: 'for' }>>({ kind: oneOf('for'), seconds: count })
const holdUntil = shape<Extract<Hold, { kind: 'until' }>>({ kind: oneOf('until'), at: whole })

const envelope = shape<Envelope>({
  reversePath: text,
  recipients: listOf(envelopeRecipient),
  bodyType: oneOf('7BIT', '8BITMIME', 'BINARYMIME'),
  utf8: flag,
  tls: orNull(oneOf('required', 'encrypted', 'waived')),
  declaredSizeBytes: orNull(count),
  returned: orNull(oneOf('FULL', 'HDRS')),
  envelopeId: orNull(text),
  deliverBy: orNull(shape<DeliverBy>({ seconds: whole, mode: oneOf('return', 'notify'), trace: flag })),
  hold: orNull(value => (holdFor(value) === null ? null : holdUntil(value))),
  priority: whole,
})

const origin = shape<Origin>({
  sessionId: text,
  listener: text,
  address: text,
  hello: text,
  fingerprint: orNull(text),
  holder: orNull(text),
  passwordId: orNull(text),
  isKnown: flag,
})

/** `leased` is never stored: whoever held a lease is gone when a record is read. */
const recipient = shape<Recipient>({
  address: text,
  state: oneOf('waiting', 'held', 'delivered', 'failed'),
  attempts: count,
  dueAt: instant,
  plannedAt: orNull(instant),
  lastReply: orNull(text),
  warned: flag,
})

const message = shape<QueuedMessage>({
  id,
  envelope,
  origin,
  acceptedAt: instant,
  sizeBytes: count,
  heldBecause: orNull(text),
  isSpared: flag,
  recipients: listOf(recipient),
})

const inlineBody = shape<Extract<StoredBody, { kind: 'inline' }>>({ kind: oneOf('inline'), crc: count })
const fileBody = shape<Extract<StoredBody, { kind: 'file' }>>({ kind: oneOf('file'), name: bodyName, crc: count })

const spoolRecord = shape<SpoolRecord>({
  message,
  body: value => (inlineBody(value) === null ? null : fileBody(value)),
})

const HEADER_BYTES = 5
/** Milliseconds since 1970 in so many digits last for 31,000 years. */
const INSTANT_DIGITS = 15
const MOST_INSTANT = 10 ** INSTANT_DIGITS
