/**
 * What a DNS reply says about the name that was asked for.
 *
 * Aliases are followed within the reply, as the recursive server put them there. Names and addresses
 * are checked before anybody uses them: a label may hold any octets, and these end up in logs, bounces
 * and command lines (S10, S22).
 */

import net from 'node:net'
import type { Answer } from 'dns-packet'
import type { DnsAnswer } from '../relay/ports.ts'
import type { DnsQuestion, DnsReply } from './dns-exchange.ts'

export type Reading = {
  readonly answer: DnsAnswer<Answer>
  /** How long the answer may be kept. */
  readonly ttlSeconds: number
}

const MOST_ALIASES = 8
const MOST_TTL_SECONDS = 3600
const NEGATIVE_TTL_SECONDS = 300
const FAILURE_TTL_SECONDS = 5

export function readAnswer(question: DnsQuestion, reply: DnsReply): Reading {
  if (reply.rcode === 'NXDOMAIN') return { answer: { kind: 'noName' }, ttlSeconds: negativeTtl(reply) }
  if (reply.rcode !== 'NOERROR') return { answer: { kind: 'failed', detail: `the DNS server says ${reply.rcode}` }, ttlSeconds: FAILURE_TTL_SECONDS }
  const answers = reply.answers ?? []
  let name = question.name
  let ttlSeconds = MOST_TTL_SECONDS
  for (let aliases = 0; aliases <= MOST_ALIASES; aliases++) {
    const here = answers.filter(record => record.name.toLowerCase() === name)
    const found = here.filter(record => record.type === question.type)
    if (found.length > 0) return { answer: { kind: 'found', values: found }, ttlSeconds: Math.min(ttlSeconds, ...found.map(ttlOf)) }
    const alias = here.find(record => record.type === 'CNAME')
    if (alias?.type !== 'CNAME') return { answer: { kind: 'noData' }, ttlSeconds: Math.min(ttlSeconds, negativeTtl(reply)) }
    ttlSeconds = Math.min(ttlSeconds, ttlOf(alias))
    name = alias.data.toLowerCase()
  }
  return { answer: { kind: 'failed', detail: `${question.name} is an alias of an alias, without end` }, ttlSeconds: FAILURE_TTL_SECONDS }
}

/** MX records. `.` as a host is the null MX, and is kept (RFC 7505). */
export function readMx(answer: DnsAnswer<Answer>): DnsAnswer<{ readonly preference: number; readonly host: string }> {
  return mapFound(answer, record => {
    if (record.type !== 'MX') return null
    const host = record.data.exchange === '.' || record.data.exchange === '' ? '.' : hostName(record.data.exchange)
    return host === null ? null : { preference: record.data.preference ?? 0, host }
  })
}

export function readAddresses(answer: DnsAnswer<Answer>): DnsAnswer<string> {
  return mapFound(answer, record => ((record.type === 'A' || record.type === 'AAAA') && net.isIP(record.data) !== 0 ? record.data : null))
}

export function readNames(answer: DnsAnswer<Answer>): DnsAnswer<string> {
  return mapFound(answer, record => (record.type === 'PTR' ? hostName(record.data) : null))
}

/** A name as hosts may have it, in lower case and without the last dot; null if it is none. */
export function hostName(text: string): string | null {
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase()
  return name.length <= 253 && HOST_NAME.test(name) ? name : null
}

/** Keeps what `read` can read. Records that all make no sense are no reason to believe there are none. */
function mapFound<Value>(answer: DnsAnswer<Answer>, read: (record: Answer) => Value | null): DnsAnswer<Value> {
  if (answer.kind !== 'found') return answer
  const values = answer.values.map(read).filter(value => value !== null)
  return values.length > 0 ? { kind: 'found', values } : { kind: 'failed', detail: 'its records make no sense' }
}

function ttlOf(record: Answer): number {
  return 'ttl' in record ? (record.ttl ?? 0) : 0
}

/** RFC 2308 §5. */
function negativeTtl(reply: DnsReply): number {
  const soa = reply.authorities?.find(record => record.type === 'SOA')
  if (soa?.type !== 'SOA') return FAILURE_TTL_SECONDS
  return Math.min(ttlOf(soa), soa.data.minimum ?? 0, NEGATIVE_TTL_SECONDS)
}

/** Underscores are no part of a host name (RFC 1123 §2.1), and in use. */
const HOST_NAME = /^(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/
