/** What deliveries are governed by: from `[delivery]`, `[[route]]` and `[queue]` of postern.toml, and the access map. */

import type { RetrySchedule } from '../core/message/retry.ts'
import type { Routing } from '../core/message/route.ts'
import type { Policy } from '../core/policy/policy.ts'
import type { ClientTls } from './ports.ts'

export type DeliverySettings = {
  /** Our name in bounces. */
  readonly hostname: string
  /** What we say after EHLO. */
  readonly helloName: string
  /** Names in MX records, and of servers on port 25, that mean us, in lower case (RFC 5321 §5.1). */
  readonly ownNames: ReadonlySet<string>
  readonly routing: Routing
  /** The access map has a say in what a next hop must prove. */
  readonly policy: Policy
  /** Our certificate as a client; null if we have none. */
  readonly certificate: { readonly certificatePem: string; readonly keyPem: string } | null
  /** By the value of a TLS_Clt_Features line: how TLS is to be with a server that has it. */
  readonly sessionTls: ReadonlyMap<string, SessionTls>
  readonly retry: RetrySchedule
  readonly connectTimeoutSeconds: number
  readonly limits: DeliveryLimits
}

export type ClientTlsSettings = Pick<ClientTls, 'options' | 'ciphers' | 'certificatePem' | 'keyPem'>

export type SessionTls = (ClientTlsSettings & { readonly fallsBack: boolean | null }) | { readonly unusable: string }

export type DeliveryLimits = {
  /** Connections at one time to one next hop. */
  readonly connectionsPerHop: number
  /** Connections at one time in all. */
  readonly connections: number
  readonly messagesPerConnection: number
  /** RFC 5321 §4.5.3.1.8: every server takes 100. */
  readonly recipientsPerTransaction: number
  /** Messages that are held ready for delivery; the others wait in the spool. */
  readonly messagesInMemory: number
  readonly bytesInMemory: number
  /** How long a connection is kept for a next message. */
  readonly idleSeconds: number
  /** How long a next hop that failed is left alone. */
  readonly suspendSeconds: number
  /** How long transactions may go on after `stop`. */
  readonly drainSeconds: number
}

export const DEFAULT_LIMITS: DeliveryLimits = {
  connectionsPerHop: 20,
  connections: 200,
  messagesPerConnection: 100,
  recipientsPerTransaction: 100,
  messagesInMemory: 2000,
  bytesInMemory: 64 * 1024 * 1024,
  idleSeconds: 2,
  suspendSeconds: 30,
  drainSeconds: 20,
}
