/**
 * AUTH (RFC 4954): the frame in which SASL mechanisms run, from the command to its last reply.
 *
 * One login a session, in TLS, outside of mail transactions. Challenges and responses are base64
 * lines; `*` gives up. A client that has failed too often is not heard any longer (S16).
 */

import type { Asker, Authentication } from '../policy/decision.ts'
import { assert, type Result } from '../result.ts'
import { refusalBy, scriptOf } from '../sasl/mechanisms.ts'
import type { AuthenticationProblem, CredentialAnswer, CredentialQuestion, SaslFact, SaslScript } from '../sasl/script.ts'
import type { Command } from './command.ts'
import type { Dialogue } from './dialogue.ts'
import type { Line } from './line-reader.ts'
import { authenticationRefusal, replies, type Reply } from './reply.ts'
import type { SessionSettings } from './session-events.ts'

export class AuthExchange {
  readonly #dialogue: Dialogue
  #script: SaslScript | null = null
  /** Who has begun the exchange that is open. */
  #asker: Asker | null = null
  /** Of the failure that somebody has found in it. */
  #failureId: string | null = null
  #authentication: Authentication | null = null
  #failures = 0
  /** What the open exchange stands on has been taken away since it began. */
  #isVoid = false

  constructor(dialogue: Dialogue) {
    this.#dialogue = dialogue
  }

  get #settings(): SessionSettings {
    return this.#dialogue.settings
  }

  /** The login that has succeeded, if one has. */
  get authentication(): Authentication | null {
    return this.#authentication
  }

  /** A challenge has been sent: the next line is the response. */
  get isOpen(): boolean {
    return this.#script !== null
  }

  /** Whatever has been proved counts no more, and neither does what an open exchange may yet prove. */
  forget(): void {
    this.#authentication = null
    this.#isVoid = this.isOpen
  }

  /** RFC 4954 §4. `offered` is what EHLO lists. */
  begin({ mechanism, initialResponse }: Extract<Command, { verb: 'AUTH' }>, asker: Asker, offered: readonly string[]): void {
    if (this.#authentication !== null) return this.#dialogue.reply(replies.authTwice)
    if (!offered.includes(mechanism)) return this.#dialogue.reply(replies.authUnknownMechanism)
    this.#script = scriptOf(mechanism, asker.identity, this.#settings.logins.byToken)
    this.#asker = asker
    this.#failureId = null
    this.#isVoid = false
    const { value: first } = this.#script.next()
    // The initial response is the answer to the first challenge, which is then not sent.
    if (initialResponse !== null) return this.#respond(initialResponse)
    assert('kind' in first && first.kind === 'challenge', 'every mechanism begins with a challenge')
    this.#dialogue.reply(replies.authContinue(encodeBase64(first.text)))
  }

  /** The line after `334`. */
  read(line: Exclude<Line, { kind: 'bareLineEnd' }>): void {
    if (line.kind === 'line' && line.text !== '*') return this.#respond(line.text)
    this.#fail(line.kind === 'tooLong' ? replies.lineTooLong : authenticationRefusal('cancelled'))
  }

  /** What whoever keeps the passwords has found. Counted here: a client may end the exchange before it is told. */
  answered(answer: CredentialAnswer, id: string): void {
    if (answer.kind === 'failed') this.#failureId = id
    if (answer.kind === 'failed' && answer.problem === 'refused') this.#failures++
    this.#resume({ kind: 'answered', answer })
  }

  /** `=` and the empty line are the empty response (RFC 4954 §4). */
  #respond(line: string): void {
    const octets = line === '=' ? new Uint8Array() : decodeBase64(line)
    if (octets === null) return this.#end({ ok: false, problem: 'notBase64' })
    this.#resume({ kind: 'responded', octets })
  }

  #resume(fact: SaslFact): void {
    assert(this.#script !== null, 'an exchange is open')
    const step = this.#script.next(fact)
    if (step.done === true) return this.#end(step.value)
    if (step.value.kind === 'ask') return this.#ask(step.value.question)
    this.#dialogue.reply(replies.authContinue(encodeBase64(step.value.text)))
  }

  #ask(question: CredentialQuestion): void {
    assert(this.#asker !== null, 'an exchange is open')
    this.#dialogue.askCredentials(question, this.#asker)
  }

  #end(result: Result<Authentication, AuthenticationProblem>): void {
    if (!result.ok) return this.#fail(authenticationRefusal(result.problem, ABOUT_FORM.has(result.problem) ? null : this.#failureId))
    this.#script = null
    if (this.#isVoid) return this.#dialogue.reply(authenticationRefusal(refusalBy(result.value.mechanism)))
    this.#authentication = result.value
    this.#dialogue.reply(replies.authenticated)
  }

  #fail(reply: Reply): void {
    this.#script = null
    const { hostname, limits } = this.#settings
    if (this.#failures >= limits.logins) return this.#dialogue.hangUp(replies.tooManyLogins(hostname))
    this.#dialogue.reply(reply)
  }
}

/** Of these nobody has to be asked. */
const ABOUT_FORM: ReadonlySet<AuthenticationProblem> = new Set(['cancelled', 'notBase64', 'malformed'])

function encodeBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}

/** Null if it is no base64 (RFC 4648 §4): what a lenient reader would guess at is refused. */
function decodeBase64(text: string): Uint8Array | null {
  return BASE64.test(text) ? Buffer.from(text, 'base64') : null
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
