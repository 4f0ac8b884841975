/**
 * `postern sendmail -bs`: the caller's SMTP goes to the relay, and the relay's replies come back.
 *
 * Both sides are listened to all the time: a relay that loses patience says so at once. Whose turn it
 * is, and how much may be sent, the session knows (core/sendmail/local-session.ts).
 */

import type { Readable, Writable } from 'node:stream'
import { LocalSession } from '../core/sendmail/local-session.ts'
import { ReplyParser } from '../core/smtp/reply-parser.ts'
import type { ClientChannel } from '../relay/ports.ts'

/** Longer than the relay's own patience. */
const SILENCE_SECONDS = 3600

export type Caller = { readonly input: Readable; readonly output: Writable; readonly hostname: string }

/** Resolves with how the session ended. The connection has been greeted, and is closed afterwards by whoever made it. */
export async function holdSession(channel: ClientChannel, caller: Caller): Promise<LocalSession['ending']> {
  const session = new LocalSession()
  const parser = new ReplyParser()
  // A caller that does not listen may still have something to say.
  caller.output.on('error', () => {})
  caller.output.write(`220 ${caller.hostname} ESMTP\r\n`)

  const hear = (bytes: Uint8Array | null): void => {
    if (bytes === null) return session.relayIsGone()
    if (session.isHeard) caller.output.write(bytes)
    parser.feed(bytes)
    for (let reply = parser.take(); reply !== null; reply = parser.take()) {
      if (!reply.ok) return session.relayIsGone()
      session.replied(reply.value)
    }
  }

  const input = caller.input.iterator({ destroyOnReturn: false })
  const listenToRelay = async (): Promise<() => void> => {
    channel.setDeadline(SILENCE_SECONDS)
    const bytes = await channel.read()
    return () => {
      fromRelay = null
      hear(bytes)
    }
  }
  const listenToCaller = async (): Promise<() => void> => {
    const { value, done } = await input.next()
    return () => {
      fromCaller = null
      if (done === true) session.end()
      else session.feed(value as Buffer)
    }
  }
  let fromRelay: Promise<() => void> | null = null
  let fromCaller: Promise<() => void> | null = null
  for (;;) {
    const octets = session.next()
    if (octets.length > 0) await channel.write(octets)
    if (session.turn === 'nobody') return session.ending
    fromRelay ??= listenToRelay()
    if (session.turn === 'caller') fromCaller ??= listenToCaller()
    const take = await Promise.race(fromCaller === null ? [fromRelay] : [fromRelay, fromCaller])
    take()
  }
}
