import { openLmdbSpool } from '../../src/io/lmdb-spool.ts'
import { MemorySpool } from '../../src/io/memory-spool.ts'
import { emptyFolder, NOW } from '../support/queued.ts'
import { spoolContract } from './spool.contract.ts'

const now = (): number => NOW

spoolContract('memory', async () => new MemorySpool({ now }))
spoolContract('LMDB', async t => (await openLmdbSpool({ folder: emptyFolder(t), now })).spool)
// Every body in a file, even the shortest.
spoolContract('LMDB with body files', async t => (await openLmdbSpool({ folder: emptyFolder(t), now, inlineBytes: 0 })).spool)
