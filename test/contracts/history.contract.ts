/** What every history promises: the contract of `History` in relay/ports.ts, as tests. */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import type { DecisionRecord, TraceEvent } from '../../src/relay/admin.ts'
import type { History } from '../../src/relay/ports.ts'

/** A history, and what makes it write down what it holds in memory. */
export type OpenedHistory = { readonly history: History; settle(): Promise<void> }

export function historyContract(name: string, open: (t: TestContext) => Promise<OpenedHistory>): void {
  const promise = (what: string, run: (history: History, settle: () => Promise<void>) => Promise<void>): void => {
    test(`${name}: ${what}`, async t => {
      const { history, settle } = await open(t)
      await run(history, settle)
    })
  }

  promise('a decision is found by its id, at once and later', async (history, settle) => {
    for (const id of ['s1.1', 's1.2', 's10.1']) history.recordDecision(decision(id))
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(history.decision('s1.2'), decision('s1.2'))
      assert.deepEqual(history.decision('s10.1'), decision('s10.1'))
      for (const unknown of ['s1.3', 's1', 's', '', 's1.1 ']) assert.equal(history.decision(unknown), null, unknown)
      await settle()
    }
  })

  promise('the events of a message come in order of time, whenever they were recorded', async (history, settle) => {
    history.recordEvent(event('m1', 1, 'bob@example.net'))
    history.recordEvent(event('m2', 2, 'bob@example.net'))
    await settle()
    history.recordEvent(event('m1', 3, null))
    history.recordEvent(event('m1', 4, 'bob@example.net'))
    await settle()
    history.recordEvent(event('m1', 5, 'eve@example.net'))
    assert.deepEqual(history.events('m1').map(({ at }) => at), [1, 3, 4, 5])
    assert.deepEqual(history.events('m'), [])
    assert.deepEqual(history.events('m1 '), [])
  })

  promise('an address leads to all events of its messages, in any case', async (history, settle) => {
    for (let round = 0; round < 2; round++) {
      history.recordEvent(event(`m${round}`, 10 * round, 'Bob@Example.net'))
      history.recordEvent(event(`m${round}`, 10 * round + 1, 'eve@example.net'))
      history.recordEvent(event(`other${round}`, 10 * round + 2, 'ann@bob@example.net'))
      await settle()
    }
    assert.deepEqual(history.events('bob@EXAMPLE.net').map(({ at }) => at), [0, 1, 10, 11])
  })

  promise('a domain leads to the same events in each of its spellings', async (history, settle) => {
    for (const recipient of ['jo@bücher.example', 'jo@XN--bcher-kva.example']) history.recordEvent(event('m1', 1, recipient))
    for (let round = 0; round < 2; round++) {
      for (const spelling of ['jo@BÜCHER.example', 'Jo@xn--bcher-kva.example', 'jo@bücher.example.']) assert.equal(history.events(spelling).length, 2, spelling)
      assert.equal(history.events('jo@bucher.example').length, 0)
      await settle()
    }
  })

  promise('of an address with many messages the newest fifty are shown', async (history, settle) => {
    for (let i = 0; i < 70; i++) {
      history.recordEvent(event(`m${i}`, i, 'bob@example.net'))
      if (i % 30 === 0) await settle()
    }
    const shown = history.events('bob@example.net').map(({ at }) => at)
    assert.deepEqual(shown, Array.from({ length: 50 }, (_, i) => i + 20))
  })

  promise('names and texts of any kind are kept apart and whole', async (history, settle) => {
    const odd = ['a 000000000001', 'a', 'a b', '"q u"@example.net', 'é😀@bücher.example', 'x'.repeat(2_000)]
    for (const [i, address] of odd.entries()) history.recordEvent({ ...event(`m${i}`, i, address), text: `${address}\n"\u0000` })
    await settle()
    for (const [i, address] of odd.entries()) {
      assert.deepEqual(history.events(address), [{ ...event(`m${i}`, i, address), text: `${address}\n"\u0000` }])
    }
  })
}

export function event(messageId: string, at: number, recipient: string | null): TraceEvent {
  return { at, messageId, event: 'delivered', recipient, text: 'mx.example.net said 250' }
}

export function decision(id: string): DecisionRecord {
  const asker = {
    listener: 'submission',
    host: { address: '192.0.2.7', name: null },
    hello: 'laptop',
    identity: { kind: 'plaintext' },
    authentication: null,
  } as const
  return {
    at: 1,
    question: { kind: 'recipient', asker, reversePath: 'ann@example.org', forwardPath: 'bob@example.net' },
    decision: {
      id,
      verdict: 'refuse',
      reply: { code: 550, enhanced: '5.7.1', text: `Relaying denied (${id})` },
      holdReason: null,
      relay: false,
      because: [{ kind: 'rule', rule: 'noRelay', text: 'nothing allows it' }],
    },
  }
}
