/** ETRN in a session: who may ask, and what is answered when the queue has been woken (RFC 1985 §5). */

import type { Asker } from '../policy/decision.ts'
import { identityUnder } from '../policy/login.ts'
import { assert } from '../result.ts'
import type { Dialogue } from './dialogue.ts'
import { formatNode, grantsOf, type EtrnArgument, type EtrnGrant } from './etrn.ts'
import { policyRefusal, replies } from './reply.ts'
import type { SessionSettings } from './session-events.ts'

export class EtrnExchange {
  readonly #dialogue: Dialogue
  #node = ''
  #asked = 0

  constructor(dialogue: Dialogue) {
    this.#dialogue = dialogue
  }

  get #settings(): SessionSettings {
    return this.#dialogue.settings
  }

  /** What this client may ask for. */
  grants(asker: Asker): readonly EtrnGrant[] {
    const { etrn, logins } = this.#settings
    return grantsOf(etrn, identityUnder(logins.rule, asker))
  }

  ask(argument: EtrnArgument, asker: Asker): void {
    const { hostname, limits } = this.#settings
    if (argument.kind === 'queue') return this.#dialogue.reply(replies.etrnNoQueues)
    const { node } = argument
    this.#node = formatNode(node)
    this.#dialogue.consult({ kind: 'etrn', asker, node }, decision => {
      const refused = policyRefusal(decision)
      if (refused !== null) return this.#dialogue.reply(refused)
      // Each time the whole queue is looked through.
      if (++this.#asked > limits.messages) return this.#dialogue.hangUp(replies.tooManyMessages(hostname))
      this.#dialogue.wakeQueue(node)
    })
  }

  woken(messages: number | null): void {
    assert(this.#dialogue.turn === 'queue', 'the queue was to be woken')
    if (messages === null) return this.#dialogue.reply(replies.etrnFailed(this.#node))
    this.#dialogue.reply(messages === 0 ? replies.etrnNothing(this.#node) : replies.etrnStarted(messages, this.#node))
  }
}
