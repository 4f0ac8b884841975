/**
 * Reads over a header section as it streams by (RFC 5322 §2.2): finds its end, and counts what limits
 * are about: octets, fields, and Received fields (RFC 5321 §6.3).
 *
 * Nothing is kept of the header but the start of the field name that is being read. The header ends
 * at the first empty line, or at the first line that is neither a field nor the continuation of one;
 * whatever programs make of a message after that, all of ours make the same.
 */

export class HeaderScanner {
  #position: Position = 'lineStart'
  /** The name that the current one may still turn out to be. */
  #sought = RECEIVED
  /** How many of its letters have matched; -1 once it is another name. */
  #matched = 0
  #fields = 0
  #receivedFields = 0
  #authenticationResults = 0
  #tlsRequiredFields = 0
  #sizeBytes = 0
  #lineStart = 0

  get ended(): boolean {
    return this.#position === 'ended'
  }

  /** Fields whose colon has been seen. */
  get fields(): number {
    return this.#fields
  }

  get receivedFields(): number {
    return this.#receivedFields
  }

  /** Fields that say what an authentication found (RFC 8601 §2.2), whoever says it. */
  get authenticationResults(): number {
    return this.#authenticationResults
  }

  /** RFC 8689 §3. */
  get tlsRequiredFields(): number {
    return this.#tlsRequiredFields
  }

  /** Where the line begins that is being read, or that has ended the header. */
  get lineStart(): number {
    return this.#lineStart
  }

  /** The line so far belongs to a field: its colon has been seen, or it continues one. */
  get isWithinField(): boolean {
    return this.#position === 'value'
  }

  /** Octets of the header section so far, with the empty line that ends it. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** The next octets of the message. */
  scan(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length && this.#position !== 'ended') {
      if (this.#position === 'value') {
        const lineEnd = bytes.indexOf(LF, at)
        if (lineEnd === -1) break
        this.#position = 'lineStart'
        at = lineEnd + 1
        this.#lineStart = this.#sizeBytes + at
      } else {
        this.#step(bytes[at] ?? 0)
        at++
      }
    }
    this.#sizeBytes += this.#position === 'ended' ? at : bytes.length
  }

  /** One octet of a line's start or of a field's name. */
  #step(octet: number): void {
    if (this.#position === 'lineStart') {
      if (octet === SPACE || octet === TAB) this.#position = this.#fields > 0 ? 'value' : 'ended'
      else if (octet === CR) this.#position = 'emptyLine'
      else this.#beginName(octet)
    } else if (this.#position === 'emptyLine') {
      this.#position = 'ended'
    } else if (octet === COLON) {
      this.#countField()
      this.#position = 'value'
    } else if (octet === SPACE || octet === TAB) {
      // RFC 5322 §4.5.8: blanks between name and colon are obsolete, and must still be read.
      this.#position = 'afterName'
    } else if (this.#position === 'name' && isNameOctet(octet)) {
      this.#match(octet)
    } else {
      this.#position = 'ended'
    }
  }

  #countField(): void {
    this.#fields++
    if (this.#matched !== this.#sought.length) return
    if (this.#sought === RECEIVED) this.#receivedFields++
    else if (this.#sought === TLS_REQUIRED) this.#tlsRequiredFields++
    else this.#authenticationResults++
  }

  #beginName(octet: number): void {
    this.#matched = 0
    this.#sought = SOUGHT.find(name => name.charCodeAt(0) === (octet | 0x20)) ?? RECEIVED
    this.#position = isNameOctet(octet) && octet !== COLON ? 'name' : 'ended'
    this.#match(octet)
  }

  /**
   * Names are compared without regard to case (RFC 5322 §1.2.2); 0x20 is what makes a letter small, and
   * leaves a hyphen as it is. The one octet that it makes a hyphen is no octet of a name.
   */
  #match(octet: number): void {
    this.#matched = this.#matched >= 0 && (octet | 0x20) === this.#sought.charCodeAt(this.#matched) ? this.#matched + 1 : -1
  }
}

/** Where the scanner stands in a line. */
type Position = 'lineStart' | 'emptyLine' | 'name' | 'afterName' | 'value' | 'ended'

const RECEIVED = 'received'
const AUTHENTICATION_RESULTS = 'authentication-results'
const TLS_REQUIRED = 'tls-required'
/** No two of them begin with the same letter. */
const SOUGHT = [RECEIVED, AUTHENTICATION_RESULTS, TLS_REQUIRED]
const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const COLON = 58

/** RFC 5322 §2.2: printable ASCII without the colon, which the caller has looked for. */
function isNameOctet(octet: number): boolean {
  return octet > SPACE && octet < 127
}
