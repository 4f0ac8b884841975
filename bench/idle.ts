/** Memory of a server that does nothing, and of idle connections with TLS and a client certificate. */

import { memoryOfTree, sleep } from './measure.ts'
import type { RunningServer, Site } from './servers/server.ts'
import type { Partners } from './trial.ts'

export type IdleFigures = {
  readonly idleMebibytes: number
  readonly withConnectionsMebibytes: number
  readonly kibibytesPerConnection: number
  readonly processes: number
  readonly open: number
  readonly failures: Readonly<Record<string, number>>
}

export async function measureIdle(
  server: RunningServer,
  site: Site,
  connections: number,
  { load }: Partners,
): Promise<IdleFigures> {
  await sleep(SETTLE_MILLISECONDS)
  const before = memoryOfTree(server.pid)
  const opened = await load.ask({ do: 'idle', order: { port: server.port, connections, tls: site.client } }, 'idleOpen')
  await sleep(SETTLE_MILLISECONDS)
  const after = memoryOfTree(server.pid)
  await load.ask({ do: 'release' }, 'released')
  return {
    idleMebibytes: before.pssKibibytes / 1024,
    withConnectionsMebibytes: after.pssKibibytes / 1024,
    kibibytesPerConnection: (after.pssKibibytes - before.pssKibibytes) / Math.max(1, opened.open),
    processes: after.processes,
    open: opened.open,
    failures: opened.failures,
  }
}

const SETTLE_MILLISECONDS = 3000
