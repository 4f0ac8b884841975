/**
 * Whether a server asks for a certificate, and which CAs it names (RFC 8446 §4.3.2).
 *
 * Node's TLS does not tell a client, so the openssl program is asked, where there is one.
 */

import { spawn } from 'node:child_process'
import net from 'node:net'

export type CertificateRequest = {
  readonly asked: boolean
  /** As openssl writes them. */
  readonly authorities: readonly string[]
}

/** Null if there is no openssl program, or it had no handshake. */
export async function certificateRequestOf(target: {
  readonly host: string
  readonly port: number
  readonly implicitTls: boolean
  readonly timeoutSeconds: number
}): Promise<CertificateRequest | null> {
  const { host, port, implicitTls, timeoutSeconds } = target
  const args = ['s_client', '-connect', `${host.includes(':') ? `[${host}]` : host}:${port}`]
  if (!implicitTls) args.push('-starttls', 'smtp')
  if (net.isIP(host) === 0) args.push('-servername', host)
  const output = await outputOf('openssl', args, timeoutSeconds)
  if (output === null || !output.includes('SSL handshake has read')) return null
  const [, names] = /^Acceptable client certificate CA names\n((?:.*=.*\n)*)/m.exec(output) ?? []
  const asked = names !== undefined || /^(?:Client Certificate Types|Requested Signature Algorithms):/m.test(output)
  return { asked, authorities: (names ?? '').split('\n').filter(name => name !== '') }
}

async function outputOf(program: string, args: readonly string[], timeoutSeconds: number): Promise<string | null> {
  return new Promise(resolve => {
    const child = spawn(program, [...args], { stdio: ['pipe', 'pipe', 'ignore'], timeout: timeoutSeconds * 1000 })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.stdin.on('error', () => {})
    child.stdin.end('QUIT\r\n')
    child.once('error', () => resolve(null))
    child.once('close', () => resolve(output))
  })
}
