/** The lines of a log file, one after the other; of standard input, too, and of a file that gzip made. */

import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import type { Place } from '../core/migrate/report.ts'
import { Problem } from './command.ts'
import { reason } from './directory.ts'

/** What no line of sendmail's reaches; the rest of such a line is not looked at. */
const LONGEST_LINE = 16_384

/** `-` is standard input. */
export async function forEachLine(file: string, take: (text: string, place: Place) => void): Promise<void> {
  const raw = file === '-' ? process.stdin : createReadStream(file)
  const plain = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw
  // An error of the file does not reach what it is piped into.
  const failed = new Promise<never>((_, reject) => {
    for (const stream of [raw, plain]) stream.on('error', error => reject(new Problem(`${file}: ${reason(error)}`)))
  })
  await Promise.race([failed, readLines(plain, file === '-' ? 'standard input' : file, take)])
}

async function readLines(stream: NodeJS.ReadableStream, file: string, take: (text: string, place: Place) => void): Promise<void> {
  let line = 0
  for await (const text of createInterface({ input: stream, crlfDelay: Infinity })) {
    line += 1
    take(text.slice(0, LONGEST_LINE), { file, line })
  }
}
