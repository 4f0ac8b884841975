/** A stop that comes while the authority is being started again ends that too. */

import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { test } from 'node:test'
import { AuthorityKeeper } from '../../src/process/authority-keeper.ts'
import { startAuthority } from '../../src/process/authority-process.ts'
import { makePostern } from '../support/postern.ts'

test('an authority that cannot be started is not tried again after a stop', async t => {
  const postern = await makePostern()
  t.after(() => postern.dispose())
  const started = await startAuthority(postern.folder, null)
  assert.ok(started.ok, 'the authority that init made starts')
  const events: unknown[] = []
  const note = (fields: { readonly event?: unknown }): void => void events.push(fields.event)
  await new Promise<void>(resolve => {
    const keeper = new AuthorityKeeper(started.authority, {
      async start() {
        keeper.stop()
        resolve()
        return { ok: false, problem: 'ca/ is not there' }
      },
      onBack: async () => note({ event: 'back' }),
      log: { info: note, warn: note, error: note },
    })
    keeper.watch()
    process.kill(started.authority.pid ?? assert.fail('it has ended'), 'SIGKILL')
  })
  await setImmediate()
  assert.deepEqual(events, ['authority-crashed'])
})
