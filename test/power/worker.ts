/** A process for crash tests: works in a spool and says on standard output what it was promised. */

import { writeSync } from 'node:fs'
import { openLmdbSpool } from '../../src/io/lmdb-spool.ts'
import { NOW } from '../support/queued.ts'
import { work } from './work.ts'

const [folder = '', rounds = ''] = process.argv.slice(2)
const { spool } = await openLmdbSpool({ folder, now: () => NOW, report: report => say(`reports ${report.kind}`) })
try {
  await work(spool, say, Number(rounds))
} catch (error) {
  say(`fails ${error instanceof Error ? error.constructor.name : 'otherwise'}`)
}
await spool.close()
say('closed')

/** At once, and past all buffers of ours: what was said before a crash was said. */
function say(line: string): void {
  writeSync(1, `${line}\n`)
}
