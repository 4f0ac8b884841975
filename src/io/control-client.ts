/**
 * Asks a running Postern, over the control socket of its data directory.
 */

import type { AdminRequest, AdminResult } from '../relay/admin.ts'
import { askControlSocket } from './control-socket.ts'

export type NotRunning = { readonly notRunning: true }

/** The answer that belongs to the request, or that nobody is there to answer. */
export async function askControl<Request extends AdminRequest>(
  directory: string,
  request: Request,
): Promise<AdminResult<Request['do']> | NotRunning> {
  const answer = await askControlSocket(directory, request)
  return answer === null ? { notRunning: true } : (answer as AdminResult<Request['do']>)
}
