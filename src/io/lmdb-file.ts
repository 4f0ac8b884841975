/**
 * Is this a file that LMDB can open? Asked first, because the `lmdb` package does not survive the
 * wrong answer: a file that is cut short or overwritten at its beginning ends the process with a
 * segmentation fault, and a worker that is started again would only meet it again.
 */

import { closeSync, lstatSync, openSync, readSync, rmSync, constants } from 'node:fs'
import { SpoolFailed } from '../relay/ports.ts'

/**
 * Throws if there is a data file and it is not LMDB's. A file without room for more than the two
 * first pages is what a crash leaves of a making that was never finished: it holds nothing and is
 * removed.
 */
export function checkDataFile(folder: string): void {
  const path = `${folder}/data.mdb`
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined || found.size === 0) return
  const damaged = `${path} is damaged, or not a file of LMDB; move it elsewhere, keep it for recovery, and start again`
  if (!found.isFile()) throw new SpoolFailed(damaged)
  const { pageBytes, isWhole } = readHeader(path)
  if (isWhole) return
  if (found.size > 2 * pageBytes) throw new SpoolFailed(damaged)
  rmSync(path)
}

/** Both first pages say what they are; which of them counts is LMDB's to know. */
function readHeader(path: string): { readonly pageBytes: number; readonly isWhole: boolean } {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const first = Buffer.alloc(HEADER_BYTES)
    const second = Buffer.alloc(HEADER_BYTES)
    readSync(file, first, 0, HEADER_BYTES, 0)
    if (!first.subarray(MAGIC_AT, MAGIC_AT + MAGIC.length).equals(MAGIC)) return { pageBytes: USUAL_PAGE_BYTES, isWhole: false }
    const pageBytes = first.readUInt32LE(PAGE_SIZE_AT)
    readSync(file, second, 0, HEADER_BYTES, pageBytes)
    return { pageBytes, isWhole: second.subarray(MAGIC_AT, MAGIC_AT + MAGIC.length).equals(MAGIC) }
  } finally {
    closeSync(file)
  }
}

/** The layout of LMDB's data format 2: a page's own header, then magic, version, address, map size, page size. */
const MAGIC = Buffer.from([0xde, 0xc0, 0xef, 0xbe])
const MAGIC_AT = 24
const PAGE_SIZE_AT = 48
const HEADER_BYTES = 52
const USUAL_PAGE_BYTES = 4096
