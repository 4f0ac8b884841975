/**
 * HAProxy in front of Postern, as a site would have it: TCP passed on untouched, behind a PROXY header,
 * with health checks that say the header, too.
 */

import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CACHE } from '../programs.ts'
import { startServer, type MailServer } from './mail-server.ts'

export const HAPROXY = join(CACHE, 'haproxy', 'usr', 'sbin', 'haproxy')

export type Front = {
  /** On 127.0.0.1, where clients connect. */
  readonly port: number
  /** Of Postern, on 127.0.0.1. */
  readonly to: number
  /** What stands on the server's line: `send-proxy`, `send-proxy-v2`. */
  readonly header: string
}

/** `source` is the address that Postern has listed. */
export function startHaproxy(fronts: readonly Front[], source: string): Promise<MailServer> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-haproxy-'))
  chmodSync(folder, 0o755)
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(file, configuration(fronts, source))
  return startServer({ name: 'HAProxy', folder, command: HAPROXY, args: ['-db', '-f', file], port: fronts[0]?.port ?? 0, log: () => '' })
}

function configuration(fronts: readonly Front[], source: string): string {
  const sections = fronts.map(
    ({ port, to, header }) => `
listen port-${port}
  bind 127.0.0.1:${port}
  server postern 127.0.0.1:${to} source ${source} ${header} check check-send-proxy inter 300ms
`,
  )
  return `
global
  maxconn 100
  log stdout format raw local0

defaults
  mode tcp
  log global
  timeout connect 5s
  timeout client 30s
  timeout server 30s
${sections.join('')}`
}
