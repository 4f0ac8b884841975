/** What a server says after EHLO that it can do (RFC 5321 §4.1.1.1). */

import type { Reply } from './reply.ts'

export type Extensions = {
  /** RFC 2920 */
  readonly pipelining: boolean
  /** RFC 6152 */
  readonly eightBitMime: boolean
  /** RFC 3030 §2 */
  readonly chunking: boolean
  /** RFC 3030 §3 */
  readonly binaryMime: boolean
  /** RFC 6531 */
  readonly smtpUtf8: boolean
  /** RFC 3207 */
  readonly startTls: boolean
  /** RFC 1870: SIZE is offered. */
  readonly size: boolean
  /** The largest message it takes; null if it does not say. */
  readonly sizeLimitBytes: number | null
}

/** What a server can do that knows HELO only. */
export const NO_EXTENSIONS: Extensions = {
  pipelining: false,
  eightBitMime: false,
  chunking: false,
  binaryMime: false,
  smtpUtf8: false,
  startTls: false,
  size: false,
  sizeLimitBytes: null,
}

export function parseExtensions(hello: Reply): Extensions {
  const offered = new Map<string, string>()
  for (const line of hello.lines.slice(1)) {
    const [keyword = '', parameter = ''] = line.trim().split(/[ =]+/)
    offered.set(keyword.toUpperCase(), parameter)
  }
  return {
    pipelining: offered.has('PIPELINING'),
    eightBitMime: offered.has('8BITMIME'),
    chunking: offered.has('CHUNKING'),
    // RFC 3030 §3: it is nothing without CHUNKING.
    binaryMime: offered.has('BINARYMIME') && offered.has('CHUNKING'),
    smtpUtf8: offered.has('SMTPUTF8'),
    startTls: offered.has('STARTTLS'),
    size: offered.has('SIZE'),
    sizeLimitBytes: parseLimit(offered.get('SIZE') ?? ''),
  }
}

/** RFC 1870 §4: no number and 0 both mean that no limit is announced. */
function parseLimit(parameter: string): number | null {
  return /^[0-9]{1,15}$/.test(parameter) && Number(parameter) > 0 ? Number(parameter) : null
}
