/**
 * The authority's own first lines: it opens or makes `ca/`, then answers one request after another.
 *
 * It ends with the process that started it. Each request that was answered is on disk by then.
 */

import { randomBytes } from 'node:crypto'
import { initAuthority, openAuthority } from '../io/authority-folder.ts'
import type { Authority, AuthorityResult } from '../relay/authority.ts'
import type { FromAuthority, ToAuthority } from './messages.ts'
import { parseAuthorityRequest } from './messages.ts'

const world = { now: () => Date.now(), randomBytes: (size: number) => randomBytes(size) }
let authority: Authority | null = null

// What others may read, the authority gives them by itself.
process.umask(0o077)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('disconnect', () => void end())
process.on('message', (message: ToAuthority) => void receive(message))

async function receive(message: ToAuthority): Promise<void> {
  const result = await act(message)
  const answer: FromAuthority = { kind: 'answer', requestId: message.requestId, result }
  if (process.connected) process.send?.(answer)
}

async function act(message: ToAuthority): Promise<AuthorityResult> {
  switch (message.kind) {
    case 'open': {
      const opened = await openAuthority({ folder: message.folder, passphrase: message.passphrase, ...world })
      return show(opened)
    }
    case 'create': {
      const { folder, passphrase, plan } = message
      const made = await initAuthority({ folder, passphrase, ...plan, caName: plan.caName ?? null, ...world })
      return show(made)
    }
    case 'request': {
      const request = parseAuthorityRequest(message.request)
      if (request === null) return { ok: false, problem: 'the authority was asked for something it does not know' }
      if (authority === null) return { ok: false, problem: 'the authority is not open' }
      return authority.handle(request)
    }
  }
}

async function show(opened: Awaited<ReturnType<typeof openAuthority>>): Promise<AuthorityResult> {
  if (!opened.ok) return opened
  authority = opened.value
  return authority.handle({ do: 'show' })
}

async function end(): Promise<void> {
  await authority?.close()
  process.exit(0)
}
