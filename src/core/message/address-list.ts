/**
 * The addresses in a From, Sender or To field (RFC 5322 §3.4), old forms included (§4.4).
 *
 * Display names, comments and encoded words say nothing here: what counts is where mail programs find
 * an address. A list that two programs could take apart differently is no list at all (S15), so
 * `From: joe@example.org <boss@example.org>` is a problem and never a guess.
 */

import { formatAddress, parseAddress, type Address } from '../names/address.ts'
import { fail, ok, type Result } from '../result.ts'
import { tokenize, type FieldProblem, type Token } from './structured-field.ts'

/** In order. Those of groups are in it as if they stood alone; a group may be empty. More than `most` are not read. */
export function parseAddressList(text: string, most = Infinity): Result<readonly Address[], FieldProblem> {
  const tokens = tokenize(text)
  return tokens.ok ? new AddressListReader(tokens.value, most).read() : tokens
}

/** Recursive descent without recursion: groups do not nest. Each token is looked at once. */
class AddressListReader {
  readonly #tokens: readonly Token[]
  readonly #most: number
  readonly #addresses: Address[] = []
  #at = 0
  #inGroup = false

  constructor(tokens: readonly Token[], most: number) {
    this.#tokens = tokens
    this.#most = most
  }

  read(): Result<readonly Address[], FieldProblem> {
    while (this.#at < this.#tokens.length) {
      const problem = this.#readMember()
      if (problem !== null) return fail(problem)
      if (this.#addresses.length > this.#most) return fail(`names more than ${this.#most} addresses`)
    }
    return this.#inGroup ? fail('has a group without an end') : ok(this.#addresses)
  }

  /** One address with what separates it from the next, or one end of a group. */
  #readMember(): FieldProblem | null {
    const words = this.#readWords()
    const mark = this.#special()
    if (mark === ':' && !this.#inGroup && words.length > 0) {
      this.#inGroup = true
      this.#at++
      return null
    }
    // RFC 5322 §4.4: members of a list may be missing.
    if (words.length === 0 && isSeparator(mark)) return this.#separate()
    const address = mark === '<' ? this.#readAngle() : this.#readAddress(words, isSeparator)
    if (typeof address === 'string') return address
    this.#addresses.push(address)
    return this.#separate()
  }

  /** What follows an address: a comma, the end of its group, or the end of all. */
  #separate(): FieldProblem | null {
    const mark = this.#special()
    if (mark === ';' && this.#inGroup) {
      this.#inGroup = false
      this.#at++
      // A comma follows, or nothing does.
      return this.#special() === ',' || this.#at === this.#tokens.length ? null : 'has a group with something behind it'
    }
    if (mark === ';' || !isSeparator(mark)) return UNCLEAR
    this.#at++
    return null
  }

  /** `<joe@example.org>`, with an old source route before it that means nothing (RFC 5322 §4.4). */
  #readAngle(): Address | FieldProblem {
    this.#at++
    if (this.#special() === '@' || this.#special() === ',') {
      while (this.#special() === ',' || this.#special() === '@' || this.#tokens[this.#at]?.kind === 'word') this.#at++
      if (this.#special() !== ':') return UNCLEAR
      this.#at++
    }
    const address = this.#readAddress(this.#readWords(), mark => mark === '>')
    if (typeof address !== 'string') this.#at++
    return address
  }

  /** The local part has been read. Leaves what `mayFollow` unread. */
  #readAddress(words: readonly Token[], mayFollow: (mark: string | null) => boolean): Address | FieldProblem {
    const localPart = joinWords(words)
    if (localPart === null) return UNCLEAR
    let domain: string | null = null
    if (this.#special() === '@') {
      this.#at++
      domain = this.#readDomain()
      if (domain === null) return UNCLEAR
    }
    return mayFollow(this.#special()) ? addressOf(localPart, domain) : UNCLEAR
  }

  #readDomain(): string | null {
    const token = this.#tokens[this.#at]
    if (token?.kind === 'literal') {
      this.#at++
      return `[${token.text}]`
    }
    const words = this.#readWords()
    return words.some(word => word.kind === 'quoted') ? null : joinWords(words)
  }

  #readWords(): readonly Token[] {
    const start = this.#at
    while (this.#tokens[this.#at]?.kind === 'word' || this.#tokens[this.#at]?.kind === 'quoted') this.#at++
    return this.#tokens.slice(start, this.#at)
  }

  /** The special that comes next; '' before something else, null at the end. */
  #special(): string | null {
    const token = this.#tokens[this.#at]
    if (token === undefined) return null
    return token.kind === 'special' ? token.text : ''
  }
}

const UNCLEAR = 'cannot be read as a list of addresses'

function isSeparator(mark: string | null): boolean {
  return mark === ',' || mark === ';' || mark === null
}

/**
 * Old forms have blanks and comments around the dots of a local part or a domain (RFC 5322 §4.4). Null
 * if two words stand side by side without a dot.
 */
function joinWords(words: readonly Token[]): string | null {
  const first = words[0]
  if (first === undefined) return null
  for (let at = 1; at < words.length; at++) {
    if (!endsWithDot(words[at - 1]) && !startsWithDot(words[at])) return null
  }
  return words.map(word => word.text).join('')
}

function endsWithDot(word: Token | undefined): boolean {
  return word?.kind === 'word' && word.text.endsWith('.')
}

function startsWithDot(word: Token | undefined): boolean {
  return word?.kind === 'word' && word.text.startsWith('.')
}

/** In the one form that addresses have everywhere (names/address.ts). */
function addressOf(localPart: string, domain: string | null): Address | FieldProblem {
  const written = formatAddress({ localPart, domain })
  if (written.length > LONGEST_ADDRESS) return 'has an address that is too long'
  const address = parseAddress(written)
  return address.ok ? address.value : UNCLEAR
}

/** RFC 5321 §4.5.3.1.3 has 256 octets for a path; no address in use is longer. */
const LONGEST_ADDRESS = 512
