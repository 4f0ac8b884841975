/**
 * Many clients that send without pause, by certificate, and note exactly what they were promised.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionOptions } from 'node:tls'
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
  const stopping = new AbortController()
  const client = async (number: number): Promise<void> => {
    for (let session = 0; !stopping.signal.aborted; session++) {
      await oneSession(options, promised, `r${options.round}-c${number}-s${session}`).catch(() => {})
      // After a kill nobody listens: a short rest, so that trying again does not become the load.
      if (!stopping.signal.aborted) await sleep(10)
    }
  }
  const clients = Array.from({ length: options.clients }, (_, number) => client(number))
  return {
    promised,
    stop: async () => {
      stopping.abort()
      await Promise.all(clients)
    },
  }
}

/** A few messages over one connection. Ends by an error when the server goes. */
async function oneSession(options: Parameters<typeof startLoad>[0], promised: Promised, name: string): Promise<void> {
  const { port, tls, random } = options
  const client = await SmtpClient.connect(port)
  try {
    await client.greet()
    await client.startTls(tls)
    await client.command('EHLO laptop.example.test')
    for (let count = random.between(1, 5); count > 0; count--) {
      const message = `${name}-m${count}`
      const reply = await client.deliver({ from: 'joe@example.test', to: 'ann@example.net', text: writeMessage(message, random) })
      if (reply.code === 250) promised.accepted.push(message)
      else if (reply.code === 0) promised.unanswered++
      if (reply.code !== 250) return
    }
    await client.quit()
  } finally {
    client.destroy()
  }
}
