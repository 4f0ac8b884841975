/**
 * Accepts connections within limits, and knows every conversation that is going on.
 *
 * Whatever happens to all sessions at once comes through here: silence that has lasted too long, a
 * revoked certificate, the end of the service.
 */

import type { Excess } from '../core/limits/limits.ts'
import type { Account, ClientIdentity } from '../core/names/identity.ts'
import type { Asker, ListenerName } from '../core/policy/decision.ts'
import { formatReply, limitRefusal } from '../core/smtp/reply.ts'
import type { SessionRules, SessionSettings } from '../core/smtp/session-events.ts'
import { Conversation } from './conversation.ts'
import type { ConversationHost, ConversationObserver } from './conversation.ts'
import { Visit } from './limiter.ts'
import type { ServerChannel } from './ports.ts'

export type ReceiverObserver = ConversationObserver & {
  connected(sessionId: string, listener: string, channel: ServerChannel, identity: ClientIdentity): void
  turnedAway(listener: string, address: string, why: string, reason: 'tls' | 'proxy'): void
  /** By a limit, before there is a session. Answers with the id that explains it, or null for one of too many alike. */
  turnedAwayByLimit(asker: Asker, hostname: string, excess: Excess): string | null
}

type RulesOf = (listener: ListenerName, channel: ServerChannel) => SessionRules | null

export class Receiver {
  readonly #host: ConversationHost
  readonly #observer: ReceiverObserver
  readonly #conversations = new Set<Conversation>()
  #open = 0
  #shuttingDown = false
  #emptied: (() => void) | null = null
  #rulesOf: RulesOf = () => null

  constructor(host: ConversationHost, observer: ReceiverObserver) {
    this.#host = host
    this.#observer = observer
  }

  get sessions(): number {
    return this.#open
  }

  /** Runs a connection to its end. Rejects never. */
  async serve(channel: ServerChannel, settings: SessionSettings, implicitTls: boolean): Promise<void> {
    const address = channel.remoteAddress
    const visit = this.#host.admit(address)
    if (!(visit instanceof Visit)) {
      const { listener, hostname } = settings
      const asker: Asker = { listener, host: { address, name: null }, hello: '', identity: { kind: 'plaintext' }, authentication: null }
      const id = this.#observer.turnedAwayByLimit(asker, hostname, visit)
      // Under implicit TLS a reply in the clear would be noise to the client.
      if (!implicitTls) await channel.write(formatReply(limitRefusal(visit, hostname, id)))
      return channel.close()
    }
    this.#open++
    try {
      await this.#converse(channel, visit, settings, implicitTls)
    } finally {
      visit.end()
      this.#open--
      if (this.#open === 0) this.#emptied?.()
    }
  }

  async #converse(channel: ServerChannel, visit: Visit, settings: SessionSettings, implicitTls: boolean): Promise<void> {
    const conversation = new Conversation(this.#host, this.#observer, channel, visit, settings)
    const rulesOf = this.#rulesOf
    let identity: ClientIdentity = { kind: 'plaintext' }
    if (implicitTls) {
      const outcome = await conversation.secureFirst()
      if (outcome.kind === 'failed') {
        visit.charge('errors', 1, this.#host.system.now())
        return this.#observer.turnedAway(settings.listener, channel.remoteAddress, `TLS handshake: ${outcome.failed}`, 'tls')
      }
      identity = outcome
    }
    this.#conversations.add(conversation)
    // During the handshake.
    if (this.#rulesOf !== rulesOf) this.#reload(conversation)
    this.#observer.connected(conversation.id, settings.listener, channel, identity)
    if (this.#shuttingDown) conversation.tell({ kind: 'shutDown' })
    try {
      await conversation.run(identity)
    } catch (error) {
      // Our own broken promise: it ends this session, and no other.
      this.#observer.failed(conversation.id, 'session', error)
    } finally {
      this.#conversations.delete(conversation)
    }
  }

  /** To be called about once a second: ends the conversations whose client has been silent too long, or whose token is over. */
  sweep(now: number): void {
    for (const conversation of this.#conversations) {
      if (conversation.deadline < now) conversation.timeOut(now)
      if ((conversation.account?.endsAt ?? Infinity) <= now) conversation.tell({ kind: 'loginEnded' })
    }
  }

  /** The settings were read again: what they make of each session. */
  reload(rulesOf: RulesOf): void {
    this.#rulesOf = rulesOf
    for (const conversation of this.#conversations) this.#reload(conversation)
  }

  #reload(conversation: Conversation): void {
    const rules = this.#rulesOf(conversation.listener, conversation.channel)
    if (rules !== null) conversation.reload(rules)
  }

  /** Takes from every live session what `judge` finds it has lost, and leaves it the identity that `judge` returns. */
  reviewIdentities(judge: (identity: ClientIdentity, account: Account | null) => ClientIdentity | null): number {
    let lost = 0
    for (const conversation of this.#conversations) {
      const identity = judge(conversation.identity, conversation.account)
      if (identity === null) continue
      conversation.loseIdentity(identity)
      lost++
    }
    return lost
  }

  /** Lets each session finish its transaction. Resolves when the last one is gone. */
  shutDown(): Promise<void> {
    this.#shuttingDown = true
    for (const conversation of this.#conversations) conversation.tell({ kind: 'shutDown' })
    if (this.#open === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#emptied = resolve
    })
  }
}
