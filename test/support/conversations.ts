/** Conversations whose client is played by a test: no socket, no spool, and a policy that accepts everything but what was revoked. */

import assert from 'node:assert/strict'
import { USUAL_TERMS } from '../../src/core/policy/session-terms.ts'
import { Conversation, type ConversationHost } from '../../src/relay/conversation.ts'
import type { Visit } from '../../src/relay/limiter.ts'
import type { ServerChannel } from '../../src/relay/ports.ts'
import { siteSettings } from '../transcripts/site.ts'
import { anyVisit } from './visits.ts'

export type PlayedClient = Partial<ServerChannel> & Pick<ServerChannel, 'read'>

export type Stage = Partial<Pick<ConversationHost, 'accept' | 'openDraft' | 'whyWithdrawn'>> & { readonly now?: () => number; readonly visit?: Visit }

/** What a test does not say must not happen. */
export function conversationWith(client: PlayedClient, { now = () => 0, accept = unexpected, openDraft = unexpected, whyWithdrawn = () => null, visit = anyVisit() }: Stage = {}): Conversation {
  const channel: ServerChannel = {
    remoteAddress: '192.0.2.7',
    remotePort: 1,
    proxyAddress: null,
    early: () => Promise.resolve(null),
    standBack: () => Promise.resolve(),
    wake: () => {},
    write: () => {},
    close: () => {},
    startTls: unexpected,
    channelBinding: () => null,
    ...client,
  }
  const accepted = { id: 'D1', verdict: 'accept', reply: null, holdReason: null, relay: true, because: [] } as const
  const withdrawn = { ...accepted, verdict: 'refuse', reply: { code: 550, enhanced: '5.7.1', text: 'Withdrawn' }, relay: false } as const
  const host: ConversationHost = {
    system: { now, newId: () => 'S1', random: () => 0 },
    decide: question => ({ kind: 'decided', decision: question.kind === 'standing' ? withdrawn : accepted }),
    accept,
    openDraft,
    wakeQueue: unexpected,
    whyWithdrawn,
    logins: { answer: unexpected },
    factSources: () => ({ resolver: { mx: unexpected, addresses: unexpected, ptr: unexpected }, ourNames: [], callOut: unexpected }),
    admit: unexpected,
    sessionTerms: () => ({ kind: 'terms', terms: USUAL_TERMS }),
  }
  const observer = { happened() {}, handshakeFailed: unexpected, decided() {}, overLimit: unexpected, loginFailed: unexpected, onTerms: unexpected, accepted() {}, failed: unexpected, closed() {} }
  return new Conversation(host, observer, channel, visit, siteSettings)
}

/** Lets everything happen that waits for nothing but its turn. */
export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function unexpected(): never {
  return assert.fail('this client asks for nothing of the kind')
}
