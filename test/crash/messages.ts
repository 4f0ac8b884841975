/**
 * Messages that can be recognised and checked wherever they turn up: each says its name, and a digest of
 * its body.
 */

import { createHash } from 'node:crypto'
import type { Random } from '../support/random.ts'

/** Over the size up to which Postern keeps messages in its database (`queue.inline-size`). */
const LARGE_LINES = 1500

export function writeMessage(name: string, random: Random): string {
  const lines = random.chance(0.05) ? LARGE_LINES : random.between(1, 40)
  const body = Array.from({ length: lines }, (_, line) => `Line ${line} of ${name}, ${'x'.repeat(random.between(0, 60))}.\r\n`).join('')
  return `Subject: crash run\r\nX-Crash-Name: ${name}\r\nX-Crash-Digest: ${digestOf(body)}\r\n\r\n${body}`
}

/** The name of a message that arrived, and whether its body is what was sent. */
export function readMessage(text: string): { readonly name: string; readonly whole: boolean } {
  const end = text.indexOf('\r\n\r\n')
  const header = text.slice(0, end)
  const name = /^X-Crash-Name: (.*)$/m.exec(header)?.[1]?.trim() ?? 'a message of nobody'
  const digest = /^X-Crash-Digest: (.*)$/m.exec(header)?.[1]?.trim()
  return { name, whole: digest === digestOf(text.slice(end + 4)) }
}

function digestOf(body: string): string {
  return createHash('sha256').update(body, 'latin1').digest('hex')
}
