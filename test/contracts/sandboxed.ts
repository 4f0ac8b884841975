/**
 * A process that may do what a worker may, and uses a shard in every way: for spool-sandbox.test.ts.
 *
 * It stands in the spool's folder, reaches its shard by a relative path, and has given up root.
 */

import { openLmdbHistory } from '../../src/io/lmdb-history.ts'
import { openLmdbSpool } from '../../src/io/lmdb-spool.ts'
import { dropStartupPermissions } from '../../src/process/permissions.ts'
import { becomeAccount } from '../../src/process/run-as.ts'
import { drafted, NOW, recipient, textOf } from '../support/queued.ts'

const [uid = '', gid = ''] = process.argv.slice(2)
if (uid !== '') becomeAccount({ uid: Number(uid), gid: Number(gid) })
dropStartupPermissions()

const { spool } = await openLmdbSpool({ folder: '0', now: () => NOW })
const history = openLmdbHistory({ folder: '0' })
await spool.enqueue(await drafted(spool, 'small', 'small'), { leased: false })
await spool.enqueue(await drafted(spool, 'large', 'x'.repeat(300_000)), { leased: false })
for (const lease of await spool.claim({ now: NOW, limit: 9 })) {
  const text = await textOf(lease.body)
  history.recordEvent({ at: NOW, messageId: lease.message.id, event: 'delivered', recipient: 'bob@example.net', text: `${text?.length} bytes` })
  await spool.settle(lease.message.id, [{ index: 0, recipient: recipient({ state: 'delivered' }) }], [])
}
await history.flush()
console.log(JSON.stringify({ uid: process.getuid?.(), events: history.events('large').length, stats: spool.stats() }))
await history.close()
await spool.close()
