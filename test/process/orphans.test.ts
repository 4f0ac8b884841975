/** No process of ours outlives the supervisor, whatever it was doing when that was killed. */

import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startPostern } from '../support/postern.ts'
import type { Postern } from '../support/postern.ts'
import { familyOf, signal, waitFor } from '../support/processes.ts'

let postern: Postern

before(async () => {
  postern = await startPostern({ settings: { queue: { workers: 1 } } })
})

after(async () => {
  await postern?.killAll()
  await postern?.dispose()
})

test('a worker that is starting when the supervisor is killed ends, too', async () => {
  const supervisor = postern.pid()
  const before = familyOf(supervisor)
  const { workers } = (await postern.json(['status'])) as { readonly workers: readonly { readonly pid: number }[] }
  for (const { pid } of workers) signal(pid, 'SIGKILL')
  // The next one is there, and still loads its source.
  for (;;) {
    if (familyOf(supervisor).some(pid => !before.includes(pid))) break
    await sleep(1)
  }
  signal(supervisor, 'SIGKILL')
  await waitFor('every process to be gone', () => familyOf(supervisor).length === 0, { told: () => familyOf(supervisor).join(' ') })
})
