/**
 * The replies that other servers give us (RFC 5321 §4.2).
 *
 * A remote server may be broken or hostile, so a line is bounded, and so are the lines of a reply.
 * More bytes are fed only when a reply is wanted: what waits unread is less than a line and a chunk.
 * Only CRLF ends a line. Text is decoded so that no byte sequence can fail, and loses its control
 * characters at once (S10, S19).
 */

import { fail, ok, type Result } from '../result.ts'
import type { Reply } from './reply.ts'

/** RFC 5321 §4.5.3.1.5 allows 512 octets. Servers that explain themselves at length exist. */
const LINE_LIMIT_BYTES = 2048
/** An EHLO reply of 30 lines is long; a refusal with a paragraph of advice is longer. */
const LINES_LIMIT = 128

export type ReplyProblem = { readonly detail: string }

export class ReplyParser {
  #unread: Buffer = EMPTY
  #lines: string[] = []
  #code = 0

  /** Takes bytes as they come. */
  feed(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk])
  }

  /** Bytes that no complete reply has used yet; none may be left when TLS starts (S4). */
  hasUnread(): boolean {
    return this.#unread.length > 0 || this.#lines.length > 0
  }

  /** The next complete reply; null until more bytes come. After a problem the connection is of no use. */
  take(): Result<Reply, ReplyProblem> | null {
    for (;;) {
      const end = this.#unread.indexOf(LF)
      if ((end === -1 ? this.#unread.length : end) >= LINE_LIMIT_BYTES)
        return fail({ detail: `a reply line of more than ${LINE_LIMIT_BYTES} octets` })
      if (end === -1) return null
      if (end === 0 || this.#unread[end - 1] !== CR) return fail({ detail: 'a reply line that does not end in CRLF' })
      const line = this.#unread.toString('utf8', 0, end - 1)
      this.#unread = this.#unread.subarray(end + 1)
      const reply = this.#takeLine(line)
      if (reply !== null) return reply
    }
  }

  /** RFC 5321 §4.2.1: each line but the last has a hyphen after the code, and the code is the same. */
  #takeLine(line: string): Result<Reply, ReplyProblem> | null {
    const match = LINE.exec(line)
    if (match === null) return fail({ detail: `"${printable(line.slice(0, 60))}" is no reply` })
    const code = Number(match[1])
    if (this.#lines.length > 0 && code !== this.#code) return fail({ detail: `a reply with two codes, ${this.#code} and ${code}` })
    if (this.#lines.length >= LINES_LIMIT) return fail({ detail: `a reply of more than ${LINES_LIMIT} lines` })
    this.#code = code
    this.#lines.push(printable(match[3] ?? ''))
    if (match[2] === '-') return null
    const lines = this.#lines
    this.#lines = []
    return ok(withEnhancedStatus(code, lines))
  }
}

/** RFC 2034 §4: the enhanced status stands at the start of every line; the first counts. */
function withEnhancedStatus(code: number, lines: readonly string[]): Reply {
  const enhanced = ENHANCED.exec(lines[0] ?? '')?.[1] ?? null
  if (enhanced === null || enhanced.charCodeAt(0) !== String(code).charCodeAt(0)) return { code, enhanced: null, lines }
  const prefix = `${enhanced} `
  return { code, enhanced, lines: lines.map(line => (line === enhanced ? '' : line.startsWith(prefix) ? line.slice(prefix.length) : line)) }
}

function printable(text: string): string {
  return UNPRINTABLE.test(text) ? text.replaceAll(ALL_UNPRINTABLE, ' ') : text
}

const EMPTY = Buffer.alloc(0)
const CR = 13
const LF = 10
/** A code, and text if anything follows. A space after a lone code is missing often enough to allow. */
const LINE = /^([2-5][0-9]{2})(?:([ -])([^]*))?$/
const ENHANCED = /^([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)/
const UNPRINTABLE = /[\p{Cc}\u2028\u2029]/u
const ALL_UNPRINTABLE = /[\p{Cc}\u2028\u2029]/gu
