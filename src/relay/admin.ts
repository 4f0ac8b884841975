/**
 * Everything an administrator can ask of a running Postern.
 *
 * The CLI asks over the control socket. Each request has one kind of answer, listed in `AdminAnswers`.
 */

import type { Decision, LoginQuestion, Question } from '../core/policy/decision.ts'
import type { Sample } from '../core/metrics/metrics.ts'
import type { QueuedMessage } from '../core/message/envelope.ts'
import type { KeyType } from '../core/pki/certificate-plan.ts'
import type { ScramHash } from '../core/sasl/script.ts'
import type { QueueFilter } from './ports.ts'

export type { KeyType } from '../core/pki/certificate-plan.ts'

export type AdminRequest =
  | { readonly do: 'status' }
  | { readonly do: 'reload' }
  /** Drains and stops. The answer comes before the stop is complete. */
  | { readonly do: 'stop' }
  | { readonly do: 'queueList'; readonly filter: QueueFilter; readonly limit: number }
  | { readonly do: 'queueShow'; readonly id: string }
  | { readonly do: 'queueChange'; readonly change: QueueChange; readonly filter: QueueFilter }
  | { readonly do: 'explain'; readonly id: string }
  /** A message id, or an address. */
  | { readonly do: 'trace'; readonly of: string }
  | { readonly do: 'authority'; readonly request: AuthorityRequest }
  | { readonly do: 'passwords'; readonly request: PasswordRequest }

/** `retry` makes waiting recipients due now; `wake` as well, but not of a message that its sender wants kept for later. */
export type QueueChange = 'hold' | 'release' | 'delete' | 'retry' | 'wake'

export type AdminAnswers = {
  status: Status
  reload: Reloaded
  stop: { readonly stopping: true }
  queueList: { readonly messages: readonly QueuedMessage[]; readonly more: boolean }
  /** The header section of the message as text, or null if there is no such message. */
  queueShow: { readonly message: QueuedMessage; readonly header: string } | null
  queueChange: QueueChanged
  explain: DecisionRecord | null
  trace: { readonly events: readonly TraceEvent[] }
  authority: AuthorityAnswer
  passwords: PasswordAnswer
}

export type QueueChanged = {
  readonly changed: readonly string[]
  /** Being delivered at this moment, and left as they are. */
  readonly busy: readonly string[]
  /** There was nothing to change: what is to be released is not held, what is to be tried is not waiting. */
  readonly untouched: readonly string[]
}

export type Reloaded = {
  /** The new settings hold; else all of the old ones do. */
  readonly inForce: boolean
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
  /** What has changed in the file and cannot change in a process that runs. */
  readonly afterRestart: readonly string[]
}

/** Answers carry either a value or a problem in words: what, where, what to do. */
export type AdminResult<Kind extends AdminRequest['do'] = AdminRequest['do']> =
  | { readonly ok: true; readonly answer: AdminAnswers[Kind] }
  | { readonly ok: false; readonly problem: string }

export type Status = {
  readonly version: string
  readonly pid: number
  readonly hostname: string
  readonly startedAt: number
  readonly listeners: readonly { readonly name: string; readonly address: string }[]
  readonly workers: readonly { readonly pid: number; readonly restarts: number; readonly sessions: number; readonly queued: number }[]
  readonly queue: { readonly messages: number; readonly quarantinedRecords: number }
  /** Settings that were taken at a reload, and are used after a restart. */
  readonly afterRestart: readonly string[]
  /** What was counted, over all workers. */
  readonly metrics: readonly Sample[]
  readonly certificates: readonly { readonly what: string; readonly subject: string; readonly notAfter: number; readonly isRevoked: boolean }[]
}

/** A decision with the question that led to it, as kept for `explain ID`. */
export type DecisionRecord = {
  readonly at: number
  readonly question: Question | LoginQuestion
  readonly decision: Decision
}

/** One event in the life of a message. `text` is one line, with nothing secret in it. */
export type TraceEvent = {
  readonly at: number
  readonly messageId: string
  readonly event: 'accepted' | 'delivered' | 'deferred' | 'failed' | 'bounced' | 'warned' | 'confirmed' | 'held' | 'released' | 'cancelled'
  readonly recipient: string | null
  readonly text: string
}

/** What the authority process does. Names of holders: letters, digits, `.`, `_`, `-`; at most 64. */
export type AuthorityRequest =
  | { readonly do: 'show' }
  | { readonly do: 'issueServer'; readonly names: readonly string[]; readonly keyType: KeyType; readonly days: number }
  | {
      readonly do: 'issueClient'
      readonly name: string
      readonly kind: 'person' | 'machine'
      readonly addresses: readonly string[]
      readonly dnsNames: readonly string[]
      /** Sender addresses or `@domains` beyond `addresses`. */
      readonly senders: readonly string[]
      readonly keyType: KeyType
      readonly days: number
      readonly format: 'p12' | 'p12-modern' | 'pem'
    }
  | { readonly do: 'list' }
  | { readonly do: 'revoke'; readonly name: string }
  /** Revokes what is live and takes the holder off the list. */
  | { readonly do: 'remove'; readonly name: string }
  /** What the workers must know of the index. */
  | { readonly do: 'index' }

/** About the passwords of one person or machine. A device is what a password is for, in the administrator's words. */
export type PasswordRequest =
  | { readonly do: 'list'; readonly name: string }
  | { readonly do: 'remove'; readonly name: string; readonly device: string }
  | {
      readonly do: 'set'
      readonly name: string
      readonly device: string
      /** Networks in CIDR form that it counts in; none for anywhere. */
      readonly networks: readonly string[]
      /** Null to have a strong one made. */
      readonly password: string | null
      /** The kinds of SCRAM keys to derive. */
      readonly scram: readonly ScramHash[]
    }

export type PasswordAnswer = {
  readonly name: string
  /** The names to log in with. */
  readonly logins: readonly string[]
  readonly passwords: readonly { readonly device: string; readonly createdAt: number; readonly networks: readonly string[] }[]
  /** The new password if it was made here: it is not kept, and shown once. */
  readonly made: string | null
}

export type AuthorityAnswer =
  | { readonly kind: 'shown'; readonly authority: AuthorityFacts }
  | { readonly kind: 'issuedServer'; readonly certificatePem: string; readonly keyPem: string; readonly notAfter: number }
  | { readonly kind: 'issuedClient'; readonly issued: IssuedClient }
  | { readonly kind: 'listed'; readonly holders: readonly HolderRecord[] }
  | { readonly kind: 'revoked'; readonly fingerprints: readonly string[] }
  | { readonly kind: 'index'; readonly index: CertificateIndex }

export type AuthorityFacts = {
  readonly rootPem: string
  readonly issuingPem: string
  readonly rootSubject: string
  readonly issuingSubject: string
  readonly rootNotAfter: number
  readonly issuingNotAfter: number
  readonly keyType: KeyType
  readonly issued: number
  readonly revoked: number
}

/** A new certificate and its key. The key exists here and with whoever asked, nowhere else. */
export type IssuedClient =
  | { readonly format: 'p12'; readonly p12Base64: string; readonly password: string; readonly fingerprint: string; readonly notAfter: number }
  | { readonly format: 'pem'; readonly certificatePem: string; readonly keyPem: string; readonly fingerprint: string; readonly notAfter: number }

export type HolderRecord = {
  readonly name: string
  readonly kind: 'person' | 'machine'
  readonly senders: readonly string[]
  readonly certificates: readonly {
    readonly serial: string
    readonly fingerprint: string
    readonly subject: string
    readonly issuedAt: number
    readonly notBefore: number
    readonly notAfter: number
    readonly revokedAt: number | null
    /** The certificate itself: base64 of its DER. */
    readonly certificate: string
  }[]
}

/** The index as workers need it: every live certificate of ours and every revoked one, by fingerprint. */
export type CertificateIndex = {
  readonly live: readonly { readonly fingerprint: string; readonly name: string; readonly kind: 'person' | 'machine'; readonly senders: readonly string[] }[]
  readonly revoked: readonly { readonly fingerprint: string; readonly name: string; readonly revokedAt: number }[]
}
