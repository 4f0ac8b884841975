/**
 * What ends with the certificates of a person or machine: its passwords, and the way of its queued mail.
 */

import { ok } from '../core/result.ts'
import { PasswordDesk } from '../process/password-desk.ts'
import type { HolderRecord } from '../relay/admin.ts'
import { Problem } from './command.ts'
import { plural, visible } from './output.ts'
import { askIfRunning } from './running.ts'

const MOST_HELD = 1_000_000

/** What the holder has passwords for; to be asked before. Whatever is wrong with those, a revocation does not wait for it. */
export async function devicesOf(directory: string, holders: readonly HolderRecord[], name: string): Promise<readonly string[]> {
  const request = { do: 'list', name } as const
  try {
    const running = await askIfRunning(directory, { do: 'passwords', request })
    const listed = running === null ? await new PasswordDesk(directory).handle(holders, request) : ok(running.value)
    return listed.ok ? listed.value.passwords.map(({ device }) => device) : []
  } catch (error) {
    if (error instanceof Problem) return []
    throw error
  }
}

/** What waits in the queue of a running Postern and goes nowhere. */
export async function countHeld(directory: string, name: string): Promise<number> {
  const held = await askIfRunning(directory, { do: 'queueList', filter: { state: 'held' }, limit: MOST_HELD })
  return held?.value.messages.filter(({ origin }) => origin.holder?.toLowerCase() === name.toLowerCase()).length ?? 0
}

export function wordsForRest({ name, passwords, held }: { readonly name: string; readonly passwords: readonly string[]; readonly held: number }): readonly string[] {
  const lines: string[] = []
  if (passwords.length > 0) lines.push(`${plural(passwords.length, 'password')} of ${visible(name)} ended: ${passwords.join(', ')}`)
  if (held > 0) lines.push(`${plural(held, 'message')} of ${visible(name)} in the queue ${held === 1 ? 'is' : 'are'} held: postern queue list --state held`)
  return lines
}
