/**
 * What a client is refused by the protocol, and not by the policy: a message with a bare LF or of too
 * many octets, a line that is no command. The policy hears nothing of it, and yet an administrator who is
 * asked where a message is must find it.
 */

import { replies, type Reply } from '../core/smtp/reply.ts'
import type { SessionInput, SessionOutput } from '../core/smtp/session-events.ts'
import type { Log } from './ports.ts'

type Incoming = { readonly from: string; readonly isDropped: boolean }

export class Rejections {
  readonly #log: Log
  /** The messages that have begun, and have neither been taken nor refused. */
  readonly #incoming = new Map<string, Incoming>()
  /** What each session has been told: whoever says one wrong thing twenty times does not flood the log. */
  readonly #told = new Map<string, Set<string>>()
  /** What has been answered; a further reply is to commands that had come meanwhile. */
  readonly #answered = new WeakSet<SessionInput>()

  constructor(log: Log) {
    this.#log = log
  }

  happened(session: string, input: SessionInput, output: SessionOutput): void {
    const incoming = this.#incoming.get(session)
    switch (output.kind) {
      case 'openMessage':
        this.#incoming.set(session, { from: output.envelope.reversePath, isDropped: false })
        return
      case 'dropMessage':
        if (incoming !== undefined) this.#incoming.set(session, { ...incoming, isDropped: true })
        return
      case 'reply':
        this.#replied(session, input, output.reply, incoming)
        // The reply that says what has become of it comes right after the message was dropped.
        if (incoming?.isDropped === true) this.#incoming.delete(session)
        return
      case 'close':
        // Of a session that ends for what its client said, that has been written.
        if (input.kind === 'bytes') this.#incoming.delete(session)
        return
      case 'commitMessage':
        this.#incoming.delete(session)
    }
  }

  /** The connection is over, whoever has ended it. */
  closed(session: string): void {
    const incoming = this.#incoming.get(session)
    this.#incoming.delete(session)
    this.#told.delete(session)
    if (incoming !== undefined) this.#log.warn({ event: 'broken-off', session, from: incoming.from })
  }

  /**
   * What the policy, a limit or the keeper of passwords refuses has a line of its own, and so has what
   * could not be stored.
   */
  #replied(session: string, input: SessionInput, reply: Reply, incoming: Incoming | undefined): void {
    const isAnswer = input.kind !== 'bytes' && !this.#answered.has(input)
    this.#answered.add(input)
    if (reply.code < 400 || CONSEQUENCES.has(reply) || reply.lines.some(line => EXPLAINED.test(line))) return
    const told = this.#told.get(session) ?? new Set()
    this.#told.set(session, told)
    const text = `${reply.code} ${reply.enhanced} ${reply.lines.join(' ')}`
    if (told.has(text)) return
    told.add(text)
    if (isAnswer) return
    this.#log.warn({ event: 'rejected', session, ...(incoming === undefined ? {} : { from: incoming.from }), reply: text })
  }
}

/** What `postern explain` knows of has a line of its own. */
const EXPLAINED = / \(id \S+\)$/

/** Said because of something that has a line of its own: a refusal that the client had not heard of when it went on, or a login that failed. */
const CONSEQUENCES: ReadonlySet<Reply> = new Set([
  replies.mailFirst,
  replies.noValidRecipients,
  replies.noRecipientsInLmtp,
  replies.afterRefusedChunk,
  replies.authFailed,
  replies.tokenRefused,
])
