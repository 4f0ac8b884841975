/** Questions to next hops for tests: the real dialer and scripts over loopback, with the clock of relay.ts. */

import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { dialer } from '../../src/io/dialer.ts'
import type { CalloutAnswer } from '../../src/core/policy/decision.ts'
import { Callouts } from '../../src/relay/callouts.ts'
import type { DeliverySettings } from '../../src/relay/delivery-settings.ts'
import { startRawServer, startRelay, type RelayOptions } from './relay.ts'

type Test = Pick<TestContext, 'after'>

export async function startCallouts(t: Test, options: RelayOptions) {
  const { clock, settings } = await startRelay(t, options)
  const nothing = async (): Promise<{ kind: 'noName' }> => ({ kind: 'noName' })
  const told: CalloutAnswer[] = []
  const callouts = new Callouts(
    {
      system: { now: () => clock.now, newId: () => '', random: () => 0 },
      timers: clock.timers,
      dialer,
      resolver: { mx: nothing, addresses: nothing, ptr: nothing },
      observer: { calledOut: (_recipient, _hop, answer) => void told.push(answer) },
    },
    settings,
  )
  return {
    clock,
    told,
    ask: (recipient: string, client: string) => callouts.ask(recipient, client, false),
    /** In one line: `no: 550 …`. */
    said: async (recipient: string, client = '192.0.2.7', requiresTls = false): Promise<string> => inOneLine(await callouts.ask(recipient, client, requiresTls)),
    reconfigure: (changes: Partial<DeliverySettings>) => callouts.reconfigure({ ...settings, ...changes }),
  }
}

export function inOneLine({ says, detail }: CalloutAnswer): string {
  return `${says}: ${detail}`
}

/** A next hop that answers RCPT as told; null is no answer at all. */
export async function startHop(t: Test, answer: (recipient: string) => string | null) {
  let last = null as Socket | null
  const server = await startRawServer(t, (line, socket) => {
    last = socket
    const recipient = /^RCPT TO:<(.*)>/.exec(line)?.[1]
    const reply = recipient === undefined ? '250 ok' : answer(recipient)
    if (reply !== null) socket.write(`${reply}\r\n`)
    if (line === 'QUIT') socket.end()
  })
  return { ...server, say: (text: string) => last?.write(text), asked: () => server.lines().flatMap(line => /^RCPT TO:<(.*)>/.exec(line)?.[1] ?? []) }
}
