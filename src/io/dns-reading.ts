/**
 * What a DNS reply says about the name that was asked for.
 *
 * Aliases are followed within the reply, as the recursive server put them there. Names and addresses
 * are checked before anybody uses them: a label may hold any octets, and these end up in logs, bounces
 * and command lines (S10, S22).
 */

import net from 'node:net'
import type { Answer } from 'dns-packet'
import type { DnsQuestion, DnsReply } from './dns-exchange.ts'
import type { Reading } from './dns-memory.ts'

export type Exchanger = { readonly preference: number; readonly host: string }

const MOST_ALIASES = 8
/** More than anybody tries; a DNS message has room for thousands (S18). */
const MOST_VALUES = 32
const MOST_TTL_SECONDS = 3600
const NEGATIVE_TTL_SECONDS = 300
const FAILURE_TTL_SECONDS = 5

/** `read` takes from records of the type that was asked for what is to be kept of them, best first. */
export function readAnswer<Value>(question: DnsQuestion, reply: DnsReply, read: (records: readonly Answer[]) => readonly Value[]): Reading<Value> {
  if (reply.rcode === 'NXDOMAIN') return { answer: { kind: 'noName' }, ttlSeconds: negativeTtl(reply) }
  if (reply.rcode !== 'NOERROR') return failed(`the DNS server says ${reply.rcode}`)
  const answers = reply.answers ?? []
  let name = question.name
  let ttlSeconds = MOST_TTL_SECONDS
  for (let aliases = 0; aliases <= MOST_ALIASES; aliases++) {
    const here = answers.filter(record => record.name.toLowerCase() === name)
    const found = here.filter(record => record.type === question.type)
    if (found.length > 0) {
      const values = read(found).slice(0, MOST_VALUES)
      // Records that all make no sense are no reason to believe there are none.
      if (values.length === 0) return failed('its records make no sense')
      return { answer: { kind: 'found', values }, ttlSeconds: found.reduce((least, record) => Math.min(least, ttlOf(record)), ttlSeconds) }
    }
    const alias = here.find(record => record.type === 'CNAME')
    if (alias?.type !== 'CNAME') return { answer: { kind: 'noData' }, ttlSeconds: Math.min(ttlSeconds, negativeTtl(reply)) }
    ttlSeconds = Math.min(ttlSeconds, ttlOf(alias))
    name = alias.data.toLowerCase()
  }
  return failed(`${question.name} is an alias of an alias, without end`)
}

/** Mail exchangers. `.` as a host is the null MX, and is kept (RFC 7505). */
export function readExchangers(records: readonly Answer[]): readonly Exchanger[] {
  const exchangers = records.flatMap(record => {
    if (record.type !== 'MX') return []
    const host = record.data.exchange === '.' || record.data.exchange === '' ? '.' : hostName(record.data.exchange)
    return host === null ? [] : [{ preference: record.data.preference ?? 0, host }]
  })
  return exchangers.toSorted((a, b) => a.preference - b.preference)
}

export function readAddresses(records: readonly Answer[]): readonly string[] {
  return records.flatMap(record => ((record.type === 'A' || record.type === 'AAAA') && net.isIP(record.data) !== 0 ? [record.data] : []))
}

export function readNames(records: readonly Answer[]): readonly string[] {
  return records.flatMap(record => (record.type === 'PTR' ? (hostName(record.data) ?? []) : []))
}

/** A name as hosts may have it, in lower case and without the last dot; null if it is none. */
export function hostName(text: string): string | null {
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase()
  return name.length <= 253 && HOST_NAME.test(name) ? name : null
}

function failed(detail: string): Reading<never> {
  return { answer: { kind: 'failed', detail }, ttlSeconds: FAILURE_TTL_SECONDS }
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
