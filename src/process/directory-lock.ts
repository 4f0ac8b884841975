/** One Postern a data directory: two would deliver the same message twice. */

import path from 'node:path'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { askControlSocket } from '../io/control-socket.ts'

/** Refuses if a Postern answers on the directory's control socket. */
export async function takeDirectory(directory: string): Promise<Result<null, string>> {
  const answer = await askControlSocket(directory, { do: 'status' })
  if (answer === null) return ok(null)
  return fail(`${path.join(directory, 'control.sock')}: a Postern is already running on this data directory; stop it with: postern stop --dir ${directory}`)
}
