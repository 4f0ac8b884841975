/**
 * Many clients that send without pause, by certificate, and note exactly what they were promised.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionOptions } from 'node:tls'
import { waitFor } from '../support/processes.ts'
import { SmtpClient } from '../support/smtp-client.ts'
import { writeMessage } from './messages.ts'
import type { Random } from '../support/random.ts'

export type Promised = {
  /** Names of the messages that got a 250, in which the server took responsibility (RFC 5321 §6.1). */
  readonly accepted: string[]
  /** The connection broke before a reply: nobody was promised anything. */
  unanswered: number
}

export type Load = {
  readonly promised: Promised
  /** Sends no more, and resolves when every client has stopped. */
  readonly stop: () => Promise<void>
}

export function startLoad(options: {
  readonly port: number
  readonly tls: ConnectionOptions
  readonly clients: number
  readonly round: number
  readonly random: Random
}): Load {
  const promised: Promised = { accepted: [], unanswered: 0 }
  const waiting = new Map<number, string>()
  const stopping = new AbortController()
  const client = async (number: number): Promise<void> => {
    for (let session = 0; !stopping.signal.aborted; session++) {
      const name = `r${options.round}-c${number}-s${session}`
      await oneSession(options, promised, name, what => waiting.set(number, `${name} waits for ${what}`)).catch(() => {})
      // After a kill nobody listens: a short rest, so that trying again does not become the load.
      if (!stopping.signal.aborted) await sleep(10)
    }
    waiting.delete(number)
  }
  const clients = Array.from({ length: options.clients }, (_, number) => client(number))
  return {
    promised,
    stop: async () => {
      stopping.abort()
      let stopped = false
      void Promise.all(clients).then(() => (stopped = true))
      await waitFor('every client to notice that the server is gone', () => stopped, { told: () => [...waiting.values()].join('\n') })
    },
  }
}

/** A few messages over one connection. Ends by an error when the server goes. */
async function oneSession(
  options: Parameters<typeof startLoad>[0],
  promised: Promised,
  name: string,
  waitsFor: (what: string) => void,
): Promise<void> {
  const { port, tls, random } = options
  waitsFor('a connection')
  const client = await SmtpClient.connect(port)
  try {
    waitsFor('the greeting and EHLO')
    await client.greet()
    waitsFor('STARTTLS and the handshake')
    await client.startTls(tls)
    waitsFor('EHLO over TLS')
    await client.command('EHLO laptop.example.test')
    for (let count = random.between(1, 5); count > 0; count--) {
      const message = `${name}-m${count}`
      waitsFor(`the replies to ${message}`)
      const reply = await client.deliver({ from: 'joe@example.test', to: 'ann@example.net', text: writeMessage(message, random) })
      if (reply.code === 250) promised.accepted.push(message)
      else if (reply.code === 0) promised.unanswered++
      if (reply.code !== 250) return
    }
    waitsFor('QUIT')
    await client.quit()
  } finally {
    client.destroy()
  }
}
