/**
 * Puts a session's questions to the policy, and finds the facts that it lacks.
 *
 * What the policy accepts is charged to the visit; a limit that leaves no room for it is the answer then.
 */

import type { Excess } from '../core/limits/limits.ts'
import type { ClientIdentity } from '../core/names/identity.ts'
import type { Answer, Asker, ClientHost, Decision, KnownFacts, Missing, Question, Reason } from '../core/policy/decision.ts'
import type { SessionTerms, TermsAnswer } from '../core/policy/session-terms.ts'
import { assert } from '../core/result.ts'
import type { SessionInput, SessionRules, SessionSettings } from '../core/smtp/session-events.ts'
import { ClientFacts } from './client-facts.ts'
import type { FactSources } from './client-facts.ts'
import { Visit } from './limiter.ts'
import type { System } from './ports.ts'
import { failureDecision, limitDecision } from './unasked-refusals.ts'
import { excessOf } from './visit-charges.ts'

export type PolicyHost = {
  readonly system: System
  /** The current policy's answer; the policy is swapped whole on reload. */
  decide(question: Question, facts: KnownFacts, id: string): Answer
  /** What the access map says of this client's session. */
  sessionTerms(host: ClientHost): TermsAnswer
  /** What limits over several connections say to one more. */
  admit(address: string): Visit | Excess
  /** Where facts come from by the settings in force. */
  factSources(): FactSources
}

export type PolicyObserver = {
  decided(sessionId: string, question: Question, decision: Decision): void
  /** `decision` is what `explain` knows of it. */
  overLimit(sessionId: string, excess: Excess, question: Question, decision: Decision): void
  failed(sessionId: string, what: string, error: unknown): void
}

export class PolicyAsker {
  readonly #host: PolicyHost
  readonly #observer: PolicyObserver
  readonly #sessionId: string
  readonly #visit: Visit
  #settings: SessionSettings
  #facts: ClientFacts
  #decisions = 0
  /** The limit that the client exceeds for whom the peer speaks. */
  #refused: Excess | null = null
  /** The client as it was when the last question about it was asked. */
  #asker: Asker

  constructor(host: PolicyHost, observer: PolicyObserver, sessionId: string, address: string, visit: Visit, settings: SessionSettings) {
    this.#host = host
    this.#observer = observer
    this.#sessionId = sessionId
    this.#visit = visit
    this.#settings = settings
    this.#facts = new ClientFacts(host.factSources, { address, name: null })
    this.#asker = { listener: settings.listener, host: this.#facts.host, hello: '', identity: { kind: 'plaintext' }, authentication: null }
  }

  /** Questions to come are about this host, and so are limits; nothing that was found out about another counts for it. */
  speakFor(client: ClientHost): void {
    this.#facts = new ClientFacts(this.#host.factSources, client)
    const visit = this.#host.admit(client.address)
    if (visit instanceof Visit) this.#visit.become(visit, this.#host.system.now())
    else this.#refused = visit
  }

  reload(rules: SessionRules): void {
    this.#settings = { ...this.#settings, ...rules }
  }

  /** The client's address, and its name if that has been looked up. */
  get host(): ClientHost {
    return this.#facts.host
  }

  /** The terms of this session, before it begins. */
  terms(): SessionTerms | Promise<SessionTerms> {
    const answer = this.#host.sessionTerms(this.#facts.host)
    return answer.kind === 'terms' ? answer.terms : this.#termsWithFacts(answer.missing)
  }

  ask(question: Question): SessionInput | Promise<SessionInput> {
    const id = this.#nextId()
    this.#asker = question.asker
    this.#facts.beginQuestion()
    try {
      const answer = this.#host.decide(this.#withHost(question), this.#facts.known, id)
      if (answer.kind === 'decided') return this.#decided(question, answer.decision)
      return this.#askWithFacts(question, answer, id)
    } catch (error) {
      return this.#failed(question, id, error)
    }
  }

  /** Charges an error. A client that makes too many over all its connections loses this one as well. */
  erred(): Extract<SessionInput, { kind: 'overLimit' }> | null {
    const excess = this.#visit.use('errors', 1, this.#host.system.now())
    return excess === null ? null : this.#overLimit(excess, { kind: 'connection', asker: this.#asker }, this.#nextId(), [])
  }

  /** What the client had proved counts no more; this is left. Every refusal that follows from it has these reasons. */
  judgeStanding(identity: ClientIdentity): Decision {
    const question = this.#withHost({ kind: 'standing', asker: { ...this.#asker, identity, authentication: null }, holder: holderOf(this.#asker) })
    const answer = this.#host.decide(question, this.#facts.known, this.#nextId())
    assert(answer.kind === 'decided', 'nothing has to be found out for this')
    this.#observer.decided(this.#sessionId, question, answer.decision)
    return answer.decision
  }

  /** A client that logs in, as `explain` knows it. */
  loginOf(asker: Asker): { readonly sessionId: string; readonly id: string; readonly asker: Asker; readonly address: string } {
    const { host } = this.#facts
    return { sessionId: this.#sessionId, id: this.#nextId(), asker: { ...asker, host }, address: host.address }
  }

  #nextId(): string {
    return `${this.#sessionId}.${++this.#decisions}`
  }

  async #termsWithFacts(missing: Missing): Promise<SessionTerms> {
    await this.#facts.find(missing)
    const answer = this.#host.sessionTerms(this.#facts.host)
    assert(answer.kind === 'terms', 'the terms depend on the client\'s name alone')
    return answer.terms
  }

  /** Finds what is missing, one fact at a time, and asks again. */
  async #askWithFacts(question: Question, first: Answer, id: string): Promise<SessionInput> {
    let answer = first
    try {
      for (let round = 0; answer.kind === 'missing'; round++) {
        assert(round < MOST_FACTS, 'the policy asks for each fact once')
        await this.#facts.find(answer.missing)
        answer = this.#host.decide(this.#withHost(question), this.#facts.known, id)
      }
      return this.#decided(question, answer.decision)
    } catch (error) {
      return this.#failed(question, id, error)
    }
  }

  #decided(question: Question, decision: Decision): SessionInput {
    const excess = decision.verdict === 'refuse' ? null : this.#refused ?? excessOf(this.#visit, question, this.#settings.logins.rule, this.#host.system.now())
    if (excess !== null) return this.#overLimit(excess, question, decision.id, decision.because)
    this.#observer.decided(this.#sessionId, this.#withHost(question), decision)
    return { kind: 'decided', decision, host: this.#facts.host }
  }

  #overLimit(excess: Excess, question: Question, id: string, because: readonly Reason[]): Extract<SessionInput, { kind: 'overLimit' }> {
    const decision = limitDecision(id, excess, this.#settings.hostname, because)
    this.#observer.overLimit(this.#sessionId, excess, this.#withHost(question), decision)
    return { kind: 'overLimit', excess, id }
  }

  #failed(question: Question, id: string, error: unknown): SessionInput {
    this.#observer.failed(this.#sessionId, 'policy', error)
    const decision = failureDecision(id, question, this.#settings.hostname, error)
    this.#observer.decided(this.#sessionId, this.#withHost(question), decision)
    return { kind: 'decided', decision, host: this.#facts.host }
  }

  #withHost(question: Question): Question {
    return { ...question, asker: { ...question.asker, host: this.#facts.host } }
  }
}

/** Whoever has logged in with a password was taken for its holder. */
function holderOf({ identity, authentication }: Asker): string | null {
  return authentication?.account?.holder.name ?? (identity.kind === 'verified' ? (identity.holder?.name ?? null) : null)
}

/** More facts than any single question can lack. */
const MOST_FACTS = 16
