/**
 * What a submission server adds to the header of a message that lacks it (RFC 6409 §8).
 *
 * Programs of a site send messages without a date or an identification; here is the first place that
 * knows both. Nothing that the author wrote is changed. Mail on its way from other servers is never
 * completed: what it lacks, it lacked where it was written.
 */

import { domainOf } from '../names/address.ts'
import { wholeAddresses } from '../names/certificate-addresses.ts'
import type { Asker } from '../policy/decision.ts'
import { identityByPassword } from '../policy/login.ts'
import { parsePath, type Path } from '../smtp/path.ts'
import { formatDate } from './trace.ts'

/** What is missing. */
export type Completion = {
  readonly date: boolean
  readonly messageId: boolean
  /** The address to put into From; null if there is a From, or no address to name. */
  readonly from: string | null
}

/** Null if nothing is missing. `author` is who a message without From is from, if that is known. */
export function completionFor(names: ReadonlySet<string>, author: string | null): Completion | null {
  const date = !names.has('date')
  const messageId = !names.has('message-id')
  const from = names.has('from') ? null : author
  return date || messageId || from !== null ? { date, messageId, from } : null
}

/** The missing fields, each with its CRLF. */
export function formatCompletion(completion: Completion, stamp: { readonly at: number; readonly id: string; readonly hostname: string }): string {
  const { at, id, hostname } = stamp
  return [
    ...(completion.from === null ? [] : [`From: ${completion.from}\r\n`]),
    ...(completion.date ? [`Date: ${formatDate(at)}\r\n`] : []),
    ...(completion.messageId ? [`Message-ID: <${id}@${hostname}>\r\n`] : []),
  ].join('')
}

/**
 * Who a message without From is from: whoever its envelope names, else, under the null reverse-path,
 * the first address of the identity that sends it.
 */
export function presumedAuthor(reversePath: string, asker: Asker): string | null {
  if (reversePath !== '') return wholeAddress(reversePath)?.address ?? null
  const identity = identityByPassword(asker) ?? asker.identity
  if (identity.kind !== 'verified') return null
  const own = identity.holder === null ? wholeAddresses(identity.certificate) : identity.holder.senders
  return own.map(wholeAddress).find(path => path?.isAscii)?.address ?? null
}

/** Names in certificates hold anything: only what is one address with its domain goes into a header (S14). */
function wholeAddress(text: string): Path | null {
  const path = parsePath(`<${text}>`)
  return path.ok && domainOf(path.value.address) !== null ? path.value : null
}
