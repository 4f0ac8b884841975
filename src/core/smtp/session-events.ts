/**
 * What can happen to the server's half of a session, and what it can ask for.
 *
 * Facts go in (past participles), intentions come out (verbs). At most one output of a `handle`
 * waits for an answer (`startTls`, `askPolicy`, `askCredentials`, `wakeQueue`, `commitMessage`), and it
 * comes last. While it waits, bytes are kept and not read; so pipelining is correct by construction.
 */

import type { Excess } from '../limits/limits.ts'
import type { ClientIdentity } from '../names/identity.ts'
import type { Asker, Decision, ListenerName, Question } from '../policy/decision.ts'
import type { ServerFeatures } from '../policy/session-terms.ts'
import type { LoginSettings } from '../sasl/mechanisms.ts'
import type { CredentialAnswer, CredentialQuestion } from '../sasl/script.ts'
import type { Envelope } from '../message/envelope.ts'
import type { MessagePart } from '../message/header-section.ts'
import type { TransmissionType } from '../message/trace.ts'
import type { EtrnGrant, EtrnNode } from './etrn.ts'
import type { Reply } from './reply.ts'

/** What a session is told of its listener and its limits before it starts. */
export type SessionSettings = {
  readonly listener: ListenerName
  readonly hostname: string
  /** STARTTLS is offered and a certificate is there for it. */
  readonly offersStartTls: boolean
  /** Messages are submitted here, and get the header fields that they lack (RFC 6409 §8). */
  readonly completesHeader: boolean
  /** The policy wants to know who has written a message that passes because of who sends it. */
  readonly asksAboutAuthors: boolean
  /** `postmaster` there is plain `<postmaster>`; our own name, where no other mail is for it (RFC 5321 §4.5.1). */
  readonly postmasterDomain: string | null
  /** Who may ask for which waiting mail by ETRN. */
  readonly etrn: readonly EtrnGrant[]
  /** This very client is listed as one that speaks for others. */
  readonly takesXclient: boolean
  /** How long to wait before the greeting, where the access map does not say. */
  readonly greetDelaySeconds: number
  /** How clients may log in. */
  readonly logins: LoginSettings
  /** How far ahead a message may be submitted (RFC 4865), and so the latest instant of this session; null: it may not. */
  readonly futureRelease: { readonly mostSeconds: number; readonly latestAt: number } | null
  readonly limits: SessionLimits
}

/**
 * What of this is policy, and is so for sessions that are open as well: who may do what. Limits, and what
 * was offered, stay as they were when the session began.
 */
export type SessionRules = Pick<SessionSettings, 'asksAboutAuthors' | 'postmasterDomain' | 'etrn' | 'takesXclient' | 'logins'>

export type SessionLimits = {
  /** Octets of a message after dot removal; announced by SIZE. */
  readonly messageBytes: number
  /** Recipients of one transaction (RFC 5321 §4.5.3.1.8: at least 100). */
  readonly recipients: number
  /** Transactions on one connection. */
  readonly messages: number
  /** Commands that got a 4yz or 5yz before the connection is closed. */
  readonly errors: number
  /** Failed logins before the connection is closed. */
  readonly logins: number
  /** Octets of the header section, and fields in it. */
  readonly headerBytes: number
  readonly headerFields: number
  /** Received fields before a message counts as looping (RFC 5321 §6.3). */
  readonly receivedFields: number
  /** How long a client may take for a command, and be silent within a message (RFC 5321 §4.5.3.2). */
  readonly commandSeconds: number
  readonly dataSeconds: number
  /** How long one message may take from DATA to its end. */
  readonly messageSeconds: number
}

export type SessionInput =
  /** `identity` is not `plaintext` on an implicit TLS listener. Without `features` the client is offered what everybody is. */
  | { readonly kind: 'connected'; readonly address: string; readonly identity: ClientIdentity; readonly features?: ServerFeatures }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'tlsEstablished'; readonly identity: ClientIdentity }
  /** `host` is the asker's host with whatever name has been found meanwhile. */
  | { readonly kind: 'decided'; readonly decision: Decision; readonly host: Asker['host'] }
  /** A limit over several connections leaves no room: instead of `decided`, or at any time. `id` explains it. */
  | { readonly kind: 'overLimit'; readonly excess: Excess; readonly id: string }
  /** Whoever keeps the passwords has looked at what the client said; `id` explains a failure. */
  | { readonly kind: 'credentialsJudged'; readonly answer: CredentialAnswer; readonly id: string }
  | { readonly kind: 'stored'; readonly id: string }
  /** How many messages were made due; null if that failed. */
  | { readonly kind: 'queueWoken'; readonly messages: number | null }
  | { readonly kind: 'storageFailed'; readonly why: 'full' | 'failed' }
  /** It was accepted for an identity that counts no more. */
  | { readonly kind: 'withdrawn'; readonly decision: Decision }
  /** The client has been silent for `timeoutSeconds()`. */
  | { readonly kind: 'idle' }
  /** The settings were read again. */
  | { readonly kind: 'reloaded'; readonly rules: SessionRules }
  /** The server is going down; the session ends at the next command boundary. */
  | { readonly kind: 'shutDown' }
  /** The certificate or the password of this very session counts no more; `identity` is what is left. */
  | { readonly kind: 'identityLost'; readonly identity: ClientIdentity; readonly decision: Decision }
  /** The token of this session has reached its end. What has begun goes on; the session ends at the next command boundary. */
  | { readonly kind: 'loginEnded' }

export type SessionOutput =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'startTls' }
  /** The client speaks for this host from now on; `login` is what it says of an account there. */
  | { readonly kind: 'speakFor'; readonly host: Asker['host']; readonly login: string | null }
  | { readonly kind: 'askPolicy'; readonly question: Question }
  | { readonly kind: 'askCredentials'; readonly question: CredentialQuestion; readonly asker: Asker }
  /** The envelope is complete: `354` is about to be said, or the first chunk has been announced. */
  | {
      readonly kind: 'openMessage'
      readonly envelope: Envelope
      readonly asker: Asker
      readonly protocol: TransmissionType
      readonly delivery: MessageFate
      /** See `Origin`. */
      readonly isKnown: boolean
    }
  | MessagePart
  /** Makes what waits for these recipients due now (RFC 1985). */
  | { readonly kind: 'wakeQueue'; readonly node: EtrnNode }
  /** `waivesTls`: its header says that TLS need not be insisted on (RFC 8689 §3). */
  | { readonly kind: 'commitMessage'; readonly waivesTls: boolean }
  | { readonly kind: 'dropMessage' }
  /** The end of the connection, and of the message that is open, if one is. */
  | { readonly kind: 'close' }

/** What becomes of an accepted message: queued, queued and held, or silently dropped (DISCARD). */
export type MessageFate =
  | { readonly kind: 'queue' }
  | { readonly kind: 'hold'; readonly because: string }
  | { readonly kind: 'discard' }
