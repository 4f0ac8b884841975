/**
 * The header section of a message that is coming in: held back until it is whole, and put right.
 *
 * Three things are done to it, and nothing else.
 *
 * - Authentication-Results in our own name are taken out (RFC 8601 §5).
 * - A header that ends without an empty line gets one. What follows a line that is no field is header
 *   to some programs and text to others; a line with a blank at its beginning would even continue our
 *   own Received field (S14). After the empty line it is text to everybody.
 * - A message that is submitted here loses its Return-Path (RFC 5321 §4.4), and what it lacks is
 *   added (completion.ts). Mail from other servers keeps what it has.
 *
 * What is held is limited by whoever feeds it: `forget` once the message is going to be refused.
 */

import type { Authors } from '../policy/decision.ts'
import { claimsToBeOurs } from './authentication-results.ts'
import { authorsOf } from './authors.ts'
import { completionFor, type Completion } from './completion.ts'
import { fieldText, joinFields, splitFields, type HeaderField } from './fields.ts'
import { HeaderScanner } from './header.ts'

export type HeaderTreatment = {
  /** Our own name, which no Authentication-Results of others may claim. */
  readonly hostname: string
  /** The message is submitted here: complete it. `author`: who it is from if it has no From. */
  readonly submission: { readonly author: string | null } | null
  /** The policy will be asked about the authors. */
  readonly readsAuthors: boolean
}

/** A piece of the message as it goes on. */
export type MessagePart =
  | { readonly kind: 'body'; readonly bytes: Uint8Array }
  /** Here the missing fields go; they tell the time and the message's id, which this place does not know. */
  | { readonly kind: 'completeHeader'; readonly completion: Completion }

export class HeaderSection {
  readonly scanner = new HeaderScanner()
  readonly #treatment: HeaderTreatment
  #held: Buffer = NOTHING
  #heldOctets = 0
  #isDone = false
  #authors: Authors | null = null
  #waivesTls = false

  constructor(treatment: HeaderTreatment) {
    this.#treatment = treatment
  }

  /** Takes the next octets of the message. Answers with what may go on. */
  take(text: Buffer): readonly MessagePart[] {
    // Also of a message that will be refused: which limit it is told of is no matter of how it was cut.
    this.scanner.scan(text)
    if (this.#isDone) return body(text)
    if (!this.scanner.ended) {
      this.#hold(text)
      return []
    }
    // Nearly always the whole section comes in one piece, and nothing is copied.
    if (this.#heldOctets === 0) return this.#release(text)
    this.#hold(text)
    return this.#release(this.#held.subarray(0, this.#heldOctets))
  }

  /** The message ends here, perhaps within its header. */
  finish(): readonly MessagePart[] {
    return this.#isDone ? [] : this.#release(this.#held.subarray(0, this.#heldOctets))
  }

  /** The message will be refused: nothing of it needs to be held any more. */
  forget(): void {
    this.#isDone = true
    this.#held = NOTHING
  }

  /** Whom the header names, once it is whole; null if nobody wants to know. */
  get authors(): Authors | null {
    return this.#authors
  }

  /** `TLS-Required: No` is in it, once it is whole: TLS need not be insisted on (RFC 8689 §3). */
  get waivesTls(): boolean {
    return this.#waivesTls
  }

  /** A client may send an octet at a time: what is held is one buffer that grows, not a million. */
  #hold(text: Buffer): void {
    const needed = this.#heldOctets + text.length
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#held.length, SMALLEST_HOLD))
      this.#held.copy(larger, 0, 0, this.#heldOctets)
      this.#held = larger
    }
    text.copy(this.#held, this.#heldOctets)
    this.#heldOctets = needed
  }

  /** `octets` hold the section and whatever came with its end. */
  #release(octets: Buffer): readonly MessagePart[] {
    this.#isDone = true
    this.#held = NOTHING
    const { scanner } = this
    // A message in chunks may end within the last line of its header (RFC 3030 §2).
    const end = scanner.isWithinField ? octets.length : scanner.lineStart
    const section = octets.subarray(0, end)
    const rest = octets.subarray(end)
    const { submission, readsAuthors } = this.#treatment
    const needsEmptyLine = rest.length > 0 && !startsWithCrlf(rest)
    const isLeftAlone = submission === null && scanner.authenticationResults === 0 && !needsEmptyLine
    if (isLeftAlone && !readsAuthors && scanner.tlsRequiredFields === 0) return body(octets)
    const fields = splitFields(section)
    const completion = submission === null ? null : completionFor(new Set(fields.map(({ name }) => name)), submission.author)
    this.#waivesTls = waivesTls(section, fields)
    if (readsAuthors) this.#authors = authorsOf(section, fields, completion?.from ?? null)
    if (isLeftAlone) return body(octets)
    return [
      // Below our Received field and above all else, so that what the author wrote stays in one piece.
      ...(completion === null ? [] : [{ kind: 'completeHeader', completion } as const]),
      ...body(this.#withoutForeign(section, fields)),
      ...(needsEmptyLine ? body(CRLF) : []),
      ...body(rest),
    ]
  }

  #withoutForeign(section: Buffer, fields: readonly HeaderField[]): Buffer {
    const kept = fields.filter(field => !this.#isOut(section, field))
    return kept.length === fields.length ? section : joinFields(section, kept)
  }

  #isOut(section: Buffer, field: HeaderField): boolean {
    const { hostname, submission } = this.#treatment
    if (field.name === 'return-path') return submission !== null
    return field.name === 'authentication-results' && claimsToBeOurs(fieldText(section, field), hostname)
  }
}

/** RFC 8689 §3: one such field at the most, and the one word. What is said otherwise waives nothing. */
function waivesTls(section: Buffer, fields: readonly HeaderField[]): boolean {
  const [field, another] = fields.filter(({ name }) => name === 'tls-required')
  return field !== undefined && another === undefined && /^\s*no\s*$/i.test(fieldText(section, field))
}

function body(bytes: Buffer): readonly MessagePart[] {
  return bytes.length === 0 ? [] : [{ kind: 'body', bytes }]
}

function startsWithCrlf(octets: Buffer): boolean {
  return octets[0] === CR && octets[1] === LF
}

const CR = 13
const LF = 10
const CRLF = Buffer.from('\r\n')
const NOTHING = Buffer.alloc(0)
const SMALLEST_HOLD = 4096
