/**
 * What the server says in one session, and whose turn it is next.
 *
 * RFC 5321 §4.2: each command gets one reply. Refusals are counted here, in the one place through
 * which every reply goes, so that no command can be tried without end.
 */

import type { Asker, Decision, Question } from '../policy/decision.ts'
import type { CredentialQuestion } from '../sasl/script.ts'
import type { EtrnNode } from './etrn.ts'
import { replies, type Reply } from './reply.ts'
import type { SessionOutput, SessionRules, SessionSettings } from './session-events.ts'

/** Who is to speak. Bytes are read only while it is the client's turn; the others answer once. */
export type Turn = 'listener' | 'client' | 'policy' | 'credentials' | 'tls' | 'storage' | 'queue' | 'nobody'

export class Dialogue {
  #settings: SessionSettings
  #outputs: SessionOutput[] = []
  #turn: Turn = 'listener'
  #errors = 0
  #then: ((decision: Decision) => void) | null = null

  constructor(settings: SessionSettings) {
    this.#settings = settings
  }

  /** As they are now. */
  get settings(): SessionSettings {
    return this.#settings
  }

  reload(rules: SessionRules): void {
    this.#settings = { ...this.#settings, ...rules }
  }

  get turn(): Turn {
    return this.#turn
  }

  /** All that was said and asked for since the last call. */
  take(): SessionOutput[] {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  /** Asks for something that is not answered. */
  say(output: SessionOutput): void {
    this.#outputs.push(output)
  }

  /** A reply after which the client may go on. RFC 5321 §3.8: not after 421. */
  reply(reply: Reply): void {
    if (reply.code === 421) return this.hangUp(reply)
    this.say({ kind: 'reply', reply })
    this.#turn = 'client'
    if (reply.code < 400) return
    this.#errors++
    if (this.#errors >= this.#settings.limits.errors) this.hangUp(replies.tooManyErrors(this.#settings.hostname))
  }

  /** The same reply so many times, once at least; it counts once. */
  replyRepeatedly(reply: Reply, times: number): void {
    for (let said = 1; said < times; said++) this.say({ kind: 'reply', reply })
    this.reply(reply)
  }

  /** As `reply`, for a refusal that is no sign of trouble. */
  replyUncounted(reply: Reply): void {
    this.say({ kind: 'reply', reply })
    this.#turn = 'client'
  }

  /** Nothing to say: the client speaks next. */
  yieldToClient(): void {
    this.#turn = 'client'
  }

  ask(question: Question): void {
    this.say({ kind: 'askPolicy', question })
    this.#turn = 'policy'
  }

  /** As `ask`, for whoever wants the answer itself. */
  consult(question: Question, then: (decision: Decision) => void): void {
    this.ask(question)
    this.#then = then
  }

  /** True if that was the one who asked last. */
  answer(decision: Decision): boolean {
    const then = this.#then
    this.#then = null
    then?.(decision)
    return then !== null
  }

  askCredentials(question: CredentialQuestion, asker: Asker): void {
    this.say({ kind: 'askCredentials', question, asker })
    this.#turn = 'credentials'
  }

  startTls(): void {
    this.say({ kind: 'startTls' })
    this.#turn = 'tls'
  }

  wakeQueue(node: EtrnNode): void {
    this.say({ kind: 'wakeQueue', node })
    this.#turn = 'queue'
  }

  commit(waivesTls: boolean): void {
    this.say({ kind: 'commitMessage', waivesTls })
    this.#turn = 'storage'
  }

  /** The last reply, so many times. Whatever message is open is dropped with the connection. */
  hangUp(reply: Reply, times = 1): void {
    for (let said = 0; said < times; said++) this.say({ kind: 'reply', reply })
    this.say({ kind: 'close' })
    this.#turn = 'nobody'
  }
}
