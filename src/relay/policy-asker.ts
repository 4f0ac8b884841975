/**
 * Puts a session's questions to the policy, and finds the facts that it lacks.
 *
 * What the policy accepts is charged to the visit; a limit that leaves no room for it is the answer then.
 */

import type { Excess } from '../core/limits/limits.ts'
import type { Answer, ClientHost, Decision, KnownFacts, Missing, Question } from '../core/policy/decision.ts'
import type { LoginRule } from '../core/policy/login.ts'
import type { SessionTerms, TermsAnswer } from '../core/policy/session-terms.ts'
import { assert } from '../core/result.ts'
import type { SessionInput } from '../core/smtp/session-events.ts'
import { ClientFacts } from './client-facts.ts'
import type { FactSources } from './client-facts.ts'
import { Visit } from './limiter.ts'
import type { System } from './ports.ts'
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
  decided(sessionId: string, decision: Decision): void
  overLimit(sessionId: string, address: string, excess: Excess): void
  failed(sessionId: string, what: string, error: unknown): void
}

export class PolicyAsker {
  readonly #host: PolicyHost
  readonly #observer: PolicyObserver
  readonly #sessionId: string
  readonly #visit: Visit
  readonly #rule: LoginRule
  #facts: ClientFacts
  #decisions = 0
  /** The limit that the client exceeds for whom the peer speaks. */
  #refused: Excess | null = null

  constructor(host: PolicyHost, observer: PolicyObserver, sessionId: string, address: string, visit: Visit, rule: LoginRule) {
    this.#host = host
    this.#observer = observer
    this.#sessionId = sessionId
    this.#visit = visit
    this.#rule = rule
    this.#facts = new ClientFacts(host.factSources, { address, name: null })
  }

  /** Questions to come are about this host, and so are limits; nothing that was found out about another counts for it. */
  speakFor(client: ClientHost): void {
    this.#facts = new ClientFacts(this.#host.factSources, client)
    const visit = this.#host.admit(client.address)
    if (visit instanceof Visit) this.#visit.become(visit, this.#host.system.now())
    else this.#refused = visit
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
    const id = `${this.#sessionId}.${++this.#decisions}`
    this.#facts.beginQuestion()
    try {
      const answer = this.#host.decide(this.#withHost(question), this.#facts.known, id)
      if (answer.kind === 'decided') return this.#decided(question, answer.decision)
      return this.#askWithFacts(question, answer, id)
    } catch (error) {
      return this.#failed(error)
    }
  }

  /** Charges an error. A client that makes too many over all its connections loses this one as well. */
  erred(): Extract<SessionInput, { kind: 'overLimit' }> | null {
    const excess = this.#visit.use('errors', 1, this.#host.system.now())
    return excess === null ? null : this.#overLimit(excess)
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
      return this.#failed(error)
    }
  }

  #decided(question: Question, decision: Decision): SessionInput {
    this.#observer.decided(this.#sessionId, decision)
    const excess = decision.verdict === 'refuse' ? null : this.#refused ?? excessOf(this.#visit, question, this.#rule, this.#host.system.now())
    return excess === null ? { kind: 'decided', decision, host: this.#facts.host } : this.#overLimit(excess)
  }

  #overLimit(excess: Excess): Extract<SessionInput, { kind: 'overLimit' }> {
    this.#observer.overLimit(this.#sessionId, this.#facts.host.address, excess)
    return { kind: 'overLimit', excess }
  }

  #failed(error: unknown): SessionInput {
    this.#observer.failed(this.#sessionId, 'policy', error)
    return { kind: 'policyFailed' }
  }

  #withHost(question: Question): Question {
    return { ...question, asker: { ...question.asker, host: this.#facts.host } }
  }
}

/** More facts than any single question can lack. */
const MOST_FACTS = 16
