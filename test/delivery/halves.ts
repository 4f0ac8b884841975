/**
 * The client's half wired to the server's half, without a network between them: whatever one writes
 * reaches the other in pieces of the test's choosing.
 */

import { formatReply } from '../../src/core/smtp/reply.ts'
import { ServerSession } from '../../src/core/smtp/server-session.ts'
import type { SessionInput, SessionOutput, SessionSettings } from '../../src/core/smtp/session-events.ts'
import type { Envelope } from '../../src/core/message/envelope.ts'
import type { ClientChannel } from '../../src/relay/ports.ts'

export type Stored = { readonly envelope: Envelope; readonly bytes: Buffer }

const SETTINGS: SessionSettings = {
  listener: 'mx',
  hostname: 'mx.test',
  offersStartTls: false,
  greetDelaySeconds: 0,
  completesHeader: false,
  asksAboutAuthors: false,
  postmasterDomain: null,
  etrn: [],
  takesXclient: false,
  logins: { rule: 'any', byPassword: [], byToken: null },
  futureRelease: null,
  limits: {
    messageBytes: 1_000_000, recipients: 1000, messages: 1000, errors: 20, logins: 3, headerBytes: 100_000, headerFields: 1000, receivedFields: 100,
    commandSeconds: 300, dataSeconds: 180, messageSeconds: 3600,
  },
}

/** A channel to a server that accepts everything. `cut` gives the length of the next piece. */
export function channelToServer(cut: () => number): { readonly channel: ClientChannel; readonly stored: readonly Stored[] } {
  const session = new ServerSession(SETTINGS)
  const stored: Stored[] = []
  const replies: Buffer[] = []
  let isOpen = true
  let envelope: Envelope | null = null
  let body: Uint8Array[] = []

  const feed = (input: SessionInput): void => {
    if (!isOpen) return
    let answer: SessionInput | null = null
    for (const output of session.handle(input)) answer = perform(output) ?? answer
    if (answer !== null) feed(answer)
  }
  const perform = (output: SessionOutput): SessionInput | null => {
    switch (output.kind) {
      case 'reply':
        replies.push(...pieces(Buffer.from(formatReply(output.reply)), cut))
        return null
      case 'askPolicy':
        return {
          kind: 'decided',
          host: output.question.asker.host,
          decision: { id: 'd', verdict: 'accept', reply: null, holdReason: null, relay: true, because: [] },
        }
      case 'openMessage':
        envelope = output.envelope
        body = []
        return null
      case 'body':
        body.push(Buffer.from(output.bytes))
        return null
      case 'commitMessage':
        if (envelope !== null) stored.push({ envelope, bytes: Buffer.concat(body) })
        return { kind: 'stored', id: `q${stored.length}` }
      case 'close':
        isOpen = false
        return null
      case 'askCredentials':
      case 'completeHeader':
      case 'dropMessage':
      case 'startTls':
      case 'speakFor':
      case 'wakeQueue':
        return null
    }
  }

  feed({ kind: 'connected', address: '192.0.2.7', identity: { kind: 'plaintext' } })
  const channel: ClientChannel = {
    read: async () => replies.shift() ?? null,
    write: async bytes => {
      for (const piece of pieces(Buffer.from(bytes as string), cut)) feed({ kind: 'bytes', bytes: piece })
    },
    close: () => {
      isOpen = false
    },
    hasUnread: () => replies.length > 0,
    setDeadline: () => {},
    lostBecause: () => 'the server said nothing more',
    startTls: async () => ({ failed: 'no TLS in this test' }),
  }
  return { channel, stored }
}

function pieces(bytes: Buffer, cut: () => number): Buffer[] {
  const list: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + Math.max(1, cut())
    list.push(bytes.subarray(at, end))
    at = end
  }
  return list
}
