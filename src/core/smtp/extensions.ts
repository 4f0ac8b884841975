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
  /** RFC 8689 */
  readonly requireTls: boolean
  /** RFC 3207 */
  readonly startTls: boolean
  /** RFC 3461 */
  readonly dsn: boolean
  /** RFC 2852: the least time that it takes a message with, in seconds; null: it does not know BY. */
  readonly deliverBy: { readonly leastSeconds: number } | null
  /** RFC 6710 */
  readonly mtPriority: boolean
  /** RFC 9422: recipients of one transaction, and transactions of one connection; null if it does not say. */
  readonly mostRecipients: number | null
  readonly mostTransactions: number | null
  /** Recipient domains over one connection (RFC 9422 §4.3), or null. */
  readonly mostDomains: number | null
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
  requireTls: false,
  startTls: false,
  dsn: false,
  deliverBy: null,
  mtPriority: false,
  mostRecipients: null,
  mostTransactions: null,
  mostDomains: null,
  size: false,
  sizeLimitBytes: null,
}

/** Keywords that a site may have us overlook. Not STARTTLS and REQUIRETLS: what TLS has to do is said by `tls`. */
export const IGNORABLE_KEYWORDS = [
  'PIPELINING', 'SIZE', '8BITMIME', 'SMTPUTF8', 'CHUNKING', 'BINARYMIME', 'DSN', 'DELIVERBY', 'MT-PRIORITY', 'LIMITS',
] as const
export type IgnorableKeyword = (typeof IGNORABLE_KEYWORDS)[number]

/** What the reply to EHLO offers, but for keywords that are to be ignored. */
export function parseExtensions(hello: Reply, ignored: readonly IgnorableKeyword[] = []): Extensions {
  const offered = new Map<string, string>()
  for (const line of hello.lines.slice(1)) {
    const [keyword = '', parameter = ''] = line.trim().split(/[ =]+/)
    offered.set(keyword.toUpperCase(), parameter)
  }
  for (const keyword of ignored) offered.delete(keyword)
  const limits = offered.has('LIMITS') ? parseLimits(hello.lines.find(line => /^LIMITS /i.test(line)) ?? '') : NO_LIMITS
  return {
    pipelining: offered.has('PIPELINING'),
    eightBitMime: offered.has('8BITMIME'),
    chunking: offered.has('CHUNKING'),
    // RFC 3030 §3: it is nothing without CHUNKING.
    binaryMime: offered.has('BINARYMIME') && offered.has('CHUNKING'),
    smtpUtf8: offered.has('SMTPUTF8'),
    requireTls: offered.has('REQUIRETLS'),
    startTls: offered.has('STARTTLS'),
    dsn: offered.has('DSN'),
    deliverBy: offered.has('DELIVERBY') ? { leastSeconds: parseLimit(offered.get('DELIVERBY') ?? '') ?? 0 } : null,
    mtPriority: offered.has('MT-PRIORITY'),
    mostRecipients: limits.get('RCPTMAX') ?? null,
    mostTransactions: limits.get('MAILMAX') ?? null,
    mostDomains: limits.get('RCPTDOMAINMAX') ?? null,
    size: offered.has('SIZE'),
    sizeLimitBytes: parseLimit(offered.get('SIZE') ?? ''),
  }
}

/** Of SIZE or DELIVERBY. RFC 1870 §4, RFC 2852 §3: no number and 0 both mean that no limit is announced. */
function parseLimit(parameter: string): number | null {
  return /^[0-9]{1,15}$/.test(parameter) && Number(parameter) > 0 ? Number(parameter) : null
}

const NO_LIMITS: ReadonlyMap<string, number> = new Map()

/** RFC 9422 §3: names of limits and their values; those that cannot be read do not count. */
function parseLimits(line: string): ReadonlyMap<string, number> {
  const limits = new Map<string, number>()
  for (const [, name = '', value = ''] of line.matchAll(/ ([A-Za-z0-9-]+)=([0-9]{1,6})(?= |$)/g)) {
    if (Number(value) > 0) limits.set(name.toUpperCase(), Number(value))
  }
  return limits
}
