/**
 * How far a client is let in: what the policy says of its connection and of its handshake, and what
 * becomes of its mail by that (RFC 5321 §3.1).
 */

import type { Asker, Decision } from '../policy/decision.ts'
import type { Dialogue } from './dialogue.ts'
import { fateOf, QUEUED, worseFate } from './mail-transaction.ts'
import { policyRefusal, replies, type Reply } from './reply.ts'
import type { MessageFate } from './session-events.ts'

/** How far the connection has come. */
type Phase =
  /** The policy is being asked whether to serve this client at all. */
  | 'connection'
  /** The policy is being asked about the TLS handshake. */
  | 'handshake'
  | 'commands'
  /** The greeting was a refusal; only QUIT is left. */
  | 'refused'

export class Admission {
  readonly #dialogue: Dialogue
  #phase: Phase = 'connection'
  #greeted = false
  #fate: MessageFate = QUEUED
  #handshakeRefusal: Reply | null = null

  constructor(dialogue: Dialogue) {
    this.#dialogue = dialogue
  }

  /** The policy has been asked, and not about mail. */
  get isAsking(): boolean {
    return this.#phase === 'connection' || this.#phase === 'handshake'
  }

  get isRefused(): boolean {
    return this.#phase === 'refused'
  }

  /** What becomes of every message here, by both decisions. */
  get fate(): MessageFate {
    return this.#fate
  }

  /** The policy's refusal of the handshake, given to each command that is about mail. */
  get handshakeRefusal(): Reply | null {
    return this.#handshakeRefusal
  }

  /** From the beginning. */
  ask(asker: Asker): void {
    this.#phase = 'connection'
    this.#greeted = false
    this.#handshakeRefusal = null
    this.#dialogue.ask({ kind: 'connection', asker })
  }

  askAboutHandshake(asker: Asker): void {
    this.#phase = 'handshake'
    this.#dialogue.ask({ kind: 'handshake', asker })
  }

  /** The policy's answer. `hasSpoken`: there are bytes of the client that nobody has read. */
  decided(decision: Decision, asker: Asker, hasSpoken: boolean): void {
    if (this.#phase === 'connection') this.#connectionDecided(decision, asker, hasSpoken)
    else this.#handshakeDecided(decision, hasSpoken)
  }

  /** RFC 5321 §3.1: a server that serves this client nothing says so instead of a greeting. */
  #connectionDecided(decision: Decision, asker: Asker, hasSpoken: boolean): void {
    const refused = policyRefusal(decision)
    if (refused !== null) {
      this.#phase = 'refused'
      return this.#dialogue.reply(refused)
    }
    this.#fate = fateOf(decision)
    if (asker.identity.kind !== 'plaintext') return this.askAboutHandshake(asker)
    this.#greet(hasSpoken)
  }

  /** As sendmail's tls_client: a refusal does not end the session, but no mail passes. */
  #handshakeDecided(decision: Decision, hasSpoken: boolean): void {
    const refused = policyRefusal(decision)
    if (refused?.code === 421) return this.#dialogue.hangUp(refused)
    this.#handshakeRefusal = refused
    this.#fate = worseFate(this.#fate, fateOf(decision))
    if (!this.#greeted) return this.#greet(hasSpoken)
    this.#phase = 'commands'
    this.#dialogue.yieldToClient()
  }

  /** A client that has spoken before the greeting was not speaking to us (S30). */
  #greet(hasSpoken: boolean): void {
    if (hasSpoken) return this.#dialogue.hangUp(replies.spokeBeforeGreeting)
    this.#phase = 'commands'
    this.#greeted = true
    const { hostname, listener } = this.#dialogue.settings
    this.#dialogue.reply(replies.greeting(hostname, listener === 'lmtp' ? 'LMTP' : 'ESMTP'))
  }
}
