/**
 * What the relay needs from outside, and what that promises.
 *
 * Every implementation of a port is held to its comment by one contract test (test/contracts).
 */

import type { ClientIdentity, PeerCertificate, TlsParameters } from '../core/names/identity.ts'
import type { QueuedMessage, Recipient } from '../core/message/envelope.ts'
import type { HandshakeTerms } from '../core/policy/session-terms.ts'
import type { BindingType, ScramHash } from '../core/sasl/script.ts'
import type { TokenVerdict } from '../core/tokens/claims.ts'
import type { DecisionRecord, TraceEvent } from './admin.ts'

/** The clock and randomness. */
export type System = {
  /** Milliseconds since 1970. */
  now(): number
  /** At least 80 bits, lower-case letters and digits, unique among all processes and restarts. */
  newId(): string
  /** Uniform in [0, 1). */
  random(): number
}

/** Waiting. */
export type Timers = {
  /** Calls back once, after so many milliseconds, unless the returned function is called before. */
  after(milliseconds: number, callback: () => void): () => void
}

/** What passwords are made of and compared with. Rejects with TooBusy when more wait than may. */
export type PasswordCrypto = {
  argon2id(password: string, salt: Uint8Array, cost: { readonly memory: number; readonly passes: number; readonly parallelism: number }): Promise<Uint8Array>
  pbkdf2(hash: ScramHash, password: string, salt: Uint8Array, iterations: number): Promise<Uint8Array>
  hmac(hash: ScramHash, key: Uint8Array, message: string): Uint8Array
  digest(hash: ScramHash, octets: Uint8Array): Uint8Array
  /** In a time that does not depend on where they differ. */
  isSame(a: Uint8Array, b: Uint8Array): boolean
  random(octets: number): Uint8Array
  toBase64(octets: Uint8Array): string
  fromBase64(text: string): Uint8Array
}

/**
 * Whoever knows whether a token is good. Rejects if that cannot be found out now, with what is wrong and
 * nothing of the token: it goes into the log.
 */
export type TokenVerifier = {
  verify(token: string): Promise<TokenVerdict>
}

/** Nobody looked: there are too many to look at. */
export class TooBusy extends Error {}

/** Bytes to and from one peer: a socket, or in tests a script. */
export type Channel = {
  /** The next bytes, or null when the peer is gone. Rejects never. */
  read(): Promise<Uint8Array | null>
  /** Resolves when the bytes have been handed over and there is room for more. Rejects never. */
  write(bytes: Uint8Array | string): Promise<void>
  /** Ends the connection, letting written bytes out first. */
  close(): void
}

/** The receiving side of a connection. */
export type ServerChannel = Omit<Channel, 'read' | 'write'> & {
  /** Canonical, with IPv4-mapped IPv6 unwrapped. */
  readonly remoteAddress: string
  readonly remotePort: number
  /** The listed proxy that has named the client; null if the client itself has connected. */
  readonly proxyAddress: string | null
  /** As `Channel.read`, at once where bytes are waiting; 'woken' after `wake` was called. */
  read(): Promise<Uint8Array | null | 'woken'> | Uint8Array
  /** As `Channel.write`; no promise where there is room for more. */
  write(bytes: Uint8Array | string): Promise<void> | void
  /** Resolves when other connections have had their turn. */
  standBack(): Promise<void>
  /** Makes the current `read`, or else the next one, answer 'woken'. */
  wake(): void
  /**
   * Bytes that the client sends unasked within so many milliseconds from now; null if it waits for its
   * turn, as it should. Ends early with `wake`, and when the client is gone.
   */
  early(milliseconds: number): Promise<Uint8Array | null>
  /**
   * Hands the connection to TLS. Nothing may be unread. When the handshake fails the connection is
   * gone, and `failed` says why in one line.
   */
  startTls(terms: HandshakeTerms): Promise<ClientIdentity | { readonly kind: 'failed'; readonly failed: string }>
  /** What ties a login to this very TLS connection (RFC 9266, RFC 5929); null if there is no such thing here. */
  channelBinding(type: BindingType): Uint8Array | null
}

/** What the server at the other end proved when we are the client. */
export type ServerIdentity = {
  readonly tls: TlsParameters
  /** What its certificate says; null if it showed none. */
  readonly certificate: PeerCertificate | null
  /** Null if the chain leads to a trusted root; else why not. */
  readonly chainProblem: string | null
  /** The same, and null only if the certificate has the expected name too. */
  readonly problem: string | null
}

/** The sending side of a connection. */
export type ClientChannel = Channel & {
  /**
   * From now on the peer has so many seconds; the call replaces the one before. When they are over
   * the connection is closed and `read` gives null. Coarse: a second more or less does not matter.
   */
  setDeadline(seconds: number): void
  /** Why `read` gave null, in one line. */
  lostBecause(): string
  /** Bytes that arrived and have not been read; none may be left when TLS starts (S4). */
  hasUnread(): boolean
  startTls(request: ClientTls): Promise<ServerIdentity | { readonly failed: string }>
}

export type ClientTls = {
  /** Sent as SNI and matched with the certificate's subjectAltName. */
  readonly serverName: string
  /** PEM of the trusted CAs; null for the public ones. */
  readonly trustedPem: readonly string[] | null
  /** Our own certificate, shown if the server asks; null to show none. */
  readonly certificatePem: string | null
  readonly keyPem: string | null
  /** OpenSSL's options as bits, and its list of suites; null for the usual ones. */
  readonly options: number
  readonly ciphers: string | null
}

export type Dialer = {
  /** Opens a TCP connection within `timeoutSeconds`. Rejects never. */
  connect(request: {
    readonly address: string
    readonly port: number
    readonly timeoutSeconds: number
  }): Promise<ClientChannel | { readonly failed: string }>
}

/** DNS, as far as mail needs it. `failed` is SERVFAIL, a timeout or a bogus answer: try again later. */
export type DnsAnswer<Value> =
  | { readonly kind: 'found'; readonly values: readonly Value[] }
  /** The name does not exist (NXDOMAIN). */
  | { readonly kind: 'noName' }
  /** The name exists and has no record of this type. */
  | { readonly kind: 'noData' }
  | { readonly kind: 'failed'; readonly detail: string }

export type Resolver = {
  mx(domain: string): Promise<DnsAnswer<{ readonly preference: number; readonly host: string }>>
  /** IPv4 and IPv6 addresses. With a family: its records in DNS, whatever this machine calls so. */
  addresses(host: string, family?: 'ipv4'): Promise<DnsAnswer<string>>
  ptr(address: string): Promise<DnsAnswer<string>>
}

/** A message being written. Nothing of it counts until it is given to `enqueue`. */
export type Draft = {
  /**
   * Resolves when there is room for more. Rejects with SpoolFull or SpoolFailed. The bytes belong to
   * the draft from here on: whoever wrote them never changes them again.
   */
  write(bytes: Uint8Array): Promise<void> | void
  readonly sizeBytes: number
  /** Forgets the message and frees what it took. Safe to call at any time, any number of times. */
  drop(): Promise<void>
}

/** A message body to send. Memory stays bounded: chunks are at most 64 KiB. */
export type Body = {
  readonly sizeBytes: number
  chunks(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/** A message taken for an attempt; `due` are the indices of its recipients that are `leased` for it. */
export type Lease = {
  readonly message: QueuedMessage
  readonly due: readonly number[]
  readonly body: Body
}

/** What changes for one recipient when an attempt, or an administrator, is done with it. */
export type RecipientChange = {
  readonly index: number
  readonly recipient: Recipient
}

export type NewMessage = {
  readonly message: QueuedMessage
  readonly draft: Draft
}

export type QueueFilter = {
  readonly id?: string
  /** Whole address, `@domain`, or for a recipient `.domain` for all domains below it. */
  readonly sender?: string
  readonly recipient?: string
  readonly state?: Recipient['state']
  /** Accepted before this instant. */
  readonly acceptedBefore?: number
  /** Found in `lastReply`, without regard to case. */
  readonly error?: string
}

/**
 * Where messages wait. Every spool keeps this promise.
 *
 * A promise that resolves is on stable storage: the caller may say 250 on the strength of it. A
 * promise that rejects promises nothing: it may or may not have happened, and the caller must be
 * right either way.
 */
export type Spool = {
  /** An empty message; bytes over the inline threshold go to a file as they come. */
  draft(): Draft
  /**
   * Makes a message exist, durably. With `leased`, all its waiting recipients that are due belong to
   * the caller from the start (delivered from memory, never read back), and the lease is returned.
   * After a rejection the draft is still the caller's, to try again with or to drop.
   */
  enqueue(message: NewMessage, options: { readonly leased: boolean }): Promise<Lease>
  /**
   * Takes up to `limit` messages with recipients that are due, earliest first. No two callers get the
   * same. A store has one owner, whose death ends all leases.
   */
  claim(request: { readonly now: number; readonly limit: number }): Promise<readonly Lease[]>
  /** Gives what is left of a lease back untried; its recipients are waiting again, due as before. */
  giveBack(id: string): Promise<void>
  /**
   * Writes the results of an attempt down, in one step with the bounces that follow from it.
   * Recipients of the lease that are not among the changes stay leased (they go to another next hop,
   * which may be slower); the lease ends with the last of them. A message with no recipient left to
   * deliver is removed, body and all.
   */
  settle(id: string, changes: readonly RecipientChange[], bounces: readonly NewMessage[]): Promise<void>
  /** When the earliest message of which nobody has a lease is due; null if none. */
  nextDueAt(): number | null
  find(id: string): QueuedMessage | null
  /** A page of messages after the id `after`, in order of acceptance. */
  list(request: { readonly filter: QueueFilter; readonly after: string | null; readonly limit: number }): readonly QueuedMessage[]
  /** The stored message, for `queue show`. Null if there is none. */
  body(id: string): Body | null
  /**
   * Changes a message that nobody has leased: hold, release, retry, cancel. `change` is given the
   * current message and returns the new one; null removes it. Resolves false if it is gone or leased.
   */
  change(id: string, change: (message: QueuedMessage) => QueuedMessage | null): Promise<boolean>
  stats(): { readonly messages: number; readonly leased: number; readonly quarantinedRecords: number }
  /** Resolves when all that was promised is written and the store is closed. */
  close(): Promise<void>
}

/** No room: disk, inodes or the configured size. The client is told 452 4.3.1. */
export class SpoolFull extends Error {}

/** The store failed in another way. The client is told 451 4.3.0. */
export class SpoolFailed extends Error {}

/**
 * What happened, kept for `trace` and `explain ID`: bounded in number, and not part of any promise
 * to a client. A crash may lose the last moments of it.
 */
export type History = {
  recordDecision(record: DecisionRecord): void
  recordEvent(event: TraceEvent): void
  decision(id: string): DecisionRecord | null
  /** Events of a message id, or of all messages of an address (newest 50), in order of time. */
  events(of: string): readonly TraceEvent[]
}

/** Where log lines go: one JSON object a line. Fields hold nothing secret; values are escaped by the writer. */
export type Log = {
  info(fields: LogFields): void
  warn(fields: LogFields): void
  error(fields: LogFields): void
}

export type LogFields = { readonly event: string } & { readonly [field: string]: unknown }
