/**
 * A message on its way: its envelope, and what the queue knows of each recipient.
 *
 * Addresses are kept as the client typed them between the angle brackets, after parsing; they hold
 * no control characters. Times are milliseconds since 1970.
 */

import type { Holder } from '../names/identity.ts'

/** The SMTP envelope (RFC 5321 §2.3.1). */
export type Envelope = {
  /** '' is the null reverse-path. */
  readonly reversePath: string
  readonly recipients: readonly EnvelopeRecipient[]
  /** BODY= of MAIL. */
  readonly bodyType: BodyType
  /** SMTPUTF8 was given (RFC 6531). */
  readonly utf8: boolean
  readonly tls: TlsWish
  /** SIZE= as declared by the client, or null (RFC 1870). */
  readonly declaredSizeBytes: number | null
  /** RET= of MAIL: how much of the message a report of failure brings back; null leaves it to us (RFC 3461 §4.3). */
  readonly returned: 'FULL' | 'HDRS' | null
  /** ENVID= of MAIL, in xtext: what the sender calls this message; or null (RFC 3461 §4.4). */
  readonly envelopeId: string | null
  /** BY= of MAIL (RFC 2852), or null. */
  readonly deliverBy: DeliverBy | null
  /** HOLDFOR= or HOLDUNTIL= of MAIL (RFC 4865): not to be delivered before; or null. */
  readonly hold: Hold | null
  /** MT-PRIORITY= of MAIL (RFC 6710 §4), from -9 to 9, as far as the client may have it; 0 is everybody's. */
  readonly priority: number
}

/** Seconds from acceptance on; of a message that others have relayed late, less than none. */
export type DeliverBy = {
  readonly seconds: number
  /** What becomes of it then: it is returned, or delivery goes on and the sender is told. */
  readonly mode: 'return' | 'notify'
  /** The sender wants to hear from every relay on the way. */
  readonly trace: boolean
}

/** Seconds from acceptance on, or an instant. */
export type Hold = { readonly kind: 'for'; readonly seconds: number } | { readonly kind: 'until'; readonly at: number }

/**
 * What the sender wants of TLS on the whole way (RFC 8689 §4.1): `required` by REQUIRETLS of MAIL, else
 * `waived` by the header field `TLS-Required: No`. `encrypted` is ours, of reports about a message that
 * required TLS: asked for where it can be, and never in clear.
 */
export type TlsWish = 'required' | 'encrypted' | 'waived' | null

/** What RCPT named, and asked for. */
export type EnvelopeRecipient = {
  readonly forwardPath: string
  /** NOTIFY=: what the sender wants to hear of; [] for nothing (NEVER), null for the usual (RFC 3461 §4.1). */
  readonly notify: readonly NotifyOn[] | null
  /** ORCPT=, in ASCII: `rfc822;joe+2Btag@example.org`, `utf-8;j\x{FC}rgen@example.org`, or null (RFC 3461 §4.2, RFC 6533 §3). */
  readonly originalRecipient: string | null
}

export type NotifyOn = 'SUCCESS' | 'FAILURE' | 'DELAY'

/**
 * What the body may hold: ASCII, lines of any octets (RFC 6152), or any octets at all (RFC 3030 §3).
 * It is what the client said. The message itself may hold less.
 */
export type BodyType = '7BIT' | '8BITMIME' | 'BINARYMIME'

/** Where a message came from; for Received fields, `trace` and revocation. */
export type Origin = {
  readonly sessionId: string
  readonly listener: string
  readonly address: string
  readonly hello: string
  /** SHA-256 fingerprint of the verified certificate, lower-case hex, or null. */
  readonly fingerprint: string | null
  readonly holder: Holder['name'] | null
  /** The password that was logged in with, or null. */
  readonly passwordId: string | null
  /**
   * The client has proved who it is, or may relay. Of a stranger nobody knows whether the reverse-path is its
   * own or that of somebody who is to be annoyed by our reports.
   */
  readonly isKnown: boolean
}

export type RecipientState = 'waiting' | 'leased' | 'held' | 'delivered' | 'failed'

/** What has become of one recipient of a queued message. */
export type Recipient = {
  readonly address: string
  readonly state: RecipientState
  /** Those that the schedule made; one that was asked for before its time does not count (retry.ts). */
  readonly attempts: number
  /** When the next attempt is due. */
  readonly dueAt: number
  /** When it was due until somebody asked for an attempt at once; null if nobody has since the last one. */
  readonly plannedAt: number | null
  /** The last thing a next hop, DNS or the network said, in one line; null before the first attempt. */
  readonly lastReply: string | null
  /** A delay warning has been sent to the sender. */
  readonly warned: boolean
}

/** A message in the spool, without its body. */
export type QueuedMessage = {
  readonly id: string
  readonly envelope: Envelope
  readonly origin: Origin
  readonly acceptedAt: number
  readonly sizeBytes: number
  /** Why the message is held as a whole, or null. */
  readonly heldBecause: string | null
  /** An administrator has let it go although what it came in under counted no more. */
  readonly isSpared: boolean
  /** In the order of the envelope's. */
  readonly recipients: readonly Recipient[]
}
