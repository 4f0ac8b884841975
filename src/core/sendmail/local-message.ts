/**
 * A message of a program on this host: who it goes to, and its header as it leaves.
 *
 * The header is held back and put right as on a submission listener (header-section.ts); with -t it
 * also names the recipients, and then the blind copies are taken out of it.
 */

import { parseAddressList } from '../message/address-list.ts'
import { completionFor, formatCompletion } from '../message/completion.ts'
import { fieldText, joinFields, splitFields, type HeaderField } from '../message/fields.ts'
import { HeaderScanner } from '../message/header.ts'
import { formatAddress } from '../names/address.ts'
import { fail, ok, type Result } from '../result.ts'

/** Separates the header, which is held, from the text, which is not. */
export class LocalMessage {
  readonly #scanner = new HeaderScanner()
  readonly #limitBytes: number
  #held: Buffer = Buffer.alloc(0)
  #header: Buffer | null = null

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** There is more of it than anybody takes. */
  get isHeaderTooLarge(): boolean {
    return this.#header === null && this.#held.length > this.#limitBytes
  }

  /** The header section, once it is whole. */
  get header(): Buffer {
    return this.#header ?? Buffer.alloc(0)
  }

  /** The next octets, in lines of SMTP. Answers with those that come after the header. */
  take(octets: Buffer): Buffer {
    if (this.#header !== null) return octets
    this.#scanner.scan(octets)
    this.#held = Buffer.concat([this.#held, octets])
    return this.#scanner.ended ? this.#split() : Buffer.alloc(0)
  }

  /** The end of the message, perhaps within its header. */
  finish(): Buffer {
    return this.#header === null ? this.#split() : Buffer.alloc(0)
  }

  /** An empty line stands between the two, whether or not the program wrote it. */
  #split(): Buffer {
    const { lineStart } = this.#scanner
    this.#header = this.#held.subarray(0, lineStart)
    const rest = this.#held.subarray(lineStart)
    return rest[0] === CR && rest[1] === LF ? rest : Buffer.concat([Buffer.from('\r\n'), rest])
  }
}

export type Composition = {
  /** The whole section as it leaves, without the empty line. */
  readonly header: Buffer
  /** As typed, in the order of their first mention. */
  readonly recipients: readonly string[]
}

export type CompositionFacts = {
  readonly readsRecipients: boolean
  /** What a From that is missing says. */
  readonly from: string | null
  readonly at: number
  readonly id: string
  readonly hostname: string
}

/** The problem is a sentence. */
export function compose(section: Buffer, facts: CompositionFacts): Result<Composition, string> {
  const fields = splitFields(section)
  const found = facts.readsRecipients ? recipientsOf(section, fields) : ok([])
  if (!found.ok) return found
  const completion = completionFor(new Set(fields.map(({ name }) => name)), facts.from)
  const added = completion === null ? '' : formatCompletion(completion, facts)
  const kept = fields.filter(({ name }) => name !== 'return-path' && !(facts.readsRecipients && BLIND.has(name)))
  return ok({ header: Buffer.concat([Buffer.from(added), joinFields(section, kept)]), recipients: found.value })
}

/** RFC 5322 §3.6.6: a message that is sent on goes to those of its Resent fields, and to nobody else. */
function recipientsOf(section: Buffer, fields: readonly HeaderField[]): Result<readonly string[], string> {
  const isResent = fields.some(({ name }) => RESENT.has(name))
  const named: string[] = []
  for (const field of fields) {
    if (!(isResent ? RESENT : ADDRESSED).has(field.name)) continue
    const list = parseAddressList(fieldText(section, field))
    if (!list.ok) return fail(`the ${field.name} field of the message ${list.problem}`)
    named.push(...list.value.map(formatAddress))
  }
  return ok(named)
}

/** What a person is called, before an address: quoted, or encoded where it is not ASCII (RFC 2047 §4.1). */
export function formatAuthor(fullName: string | null, address: string): string {
  const name = (fullName ?? '').replaceAll(/\p{Cc}+/gu, ' ').trim()
  if (name === '') return address
  if (/^[ -~]*$/.test(name) && name.length <= LONGEST_NAME) return `"${name.replaceAll(/["\\]/g, '\\$&')}" <${address}>`
  const words: string[] = []
  let word = ''
  for (const letter of name) {
    if (Buffer.byteLength(word + letter) > ENCODED_OCTETS) {
      words.push(word)
      word = ''
    }
    word += letter
  }
  return `${[...words, word].map(text => `=?utf-8?b?${Buffer.from(text).toString('base64')}?=`).join('\r\n ')} <${address}>`
}

const ADDRESSED: ReadonlySet<string> = new Set(['to', 'cc', 'bcc'])
const RESENT: ReadonlySet<string> = new Set(['resent-to', 'resent-cc', 'resent-bcc'])
const BLIND: ReadonlySet<string> = new Set(['bcc', 'resent-bcc'])
const LONGEST_NAME = 200
/** RFC 2047 §2: an encoded word has at most 75 characters. */
const ENCODED_OCTETS = 42
const CR = 13
const LF = 10
