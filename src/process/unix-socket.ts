/**
 * A listening UNIX socket: bound before anybody drops privileges, with its permissions from the start (S24).
 *
 * What lies at its path is removed only if it is a socket that nobody listens on any more, and only
 * in a folder where nobody else could have put it.
 */

import { chmodSync, chownSync, lstatSync, readFileSync, statSync, unlinkSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import type { SocketPlace } from '../core/config/listeners-table.ts'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'

/** The problem says what to do. The umask of the process keeps everybody out until the mode is set. */
export async function bindUnixSocket({ unixPath, mode, group }: SocketPlace): Promise<Result<net.BoundSocket, string>> {
  const problem = problemOfPlace({ unixPath, group }) ?? (await clearPath(unixPath))
  if (problem !== null) return fail(problem)
  const groupId = group === null ? undefined : groupNamed(group)
  try {
    const socket = new net.BoundSocket({ path: unixPath } as net.BoundSocketOptions)
    if (groupId !== undefined) chownSync(unixPath, -1, groupId)
    chmodSync(unixPath, mode)
    return ok(socket)
  } catch (error) {
    return fail((error as Error).message)
  }
}

/** What keeps a socket from being there, whoever listens now. */
export function problemOfPlace({ unixPath, group }: Pick<SocketPlace, 'unixPath' | 'group'>): string | null {
  if (group !== null && groupNamed(group) === undefined) return `there is no group ${group}; make it with: groupadd --system ${group}`
  return problemOfFolder(path.dirname(unixPath))
}

/** Whoever may rename files in the folder could put a socket of his own in place of ours. */
function problemOfFolder(folder: string): string | null {
  try {
    const { mode, uid } = statSync(folder)
    const isSticky = (mode & 0o1000) !== 0
    if ((mode & 0o022) !== 0 && !isSticky) return `others may write to ${folder}; take that away with: chmod go-w ${folder}`
    return uid === 0 || uid === process.getuid?.() ? null : `${folder} belongs to another account; take a folder of your own`
  } catch {
    return `there is no folder ${folder}; make it first`
  }
}

/** Removes the socket that a Postern left behind which was killed. */
async function clearPath(unixPath: string): Promise<string | null> {
  const found = lstatSync(unixPath, { throwIfNoEntry: false })
  if (found === undefined) return null
  if (!found.isSocket()) return 'something else than a socket is there; move it away, or set another path'
  if (await isAnswered(unixPath)) return 'another program listens there; stop it, or set another path'
  unlinkSync(unixPath)
  return null
}

function isAnswered(unixPath: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = net.connect(unixPath)
    const settle = (answered: boolean): void => {
      socket.destroy()
      resolve(answered)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code !== 'ECONNREFUSED'))
  })
}

/** Undefined if there is no such group. */
function groupNamed(name: string): number | undefined {
  for (const line of readFileSync('/etc/group', 'utf8').split('\n')) {
    const [found = '', , id = ''] = line.split(':')
    if (found === name && /^\d+$/.test(id)) return Number(id)
  }
  return undefined
}
