import assert from 'node:assert/strict'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { openLmdbHistory } from '../../src/io/lmdb-history.ts'
import { MemoryHistory } from '../../src/io/memory-history.ts'
import { emptyFolder } from '../support/queued.ts'
import { decision, event, historyContract } from './history.contract.ts'

historyContract('memory', async () => ({ history: new MemoryHistory(), settle: async () => {} }))

historyContract('LMDB', async t => {
  const history = openLmdbHistory({ folder: emptyFolder(t) })
  t.after(() => history.close())
  return { history, settle: () => history.flush() }
})

test('what was recorded is there when the history is opened again', async t => {
  const folder = emptyFolder(t)
  for (let life = 0; life < 3; life++) {
    const history = openLmdbHistory({ folder })
    history.recordDecision(decision(`s${life}.1`))
    history.recordEvent(event('m1', life, 'bob@example.net'))
    assert.equal(history.events('m1').length, life + 1)
    assert.notEqual(history.decision('s0.1'), null)
    await history.close()
  }
})

test('the oldest go first, and the log stays as long as it may be', async t => {
  const folder = emptyFolder(t)
  const history = openLmdbHistory({ folder, mostDecisions: 100, mostEvents: 200 })
  t.after(() => history.close())
  for (let i = 0; i < 5_000; i++) {
    history.recordDecision(decision(`s${i}.1`))
    for (const at of [1, 2]) history.recordEvent(event(`m${i}`, i + at / 4, `user${i % 50}@example.net`))
    if (i % 40 === 0) await history.flush()
  }
  await history.flush()
  const known = Array.from({ length: 5_000 }, (_, i) => i).filter(i => history.decision(`s${i}.1`) !== null)
  assert.ok(known.length >= 60 && known.length <= 100, `${known.length} decisions are known`)
  assert.equal(known[0], 5_000 - known.length, 'the newest ones')
  const messages = Array.from({ length: 5_000 }, (_, i) => i).filter(i => history.events(`m${i}`).length > 0)
  assert.ok(messages.length >= 90 && messages.length <= 100, `${messages.length} messages have events`)
  assert.ok(history.events('user1@example.net').length <= 8, 'an address leads to nothing that was forgotten')
  assert.ok(statSync(path.join(folder, 'history', 'data.mdb')).size < 4_000_000)
})

test('a history that was damaged is begun anew', async t => {
  const folder = emptyFolder(t)
  const first = openLmdbHistory({ folder })
  first.recordDecision(decision('s1.1'))
  await first.close()
  for (const file of readdirSync(path.join(folder, 'history'))) writeFileSync(path.join(folder, 'history', file), 'not a database')
  const history = openLmdbHistory({ folder })
  assert.equal(history.decision('s1.1'), null)
  history.recordDecision(decision('s2.1'))
  await history.flush()
  assert.notEqual(history.decision('s2.1'), null)
  await history.close()
})
