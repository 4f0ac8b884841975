/** S18: clients that hold a connection by doing nothing: neither speaking nor listening. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conversationWith, turn, type PlayedClient } from '../support/conversations.ts'
import { siteSettings } from '../transcripts/site.ts'

const COMMAND_MILLISECONDS = siteSettings.limits.commandSeconds * 1000

test('S18: a client that is silent is told so, and the connection ends', async () => {
  const { conversation, written, isOver } = start({ reads: true })
  await turn()
  const limit = conversation.deadline
  assert.equal(limit, COMMAND_MILLISECONDS)
  conversation.timeOut(limit + 1)
  await turn()
  assert.match(written.join(''), /^220 [^\r\n]*\r\n421 4\.4\.2 [^\r\n]*\r\nclosed$/)
  assert.equal(isOver(), true)
})

test('S18: a client that never reads our replies is cut off soon after its time is up', async () => {
  const { conversation, written, isOver } = start({ reads: false })
  await turn()
  conversation.timeOut(conversation.deadline + 1)
  await turn()
  assert.equal(isOver(), false, 'it is given a moment to hear the 421')
  assert.ok(conversation.deadline < COMMAND_MILLISECONDS + 60_000)
  conversation.timeOut(conversation.deadline + 1)
  await turn()
  assert.equal(isOver(), true)
  assert.equal(written.at(-1), 'closed')
})

test('S18: of the replies to a packet of commands, few are made before those are read', async () => {
  const { written, release } = start({ reads: false, says: `HELO client\r\n${'HELP\r\n'.repeat(10_000)}` })
  await turn()
  release()
  await turn()
  const octets = written.join('').length
  assert.ok(octets > 1000 && octets < 100_000, `${octets} octets were written`)
})

/** A conversation whose client says nothing, or one packet, and takes what we say or does not. */
function start({ reads, says = null }: { readonly reads: boolean; readonly says?: string | null }) {
  const written: string[] = []
  let wake = (): void => {}
  let release = (): void => {}
  const packets = says === null ? [] : [Buffer.from(says)]
  const client: PlayedClient = {
    read: () => packets.shift() ?? new Promise(resolve => (wake = () => resolve('woken'))),
    wake: () => wake(),
    write: bytes => {
      if (written.at(-1) === 'closed') return
      written.push(String(bytes))
      return reads ? undefined : new Promise(resolve => (release = resolve))
    },
    close: () => {
      if (written.at(-1) !== 'closed') written.push('closed')
      release()
      wake()
    },
  }
  const conversation = conversationWith(client)
  let over = false
  void conversation.run({ kind: 'plaintext' }).then(() => (over = true))
  return { conversation, written, isOver: () => over, release: () => release() }
}
